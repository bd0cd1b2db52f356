"""All that follows from a folder of proofs, in the order of the story."""

from reelm.proofs.dossier import agreed, ended, moved, ordered, served
from reelm.proofs.dossier.claim import Claim
from reelm.proofs.dossier.files import Refuted
from reelm.proofs.dossier.papers import Papers

__all__ = ["Claim", "claims_of"]


def claims_of(papers: Papers) -> list[Claim]:
    """Compute every claim.

    Raises:
        Refuted: one does not hold; names the file.
    """
    found = [
        claim for part in (agreed, ordered, moved, served, ended) for claim in part.claims(papers)
    ]
    for claim in found:
        if not claim.sentence.isprintable():
            raise Refuted(claim.files[0], "It holds characters that cannot be shown.")
    return found
