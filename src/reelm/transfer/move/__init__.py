"""The move of a sold region: rehearsed, frozen, sealed, received, cut over; each step resumes."""

from reelm.transfer.move.cut_over import CutOver, countersign, cut_over
from reelm.transfer.move.exchange import Exchange
from reelm.transfer.move.freeze import freeze, is_frozen, thaw
from reelm.transfer.move.receive import (
    Received,
    buyer_file,
    closing_manifest,
    is_buyers_home,
    receive,
    take_receipt,
)
from reelm.transfer.move.rehearse import Rehearsal, rehearse
from reelm.transfer.move.seal_region import SealedRegion, seal_region

__all__ = [
    "CutOver",
    "Exchange",
    "Received",
    "Rehearsal",
    "SealedRegion",
    "buyer_file",
    "closing_manifest",
    "countersign",
    "cut_over",
    "freeze",
    "is_buyers_home",
    "is_frozen",
    "receive",
    "rehearse",
    "seal_region",
    "take_receipt",
    "thaw",
]
