"""The seller's wind-down, by its certificate."""

from collections import Counter
from collections.abc import Iterator

from reelm.foundation.strict_json import canonical
from reelm.proofs.certificate import Certificate
from reelm.proofs.certified import verify_certificate
from reelm.proofs.dossier.claim import Claim, listed, number
from reelm.proofs.dossier.files import LOG, Refuted, read
from reelm.proofs.dossier.papers import (
    CERTIFICATE,
    CUTOVER,
    JOURNAL,
    KEYS,
    SCOPE,
    Papers,
    fact,
    named,
)
from reelm.proofs.journal import check_head
from reelm.proofs.sale import digest_of

PART = "What the seller has left"


def claims(papers: Papers) -> Iterator[Claim]:
    """Yield what the certificate claims, whose signatures are all checked.

    Raises:
        Refuted: it does not hold, or journal or log are of another.
    """
    stated = papers.certificate
    keys = [key for one in papers.keys.authorities for key in one.keys]
    named(CERTIFICATE, verify_certificate, papers.certificate_text, papers.scope,
          papers.cutover_text, keys)  # fmt: skip
    named(JOURNAL, check_head, read(papers.folder, JOURNAL), stated.journal)
    digest = digest_of(canonical(stated))
    if digest not in {fact(leaf, "certificate_digest") for leaf in
                      papers.entries("transfer.wound_down")}:  # fmt: skip
        raise Refuted(LOG, "The certificate is not in the buyer's log.")
    yield Claim(
        "certificate", PART, "Seller, buyer and each authority that approved the transfer signed"
        f" the certificate of the wind-down, {digest}; its journal of"
        f" {number(stated.journal.lines, 'line')} is whole, and the buyer's log names it.",
        [CERTIFICATE, JOURNAL, SCOPE, CUTOVER, KEYS, LOG],
    )  # fmt: skip
    outcomes = Counter(copy.outcome for copy in stated.register)
    told = [f"{count} {outcome}" for outcome, count in sorted(outcomes.items())]
    yield _claim("copies", f"Of {number(len(stated.register), 'copy', 'copies')} on the register:"
                 f" {listed(told)}.")  # fmt: skip
    yield from _custody(stated)
    after = [probe for probe in stated.probes if probe.phase == "after"]
    yield _claim("probes", f"Each of {number(len(after), 'probe')} found afterwards that there is"
                 f" nothing: {listed([probe.name for probe in after])}.")  # fmt: skip
    held = [f"{copy.name} until {copy.hold.until} ({copy.hold.basis})" for copy in stated.register
            if copy.hold]  # fmt: skip
    yield _claim("holds", f"Still held by law: {'; '.join(held) or 'nothing'}.")
    for index, words in enumerate(stated.cannot_be_proven, 1):
        yield _claim(f"unproven.{index}", words)


def _custody(stated: Certificate) -> Iterator[Claim]:
    """Yield what became of the keys, by where they were kept."""
    kept: dict[tuple[str, str], list[str]] = {}
    for key in stated.custody:
        kept.setdefault((key.outcome, key.kept), []).append(key.name)
    for index, ((outcome, where), names) in enumerate(sorted(kept.items()), 1):
        yield _claim(f"custody.{index}", f"Keys {outcome}: {listed(names)}. Each was in: {where}.")


def _claim(name: str, sentence: str) -> Claim:
    return Claim(name, PART, sentence, [CERTIFICATE])
