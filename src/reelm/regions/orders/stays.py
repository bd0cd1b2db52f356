"""Stays of the region's transfer: a court's pause of the sale, ended by a lift of its own."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.regions.models import Authority, AuthorityKey, LegalOrder


class Stay(msgspec.Struct, frozen=True):
    """A stay in force: who stays the sale, by which order, on what basis, since when."""

    order_id: int
    authority_id: int
    authority: str
    reference: str
    basis: str
    since: datetime


def hold_authorities(session: Session) -> None:
    """Let every order, approval and revocation of a key wait until the commit.

    Each takes the row of its authority or key for itself before it looks.
    """
    for column in (Authority.id, AuthorityKey.key_id):
        session.execute(select(column).order_by(column).with_for_update(read=True))


def stays_in_force(session: Session) -> list[Stay]:
    """Return the stays that hold now, the first ordered first."""
    query = (
        select(LegalOrder, Authority.name)
        .join(Authority, Authority.id == LegalOrder.authority_id)
        .where(LegalOrder.kind == "stay_transfer", LegalOrder.state == "in_force")
        .order_by(LegalOrder.id)
    )
    return [
        Stay(
            order_id=row.id,
            authority_id=row.authority_id,
            authority=name,
            reference=row.reference,
            basis=row.basis,
            since=row.in_force_at or row.received_at,
        )
        for row, name in session.execute(query)
    ]
