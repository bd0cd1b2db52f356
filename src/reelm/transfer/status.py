"""Where a sale stands: derived from what was signed, what stays it, and the time."""

import base64
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from reelm.proofs.handover import Receipt
from reelm.proofs.sale import Buyer, Seller
from reelm.regions import orders, time_bounds
from reelm.transfer.announce import announced
from reelm.transfer.approve import SIDES, Lack, Position, lacks_of, positions, signed_sides
from reelm.transfer.current import KnownTransfer, newest_transfer, statements
from reelm.transfer.models import TransferStep
from reelm.transfer.move.freeze import is_frozen
from reelm.transfer.move.seal_region import SealedRegion
from reelm.transfer.stay import said
from reelm.transfer.steps import last_step, steps

# The state that the last step of a kind leads to.
STATES = {
    "rehearsed": "rehearsed", "frozen": "frozen", "sealing": "frozen", "sealed": "sealed",
    "receipt": "verified", "cutover": "cutover", "wind_down": "winding_down",
    "certificate": "wound_down",
}  # fmt: skip
NEXT = {
    "approved": "Everybody who has to agree does: tell people (`reelm transfer announce`), and"
    " rehearse the move (`reelm transfer rehearse`).",
    "rehearsed": "Freeze what goes along, once people's notice has ended: `reelm transfer freeze`.",
    "frozen": "Seal it for the buyer: `reelm transfer seal`.",
    "sealed": "The buyer verifies and imports it: `reelm transfer verify`, then here again.",
    "verified": "Hand the region over: `reelm transfer cutover`, at the seller and then the buyer.",
    "disputed": "Find out what the buyer's receipt disputes, and seal again.",
    "cutover": "The seller winds down: `reelm transfer wind-down`.",
    "winding_down": "Go on with `reelm transfer wind-down`, then have its certificate cosigned.",
    "wound_down": "Nothing is left to do.",
    "aborted": "The sale has ended; `reelm transfer propose` begins another.",
}
_SUBMIT = "`reelm transfer sign SCOPE --key KEY`, and hand the file in"


class ForAPerson(msgspec.Struct, frozen=True):
    """A condition of an approval that only a person can check."""

    authority: str
    words: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where the newest sale stands.

    Args:
        state: proposed, signed, approved, rehearsed, frozen, sealed, verified, disputed, cutover,
            winding_down, wound_down; stayed, aborted; none where there was no sale.
        would_be: the state if nothing stayed it.
        freeze_from: before which time nothing is frozen, as everybody was told.
        is_frozen: what goes along is not written, whatever the state.
        lacks: what is missing, expired, revoked, violated or changed.
        next: who has to do what, a sentence each.
    """

    state: str
    would_be: str = ""
    freeze_from: datetime | None = None
    is_frozen: bool = False
    transfer_id: int | None = None
    scope_digest: str = ""
    seller: Seller | None = None
    buyer: Buyer | None = None
    proposed_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    signed_by: list[str] = []
    approvals: list[Position] = []
    stays: list[orders.Stay] = []
    lacks: list[Lack] = []
    for_a_person: list[ForAPerson] = []
    next: list[str] = []


def status(session: Session) -> Status:
    """Return where the newest sale stands, and what is to be done."""
    newest = newest_transfer(session)
    if newest is None:
        stays = orders.stays_in_force(session)
        return Status(state="none", stays=stays, next=["`reelm transfer propose` begins a sale."])
    return status_of(session, newest)


def status_of(session: Session, transfer: KnownTransfer) -> Status:
    """Return where a sale stands."""
    told = statements(session, transfer.id)
    at = time_bounds(session).latest
    found = positions(session, transfer, told, at)
    signed = [side for side in SIDES if side in signed_sides(transfer, told)]
    is_open = transfer.ended_at is None
    stays = orders.stays_in_force(session) if is_open else []
    missing = lacks_of(session, transfer, signed, found, at) if is_open else []
    taken = steps(session, transfer.id)
    would_be = _state(transfer, signed, missing, taken)
    told_people = announced(taken)
    return Status(
        state="stayed" if stays else would_be,
        would_be=would_be,
        freeze_from=None if told_people is None else told_people.freeze_from,
        is_frozen=is_open and is_frozen(session),
        transfer_id=transfer.id,
        scope_digest=transfer.scope_digest,
        seller=transfer.scope.seller,
        buyer=transfer.scope.buyer,
        proposed_at=transfer.proposed_at,
        ended_at=transfer.ended_at,
        reason=transfer.reason,
        signed_by=signed,
        approvals=found,
        stays=stays,
        lacks=missing,
        for_a_person=[
            ForAPerson(one.authority, words) for one in found for words in one.for_a_person
        ],
        next=_next(transfer, would_be, stays, missing, is_told=told_people is not None),
    )


def _state(
    transfer: KnownTransfer,
    signed: list[str],
    missing: list[Lack],
    taken: Sequence[TransferStep],
) -> str:
    if transfer.ending == "aborted":
        return transfer.ending
    if transfer.ending is None and missing:
        return "signed" if len(signed) == len(SIDES) else "proposed"
    last = last_step(taken, *STATES)
    if last is None:
        return "approved"
    if last.kind != "receipt":
        return STATES[last.kind]
    return _found(last, last_step(taken, "sealed"))


def _found(receipt: TransferStep, sealed: TransferStep | None) -> str:
    told = msgspec.json.decode(receipt.document)["payload"]
    found = msgspec.json.decode(base64.b64decode(told), type=Receipt)
    if sealed is not None:
        known = msgspec.json.decode(sealed.document, type=SealedRegion)
        if found.closing_digest not in {"", known.closing_digest}:
            return "sealed"
    return "verified" if found.outcome == "equal" else "disputed"


def _next(
    transfer: KnownTransfer,
    state: str,
    stays: list[orders.Stay],
    missing: list[Lack],
    *,
    is_told: bool,
) -> list[str]:
    if stays:
        return [
            f"Wait until the stay is lifted ({said(one)}), or end the sale: `reelm transfer abort`."
            for one in stays
        ]
    if transfer.ended_at is None and missing:
        return [_step(transfer, one) for one in missing]
    if state == "approved" and is_told:
        return ["Rehearse the move: `reelm transfer rehearse`."]
    return [NEXT[state]]


def _step(transfer: KnownTransfer, lack: Lack) -> str:
    if lack.kind == "unsigned":
        side = transfer.scope.seller if lack.of == "seller" else transfer.scope.buyer
        return f"{side.operator}, the {lack.of}, signs the scope: {_SUBMIT}."
    if lack.kind == "changed":
        return f"{transfer.scope.seller.operator}, the seller: {lack.sentence}"
    if lack.kind in {"missing", "expired", "void"}:
        return f"{lack.of} decides on the scope: {_SUBMIT}."
    return f"{lack.of} does not agree as things are; without a new approval there is no sale."
