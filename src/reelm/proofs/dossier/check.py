"""Check a folder of proofs: its bytes, its signatures, and each claim of its page."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from reelm import __version__
from reelm.proofs.dossier.claims import Claim, claims_of
from reelm.proofs.dossier.files import LIST, PAGE, Refuted, check_files, read, read_list
from reelm.proofs.dossier.page import expected, read_page, render
from reelm.proofs.dossier.papers import Papers, Signatory, read_papers


class Fault(msgspec.Struct, frozen=True):
    """A file that is not what it has to be, and why."""

    file: str
    sentence: str


class KnownKey(msgspec.Struct, frozen=True):
    """A public key in hex that whoever checks knows from elsewhere, and whose, if they say so."""

    key: str
    who: str | None = None


class Checked(msgspec.Struct, frozen=True):
    """The claims that hold, what is wrong, and who signed."""

    claims: list[Claim]
    faults: list[Fault]
    keys: list[Signatory]


def check_folder(folder: Path, known_keys: Sequence[KnownKey] = ()) -> Checked:
    """Compute each claim of a folder anew, from its files alone.

    Args:
        folder: the folder.
        known_keys: where some are given, nothing counts that another key signed, or that is said
            to be of somebody else than the one who is named with the key.

    Returns:
        The claims, and the faults; it holds where there are none of these.
    """
    claims, keys = list[Claim](), list[Signatory]()
    try:
        listed = read_list(folder)
        faults = list(check_files(folder, listed))
        if faults:
            return Checked([], [Fault(one.file, one.sentence) for one in faults], [])
        papers = read_papers(folder)
        _check_signer(papers, listed.signed_by, listed.scope_digest)
        keys = papers.signatories()
        _check_known(keys, known_keys)
        claims = claims_of(papers)
        wrong = [Fault(PAGE, words) for words in _differences(papers, claims)]
    except Refuted as error:
        wrong = [Fault(error.file, error.sentence)]
    return Checked(claims, wrong, keys)


def _check_signer(papers: Papers, key: str, scope_digest: str) -> None:
    if key != papers.scope.buyer.public_key:
        raise Refuted(LIST, "The list is not signed by the buyer's key that the scope names.")
    if scope_digest != papers.scope_digest:
        raise Refuted(LIST, "The list is of another sale: its scope_digest differs.")


def _check_known(keys: Sequence[Signatory], known: Sequence[KnownKey]) -> None:
    for one in keys if known else ():
        told = f"The key of {one.who} is {one.key}"
        owners = {other.who for other in known if other.key == one.key}
        if not owners:
            raise Refuted(one.file, f"{told}: none of those that you know.")
        for other in owners - {None, one.who}:
            raise Refuted(one.file, f"{told}, which you know to be of {other}.")


def _differences(papers: Papers, claims: Sequence[Claim]) -> Iterator[str]:
    """Yield where the page says something else than follows from the files."""
    page = read(papers.folder, PAGE)
    if page == render(papers, claims):
        return
    told, follows = read_page(page), expected(papers, claims)
    if told == follows:
        yield f"Beside its claims it says something else than release {__version__} makes of them."
    for key in sorted(told.keys() | follows.keys()):
        if told.get(key) != follows.get(key):
            yield (
                f"Its claim {key} does not follow from the files: it says"
                f" {told.get(key, '')!r}, and what follows is {follows.get(key, '')!r}."
            )
