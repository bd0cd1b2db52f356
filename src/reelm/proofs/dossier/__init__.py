"""The folder of proofs that a sale leaves: every claim in it is computed anew from its files.

`report.html` is for people, `report.dsse` lists each file with its digest, and docs/transfer.md
says from which file which claim follows. Nothing here needs a database or a network.
"""

from reelm.proofs.dossier import served
from reelm.proofs.dossier.check import Checked, KnownKey, check_folder
from reelm.proofs.dossier.claims import Claim, claims_of
from reelm.proofs.dossier.files import PAGE, Refuted, sign_folder
from reelm.proofs.dossier.observed import Observed, observed_line
from reelm.proofs.dossier.page import DEMO, render
from reelm.proofs.dossier.papers import AuthorityKeys, KeyList, read_papers

__all__ = [
    "DEMO",
    "PAGE",
    "AuthorityKeys",
    "Checked",
    "Claim",
    "KeyList",
    "KnownKey",
    "Observed",
    "Refuted",
    "check_folder",
    "claims_of",
    "observed_line",
    "read_papers",
    "render",
    "served",
    "sign_folder",
]
