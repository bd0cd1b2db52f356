"""Complainants follow what becomes of their grievance, by their account or by number and code."""

import hmac
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts import GRIEVANCE_ADDRESS, address_group, count_try, data_key
from reelm.foundation.errors import Missing
from reelm.foundation.parts import Parts
from reelm.moderation.models import Grievance
from reelm.moderation.receive import code_hash

PAGE = 50
WRONG = "There is no grievance of this number and code."


class FollowedGrievance(msgspec.Struct, frozen=True):
    """A grievance as the person sees it who sent it; the outcome is None until it is resolved."""

    number: int
    kind: str
    target_kind: str
    target_id: int
    reason: str
    state: str
    outcome: str | None
    answer: str
    received_at: datetime
    acknowledge_due_at: datetime | None
    resolve_due_at: datetime | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None


def follow_grievance(
    session: Session, parts: Parts, number: int, *, code: str, address: str
) -> FollowedGrievance:
    """Return how far a grievance is, to who has its code.

    Raises:
        Missing: number and code do not match; it does not say which is wrong.
        RateLimited: too many tries from the address.
    """
    count_try(parts, GRIEVANCE_ADDRESS, address_group(address))
    row = session.get(Grievance, number)
    known = row.code_hash if row is not None else b""
    matches = hmac.compare_digest(known, code_hash(number, code))
    if row is None or not matches:
        raise Missing(WRONG)
    return _followed(session, parts, row)


def my_grievances(
    session: Session, parts: Parts, account_id: int, *, before: int | None = None
) -> list[FollowedGrievance]:
    """Return the grievances that an account sent, the newest first."""
    query = select(Grievance).where(Grievance.reporter_id == account_id)
    if before is not None:
        query = query.where(Grievance.id < before)
    rows = session.scalars(query.order_by(Grievance.id.desc()).limit(PAGE)).all()
    return [_followed(session, parts, row) for row in rows]


def _followed(session: Session, parts: Parts, row: Grievance) -> FollowedGrievance:
    answer = ""
    if row.answer:
        answer = data_key(session, parts, row.id).open(Grievance.answer, row.answer)
    return FollowedGrievance(
        row.id,
        row.kind,
        row.target_kind,
        row.target_id,
        row.reason,
        row.state,
        row.outcome,
        answer,
        row.created_at,
        row.acknowledge_due_at,
        row.resolve_due_at,
        row.acknowledged_at,
        row.resolved_at,
    )
