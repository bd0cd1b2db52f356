"""What people met before, during and after the move, counted from what was observed."""

from collections.abc import Iterator, Sequence

import msgspec

from reelm.proofs.dossier.claim import Claim, number
from reelm.proofs.dossier.files import Refuted
from reelm.proofs.dossier.observed import FILE, Observed
from reelm.proofs.dossier.papers import CUTOVER, Papers

PART = "What people met"
# The acts of the story that say something of the service.
VIEWERS, BANNED, WITHHELD = "viewers", "banned", "withheld"
FROZEN_WRITE, FROZEN_READ = "frozen write", "frozen read"
RETURN, LEARNED, OLD = "return", "model", "old address"
WITHHELD_STATUS, GONE_STATUS, REFUSED_STATUS = 451, 410, 503
SIGN_UP, SIGN_IN = "POST /api/accounts", "POST /api/sessions"


def claims(papers: Papers) -> Iterator[Claim]:
    """Yield what follows from the answers that were written down.

    Raises:
        Refuted: an answer was another than it has to be, or none was asked for.
    """
    acts: dict[str, list[Observed]] = {}
    for one in papers.observed:
        if one.is_http:
            acts.setdefault(one.act, []).append(one)
    yield _all(acts, BANNED, WITHHELD_STATUS, "was answered by 451 while the service was banned")
    yield _all(acts, FROZEN_WRITE, REFUSED_STATUS, "to write was refused while the region was"
               " frozen")  # fmt: skip
    yield _all(acts, FROZEN_READ, 200, "to read was answered while the region was frozen")
    yield _signed_in(acts)
    yield _same(acts)
    yield _all(acts, WITHHELD, WITHHELD_STATUS, "for a video that is withheld by order was answered"
               " by 451, before the cutover and after it")  # fmt: skip
    yield _learned(acts)
    yield _moved(acts, papers.cutover.address)


def _all(acts: dict[str, list[Observed]], act: str, code: int, words: str) -> Claim:
    """Claim that each answer of an act had one status."""
    asked = acts.get(act, [])
    if not asked:
        raise Refuted(FILE, f"Nothing was asked in the act {act!r}.")
    other = [one for one in asked if one.code != code]
    if other:
        raise Refuted(FILE, f"{other[0].did} was answered by {other[0].code} in the act {act!r}.")
    each = f"Each of {len(asked):,} requests" if len(asked) > 1 else "The one request"
    return _claim(act.replace(" ", "-"), f"{each} {words}.")


def _signed_in(acts: dict[str, list[Observed]]) -> Claim:
    before = _done(acts.get(VIEWERS, ()), SIGN_UP)
    after = _done(acts.get(RETURN, ()), SIGN_IN)
    lacking = sorted(before - after)
    if lacking or not before:
        raise Refuted(FILE, f"{', '.join(lacking) or 'Nobody'} did not sign in at the buyer.")
    return _claim(
        "signed-in", f"{number(len(before), 'person', 'people')} who had signed up at the seller"
        " signed in at the buyer.",
    )  # fmt: skip


def _same(acts: dict[str, list[Observed]]) -> Claim:
    """Claim that what was at an address at the seller is at the same address at the buyer."""
    before, after = (
        {one.did: one.digest for one in acts.get(act, ()) if one.about == "media"}
        for act in (VIEWERS, RETURN)
    )
    for did, digest in before.items():
        if after.get(did) != digest:
            raise Refuted(FILE, f"{did} gave other bytes at the buyer than at the seller.")
    if not before:
        raise Refuted(FILE, "No media was asked for at the seller.")
    return _claim("same-media", f"{number(len(before), 'media address', 'media addresses')} gave"
                  " the same bytes at the buyer as at the seller.")  # fmt: skip


def _moved(acts: dict[str, list[Observed]], address: str) -> Claim:
    """Claim that the old address names the one that the cutover has."""
    for one in acts.get(OLD, ()):
        if f"<{address}/" not in one.said:
            raise Refuted(FILE, f"{one.did} at the old address does not name {address}.")
    told = _all(acts, OLD, GONE_STATUS, f"at the old address was answered by 410, with {address}")
    return msgspec.structs.replace(told, files=[FILE, CUTOVER])


def _learned(acts: dict[str, list[Observed]]) -> Claim:
    told = [one.said for one in acts.get(LEARNED, ()) if one.code == 200]
    if not told:
        raise Refuted(FILE, "The buyer's region was not asked for its model.")
    return _claim("learned", f"Of its model the buyer's region says on /api/region: {told[-1]}")


def _done(asked: Sequence[Observed], did: str) -> set[str]:
    return {one.about for one in asked if one.did == did and one.code in {200, 201, 204}}


def _claim(name: str, sentence: str) -> Claim:
    return Claim(name, PART, sentence, [FILE])
