"""The sale of the region: where it stands, and what authorities hand in about it."""

from datetime import datetime

import msgspec

from reelm import accounts, regions, transfer
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.proofs import sale
from reelm.transfer import KnownTransfer
from reelm.web.viewer import Viewer


class Party(msgspec.Struct, frozen=True):
    """Seller or buyer; `country` is where the buyer will keep the data, empty of the seller."""

    operator: str
    public_key: str
    country: str


class ToldApproval(msgspec.Struct, frozen=True):
    """Where an authority stands that has to agree."""

    authority: str
    powers: list[str]
    standing: str
    valid_until: datetime | None


class ToldStay(msgspec.Struct, frozen=True):
    """Who stays the sale, on what basis, since when."""

    authority: str
    reference: str
    basis: str
    since: datetime


class ToldAnnouncement(msgspec.Struct, frozen=True):
    """What people were told: before `freeze_from` nothing is frozen; since when, and who asks it.

    `notice_source` is policy_pack, setting or command: what asked for so many days of notice.
    """

    freeze_from: datetime
    notice_days: int
    notice_source: str
    made_at: datetime


class ToldTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """A sale as far as it may be told: who buys, the digest of the scope, the state, the stays."""

    id: str
    state: str
    scope_digest: str
    seller: Party
    buyer: Party
    proposed_at: datetime
    ended_at: datetime | None
    signed_by: list[str]
    approvals: list[ToldApproval]
    announced: ToldAnnouncement | None
    stays: list[ToldStay]


class Transfers(msgspec.Struct, frozen=True):
    """The sales of this region, the newest first, and how statements about one are signed."""

    region: str
    payload_types: list[str]
    transfers: list[ToldTransfer]


class StatementTaken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a statement, and the state of the sale now."""

    transfer_id: str
    scope_digest: str
    kind: str
    document_digest: str
    received_at: datetime
    is_new: bool
    state: str


def list_transfers(session: Session) -> Transfers:
    """List the sales of this region: who buys, the scope's digest, who agrees, what stays it."""
    told = [tell(session, one) for one in transfer.transfers(session)]
    types = [sale.SALE_TYPE, sale.APPROVAL_TYPE]
    return Transfers(regions.region_id(session), types, told)


def submit_statement(session: Session, parts: Parts, viewer: Viewer, body: bytes) -> StatementTaken:
    """Hand in a signature, approval, refusal or revocation, as a DSSE envelope."""
    with accounts.counting_refused(parts, accounts.TRANSFER_ADDRESS, viewer.address):
        taken = transfer.submit_statement(session, body)
    return StatementTaken(
        transfer_id=str(taken.transfer_id),
        scope_digest=taken.scope_digest,
        kind=taken.kind,
        document_digest=taken.document_digest,
        received_at=taken.received_at,
        is_new=taken.is_new,
        state=transfer.status(session).state,
    )


def tell_open(session: Session) -> ToldTransfer | None:
    """Return the sale that is open, as far as it may be told."""
    newest = transfer.transfers(session, limit=1)
    return tell(session, newest[0]) if newest and newest[0].ended_at is None else None


def tell(session: Session, one: KnownTransfer) -> ToldTransfer:
    """Return a sale as far as it may be told."""
    found = transfer.status_of(session, one)
    seller, buyer = one.scope.seller, one.scope.buyer
    return ToldTransfer(
        id=str(one.id),
        state=found.state,
        scope_digest=one.scope_digest,
        seller=Party(seller.operator, seller.public_key, ""),
        buyer=Party(buyer.operator, buyer.public_key, buyer.country),
        proposed_at=one.proposed_at,
        ended_at=one.ended_at,
        signed_by=found.signed_by,
        approvals=[
            ToldApproval(by.authority, by.powers, by.standing, by.valid_until)
            for by in found.approvals
        ],
        announced=_announced(session, one),
        stays=[
            ToldStay(stay.authority, stay.reference, stay.basis, stay.since) for stay in found.stays
        ],
    )


def _announced(session: Session, one: KnownTransfer) -> ToldAnnouncement | None:
    found = transfer.announced_of(session, one.id)
    if found is None:
        return None
    told, made_at = found
    return ToldAnnouncement(told.freeze_from, told.notice_days, told.notice_source, made_at)
