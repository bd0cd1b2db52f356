"""Decisions as staff read them, and as statements of reasons."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts import Power, Reader, data_key, log_read, require
from reelm.foundation.errors import Missing
from reelm.foundation.parts import Parts
from reelm.moderation.models import Decision
from reelm.moderation.targets import Target, target_of

PAGE = 50
_VISIBILITY = {"withhold_video": ["disabled"], "remove_comment": ["removed"]}
_CONTENT = {"withhold_video": ["video"], "remove_comment": ["text"], "suspend_account": ["other"]}


class ListedDecision(msgspec.Struct, frozen=True):
    """A decision in the list, without its facts."""

    id: int
    kind: str
    target_id: int
    ground: str
    basis: str
    category: str
    countries: list[str] | None
    source_type: str
    grievance_id: int | None
    decided_at: datetime
    reversed_at: datetime | None


class StatementOfReasons(msgspec.Struct, frozen=True):
    """The reasons of a decision under the names of the EU Transparency Database.

    The values of `category` are this service's own reasons, not that database's list; `target`,
    what the decision is about, is not part of it.
    """

    puid: str
    target: Target
    decision_visibility: list[str]
    decision_account: str | None
    decision_ground: str
    illegal_content_legal_ground: str | None
    illegal_content_explanation: str | None
    incompatible_content_ground: str | None
    incompatible_content_explanation: str | None
    category: str
    content_type: list[str]
    territorial_scope: list[str]
    application_date: datetime
    end_date: datetime | None
    source_type: str
    decision_facts: str
    automated_detection: bool
    automated_decision: bool


class OpenedDecision(msgspec.Struct, frozen=True):
    """A decision with its texts opened, and whose thing it is about."""

    listed: ListedDecision
    account_id: int | None
    decided_by: int
    reversed_by: int | None
    reversal: str
    statement: StatementOfReasons


def list_decisions(
    session: Session, *, role: str | None, in_force: bool = True, before: int | None = None
) -> list[ListedDecision]:
    """Return decisions, the newest first; one more than a page, where there is more.

    Raises:
        Forbidden: the role does not decide.
    """
    require(role, Power.DECIDE)
    query = select(Decision)
    if in_force:
        query = query.where(Decision.reversed_at.is_(None))
    if before is not None:
        query = query.where(Decision.id < before)
    rows = session.scalars(query.order_by(Decision.id.desc()).limit(PAGE + 1))
    return [_listed(row) for row in rows]


def open_decision(
    session: Session, parts: Parts, decision_id: int, *, reader: Reader
) -> OpenedDecision:
    """Return a decision with its facts, and log that it was read.

    Raises:
        Forbidden: the role does not decide.
        Missing: there is no such decision.
    """
    require(reader.role, Power.DECIDE)
    row = session.get(Decision, decision_id)
    if row is None:
        raise Missing("There is no such decision.")
    log_read(session, reader, "decision", decision_id)
    key = data_key(session, parts, row.id)
    return OpenedDecision(
        listed=_listed(row),
        account_id=row.account_id,
        decided_by=row.decided_by,
        reversed_by=row.reversed_by,
        reversal=key.open(Decision.reversal, row.reversal) if row.reversal else "",
        statement=_statement(session, row, key.open(Decision.facts, row.facts)),
    )


def my_decision(
    session: Session, parts: Parts, account_id: int, decision_id: int
) -> StatementOfReasons:
    """Return the statement of reasons of a decision about one's own things.

    Raises:
        Missing: there is no such decision about this account.
    """
    row = session.get(Decision, decision_id)
    if row is None or row.account_id != account_id:
        raise Missing("There is no such decision about your account.")
    facts = data_key(session, parts, row.id).open(Decision.facts, row.facts)
    return _statement(session, row, facts)


def _listed(row: Decision) -> ListedDecision:
    return ListedDecision(
        row.id,
        row.kind,
        row.target_id,
        row.ground,
        row.basis,
        row.category,
        row.countries,
        row.source_type,
        row.grievance_id,
        row.decided_at,
        row.reversed_at,
    )


def _statement(session: Session, row: Decision, facts: str) -> StatementOfReasons:
    is_illegal = row.ground == "illegal"
    return StatementOfReasons(
        puid=str(row.id),
        target=target_of(session, row.kind, row.target_id),
        decision_visibility=_VISIBILITY.get(row.kind, []),
        decision_account="suspended" if row.kind == "suspend_account" else None,
        decision_ground="illegal_content" if is_illegal else "incompatible_content",
        illegal_content_legal_ground=row.basis if is_illegal else None,
        illegal_content_explanation=facts if is_illegal else None,
        incompatible_content_ground=None if is_illegal else row.basis,
        incompatible_content_explanation=None if is_illegal else facts,
        category=row.category,
        content_type=_CONTENT[row.kind],
        territorial_scope=row.countries or [],
        application_date=row.decided_at,
        end_date=row.reversed_at,
        source_type=row.source_type,
        decision_facts=facts,
        automated_detection=row.automated_detection,
        automated_decision=False,
    )
