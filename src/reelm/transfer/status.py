"""Where a sale stands: derived from what was signed, what stays it, and the time."""

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from reelm.proofs.sale import Buyer, Seller
from reelm.regions import orders
from reelm.transfer.approve import SIDES, Lack, Position, lacks, positions, signed_sides
from reelm.transfer.current import KnownTransfer, statements, transfers
from reelm.transfer.stay import said

_SUBMIT = "`reelm transfer sign SCOPE --key KEY`, and hand the file in"


class ForAPerson(msgspec.Struct, frozen=True):
    """A condition of an approval that only a person can check."""

    authority: str
    words: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where the newest sale stands.

    Args:
        state: proposed, signed, approved, stayed, aborted; none where there was no sale.
        would_be: the state if nothing stayed it.
        lacks: what is missing, expired, revoked, violated or changed.
        next: who has to do what, a sentence each.
    """

    state: str
    would_be: str = ""
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
    newest = transfers(session, limit=1)
    if not newest:
        stays = orders.stays_in_force(session)
        return Status(state="none", stays=stays, next=["`reelm transfer propose` begins a sale."])
    return status_of(session, newest[0])


def status_of(session: Session, transfer: KnownTransfer) -> Status:
    """Return where a sale stands."""
    told = statements(session, transfer.id)
    found = positions(session, transfer, told)
    signed = [side for side in SIDES if side in signed_sides(transfer, told)]
    is_open = transfer.ended_at is None
    stays = orders.stays_in_force(session) if is_open else []
    missing = lacks(session, transfer) if is_open else []
    would_be = _state(transfer, signed, missing)
    return Status(
        state="stayed" if stays else would_be,
        would_be=would_be,
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
        next=_next(transfer, stays, missing),
    )


def _state(transfer: KnownTransfer, signed: list[str], missing: list[Lack]) -> str:
    if transfer.ending is not None:
        return transfer.ending
    if not missing:
        return "approved"
    return "signed" if len(signed) == len(SIDES) else "proposed"


def _next(transfer: KnownTransfer, stays: list[orders.Stay], missing: list[Lack]) -> list[str]:
    if transfer.ended_at is not None:
        return ["The sale has ended; `reelm transfer propose` begins another."]
    if stays:
        return [
            f"Wait until the stay is lifted ({said(one)}), or end the sale: `reelm transfer abort`."
            for one in stays
        ]
    if not missing:
        return ["Everybody who has to agree does: the move can begin."]
    return [_step(transfer, one) for one in missing]


def _step(transfer: KnownTransfer, lack: Lack) -> str:
    if lack.kind == "unsigned":
        side = transfer.scope.seller if lack.of == "seller" else transfer.scope.buyer
        return f"{side.operator}, the {lack.of}, signs the scope: {_SUBMIT}."
    if lack.kind == "changed":
        return f"{transfer.scope.seller.operator}, the seller: {lack.sentence}"
    if lack.kind in {"missing", "expired", "void"}:
        return f"{lack.of} decides on the scope: {_SUBMIT}."
    return f"{lack.of} does not agree as things are; without a new approval there is no sale."
