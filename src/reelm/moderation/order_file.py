"""The file of one legal order, as officers see it: what it says, does, and what became of it."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm import audit
from reelm.accounts import Power, Reader, log_read, require
from reelm.audit.models import AuditEntry, AuditOpening
from reelm.regions import orders
from reelm.regions.models import LegalOrder, Restriction

HISTORY_KINDS = (
    "regions.order_entered",
    "regions.order_checked",
    "regions.order_refused",
    "regions.order_in_force",
    "regions.order_ended",
)


class Effect(msgspec.Struct, frozen=True):
    """One thing that the order withholds now; subject 0 is the whole service."""

    subject_id: int
    since: datetime
    countries: list[str] | None


class LoggedAct(msgspec.Struct, frozen=True):
    """An entry of the audit log about the order."""

    entry_id: int
    kind: str
    at: datetime
    officer_id: str | None
    is_published: bool


class OrderFile(msgspec.Struct, frozen=True):
    """An order with its signatures, its effect and its history."""

    order: orders.ListedOrder
    signed_by: list[str]
    effect: list[Effect]
    history: list[LoggedAct]


def open_order(session: Session, order_id: int, *, reader: Reader) -> OrderFile:
    """Return the file of an order, and log that it was read: its targets are people's.

    Raises:
        Forbidden: the role does not see orders.
        Missing: there is no such order.
    """
    require(reader.role, Power.SEE_ORDERS)
    found = orders.order(session, order_id)
    log_read(session, reader, "order", order_id, is_confidential=found.is_confidential)
    rows = session.execute(
        select(Restriction.subject_id, Restriction.since, Restriction.countries)
        .where(Restriction.source_id == order_id)
        .order_by(Restriction.subject_id)
    )
    return OrderFile(
        order=found,
        signed_by=_signed_by(session, found),
        effect=[Effect(*row) for row in rows],
        history=_history(session, order_id),
    )


def _signed_by(session: Session, found: orders.ListedOrder) -> list[str]:
    """Return the ids of the authority's keys that are among the envelope's signatures.

    They were verified when the order came; a key that was revoked since is named all the same.
    """
    envelope = session.scalar(select(LegalOrder.envelope).where(LegalOrder.id == found.id))
    if envelope is None:
        return []
    named = {one["keyid"] for one in msgspec.json.decode(envelope)["signatures"]}
    known = {key.key_id for key in orders.authority(session, found.authority_id).keys}
    return sorted(named & known)


def _history(session: Session, order_id: int) -> list[LoggedAct]:
    published = session.execute(
        select(AuditEntry.id, AuditEntry.kind, AuditEntry.at, AuditEntry.body).where(
            AuditEntry.kind.in_(HISTORY_KINDS),
            AuditEntry.id > order_id,
            AuditEntry.body["order_id"].astext == str(order_id),
        )
    )
    acts = [
        LoggedAct(row.id, row.kind, row.at, row.body.get("officer_id"), is_published=True)
        for row in published
    ]
    sealed = session.execute(
        select(AuditEntry.id, AuditEntry.at)
        .join(AuditOpening, AuditOpening.entry_id == AuditEntry.id)
        .where(
            AuditEntry.kind == "confidential",
            AuditEntry.id > order_id,
            AuditOpening.opened.contains(f'"order_id":"{order_id}"', autoescape=True),
        )
    )
    for row in sealed:
        opened = audit.read_confidential(session, row.id)
        officer = opened.body.get("officer_id")
        acts.append(
            LoggedAct(
                row.id,
                opened.kind,
                row.at,
                None if officer is None else str(officer),
                is_published=False,
            )
        )
    return sorted(acts, key=lambda act: act.entry_id)
