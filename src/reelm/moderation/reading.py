"""Staff look at grievances: a list without anybody's words, and one opened, which is logged."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    and_,
    case,
    column,
    func,
    literal,
    select,
    table,
    tuple_,
)
from sqlalchemy.orm import Session

from reelm import regions
from reelm.accounts import Power, Reader, data_key, log_read, require
from reelm.accounts.models import Account
from reelm.foundation.errors import Invalid, Missing
from reelm.foundation.parts import Parts
from reelm.moderation.models import Decision, Grievance
from reelm.regions.models import LegalOrder
from reelm.social.models import Comment
from reelm.videos.models import Video

PAGE = 50
State = Literal["open", "acknowledged", "resolved", "waiting", "overdue"]
NO_GRIEVANCE = "There is no such grievance."
_TARGETS: dict[str, Any] = {
    "video": Video.id,
    "comment": Comment.id,
    "account": Account.id,
    "order": LegalOrder.id,
    "decision": Decision.id,
    # Of a room above this one: its table is known by name.
    "transfer": table("transfer", column("id", BigInteger)).c.id,
}
# Stands for no deadline in the order of what is due.
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
# When the next step is due: to acknowledge, then to resolve.
_NEXT_DUE = case(
    (Grievance.state == "open", func.least(Grievance.acknowledge_due_at, Grievance.resolve_due_at)),
    (Grievance.state == "acknowledged", Grievance.resolve_due_at),
)
_RANK = case((Grievance.reason == "minor_safety", 0), else_=1)
_BY_DUE = (_RANK, func.coalesce(_NEXT_DUE, _NEVER), Grievance.id)


class ListedGrievance(msgspec.Struct, frozen=True):
    """A grievance in the list: nothing of who sent it, or what they wrote."""

    id: int
    kind: str
    target_kind: str
    target_id: int
    reason: str
    state: str
    outcome: str | None
    received_at: datetime
    due_at: datetime | None
    resolved_at: datetime | None
    is_overdue: bool
    has_account: bool


class OpenedGrievance(msgspec.Struct, frozen=True):
    """A grievance with its texts opened."""

    listed: ListedGrievance
    reporter_id: int | None
    target_exists: bool
    detail: str
    contact: str
    answer: str
    acknowledge_due_at: datetime | None
    resolve_due_at: datetime | None
    acknowledged_at: datetime | None


class GrievancePage(msgspec.Struct, frozen=True):
    """One page of the list; `cursor` continues where there is more."""

    grievances: list[ListedGrievance]
    cursor: str | None


class Waiting(msgspec.Struct, frozen=True):
    """How many grievances wait, and how many of these are late."""

    open: int
    acknowledged: int
    acknowledgements_overdue: int
    resolutions_overdue: int


def list_grievances(
    session: Session,
    *,
    role: str | None,
    state: State = "waiting",
    kind: str | None = None,
    cursor: str | None = None,
) -> GrievancePage:
    """Return grievances: those that wait by what is due first, those resolved the newest first.

    What harms a child comes before everything else.

    Raises:
        Forbidden: the role does not handle grievances.
        Invalid: the cursor is none.
    """
    require(role, Power.HANDLE_GRIEVANCES)
    late = _is_late(regions.time_bounds(session).latest)
    query = select(Grievance, _NEXT_DUE.label("due_at"), late.label("late")).where(
        _in_state(state, late)
    )
    if kind is not None:
        query = query.where(Grievance.kind == kind)
    if state == "resolved":
        query = query.order_by(Grievance.id.desc())
        if cursor is not None:
            query = query.where(Grievance.id < _numbers(cursor, 1)[0])
    else:
        query = query.order_by(*_BY_DUE)
        if cursor is not None:
            query = query.where(tuple_(*_BY_DUE) > _place(cursor))
    rows = session.execute(query.limit(PAGE + 1)).all()
    shown = [_listed(row) for row in rows[:PAGE]]
    more = len(rows) > PAGE
    return GrievancePage(shown, _cursor(shown[-1], state) if more else None)


def open_grievance(
    session: Session, parts: Parts, grievance_id: int, *, reader: Reader
) -> OpenedGrievance:
    """Return a grievance with what its sender wrote, and log that it was read.

    Raises:
        Forbidden: the role does not handle grievances.
        Missing: there is no such grievance.
    """
    require(reader.role, Power.HANDLE_GRIEVANCES)
    late = _is_late(regions.time_bounds(session).latest)
    found = session.execute(
        select(Grievance, _NEXT_DUE.label("due_at"), late.label("late")).where(
            Grievance.id == grievance_id
        )
    ).one_or_none()
    if found is None:
        raise Missing(NO_GRIEVANCE)
    log_read(session, reader, "grievance", grievance_id)
    row: Grievance = found[0]
    key = data_key(session, parts, row.id)
    return OpenedGrievance(
        listed=_listed(found),
        reporter_id=row.reporter_id,
        target_exists=_exists(session, row.target_kind, row.target_id),
        detail=key.open(Grievance.detail, row.detail),
        # Empty, not sealed: the reporter's account was erased, and the contact with it.
        contact=key.open(Grievance.contact, row.contact) if row.contact else "",
        answer=key.open(Grievance.answer, row.answer) if row.answer else "",
        acknowledge_due_at=row.acknowledge_due_at,
        resolve_due_at=row.resolve_due_at,
        acknowledged_at=row.acknowledged_at,
    )


def waiting(session: Session) -> Waiting:
    """Count the grievances that wait; one look at a small index."""
    latest = regions.time_bounds(session).latest
    is_open = Grievance.state == "open"
    row = session.execute(
        select(
            func.count().filter(is_open),
            func.count().filter(Grievance.state == "acknowledged"),
            func.count().filter(is_open, Grievance.acknowledge_due_at < latest),
            func.count().filter(Grievance.resolve_due_at < latest),
        ).where(Grievance.state != "resolved")
    ).one()
    return Waiting(*row)


def _is_late(latest: datetime) -> ColumnElement[bool]:
    return and_(Grievance.state != "resolved", func.coalesce(_NEXT_DUE, _NEVER) < latest)


def _in_state(state: State, late: ColumnElement[bool]) -> ColumnElement[bool]:
    if state == "waiting":
        return Grievance.state != "resolved"
    return late if state == "overdue" else Grievance.state == state


def _listed(found: Row[Any]) -> ListedGrievance:
    row: Grievance = found[0]
    return ListedGrievance(
        id=row.id,
        kind=row.kind,
        target_kind=row.target_kind,
        target_id=row.target_id,
        reason=row.reason,
        state=row.state,
        outcome=row.outcome,
        received_at=row.created_at,
        due_at=found.due_at,
        resolved_at=row.resolved_at,
        is_overdue=found.late,
        has_account=row.reporter_id is not None,
    )


def _cursor(last: ListedGrievance, state: State) -> str:
    if state == "resolved":
        return str(last.id)
    due_us = int((last.due_at or _NEVER).timestamp() * 1_000_000)
    return f"{0 if last.reason == 'minor_safety' else 1}.{due_us}.{last.id}"


def _place(cursor: str) -> ColumnElement[Any]:
    rank, due_us, last_id = _numbers(cursor, 3)
    due_at = datetime.fromtimestamp(min(due_us, int(_NEVER.timestamp() * 1_000_000)) / 1e6, UTC)
    return tuple_(literal(rank), literal(due_at), literal(last_id))


def _numbers(cursor: str, count: int) -> Sequence[int]:
    parts = cursor.split(".")
    if len(parts) != count or not all(part.isascii() and part.isdigit() for part in parts):
        raise Invalid("The cursor is not one that was given out here; ask again without it.")
    return [min(int(part[:20]), (1 << 63) - 1) for part in parts]


def _exists(session: Session, kind: str, target_id: int) -> bool:
    column = _TARGETS[kind]
    return session.scalar(select(column).where(column == target_id)) is not None
