"""The bundle of a sale: sealed by the seller, verified and imported by the buyer."""

from reelm.transfer.bundle.ahead import copy_closed_days, copy_objects
from reelm.transfer.bundle.import_ import Imported, import_
from reelm.transfer.bundle.narrow import differing_row
from reelm.transfer.bundle.opened import Expected, Opened, open_bundle
from reelm.transfer.bundle.seal import Sale, SellerKeys, seal
from reelm.transfer.bundle.verify import verify, verify_rows

__all__ = [
    "Expected",
    "Imported",
    "Opened",
    "Sale",
    "SellerKeys",
    "copy_closed_days",
    "copy_objects",
    "differing_row",
    "import_",
    "open_bundle",
    "seal",
    "verify",
    "verify_rows",
]
