"""Staff acknowledge grievances and resolve them, with an answer to who sent them."""

from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from reelm import audit, regions
from reelm.accounts import Power, data_key, paragraphs, require
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.parts import Parts
from reelm.moderation.models import Grievance
from reelm.moderation.notices import tell
from reelm.moderation.reading import NO_GRIEVANCE

Outcome = Literal["acted", "dismissed"]
MOST_ANSWER = 4000
ACKNOWLEDGED = "We have your grievance and are looking into it."


def acknowledge(
    session: Session, parts: Parts, grievance_id: int, *, officer_id: int, role: str | None
) -> datetime:
    """Confirm to the complainant that somebody looks into it, and return when.

    Raises:
        Forbidden: the role does not handle grievances.
        Missing: there is no such grievance.
        Conflict: it was acknowledged before.
    """
    require(role, Power.HANDLE_GRIEVANCES)
    row = _locked(session, grievance_id)
    if row.state != "open":
        raise Conflict("This grievance was acknowledged before.")
    row.state, row.acknowledged_at = "acknowledged", regions.time_bounds(session).latest
    session.flush()
    audit.record(
        session,
        "moderation.grievance_acknowledged",
        grievance_id=str(row.id),
        officer_id=str(officer_id),
        in_time=_in_time(row.acknowledge_due_at, row.acknowledged_at),
    )
    _tell_complainant(session, parts, row, "acknowledged", ACKNOWLEDGED)
    return row.acknowledged_at


def resolve(
    session: Session,
    parts: Parts,
    grievance_id: int,
    *,
    officer_id: int,
    role: str | None,
    outcome: Outcome,
    answer: str,
) -> datetime:
    """Close a grievance with an answer, and return when; it counts as acknowledged by that.

    Raises:
        Forbidden: the role does not handle grievances.
        Missing: there is no such grievance.
        Conflict: it was resolved before.
        Invalid: the answer is empty, too long or cannot be shown.
    """
    require(role, Power.HANDLE_GRIEVANCES)
    words = paragraphs(answer, what="answer", most=MOST_ANSWER)
    if not words:
        raise Invalid("Write an answer: whoever sent the grievance is told what came of it.")
    row = _locked(session, grievance_id)
    if row.state == "resolved":
        raise Conflict("This grievance was resolved before.")
    at = regions.time_bounds(session).latest
    row.state, row.outcome, row.resolved_at = "resolved", outcome, at
    row.acknowledged_at = row.acknowledged_at or at
    row.answer = data_key(session, parts, row.id).seal(Grievance.answer, words)
    session.flush()
    audit.record(
        session,
        "moderation.grievance_resolved",
        grievance_id=str(row.id),
        officer_id=str(officer_id),
        outcome=outcome,
        in_time=_in_time(row.resolve_due_at, at),
    )
    _tell_complainant(session, parts, row, "resolved", words)
    return at


def _locked(session: Session, grievance_id: int) -> Grievance:
    row = session.get(Grievance, grievance_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise Missing(NO_GRIEVANCE)
    return row


def _in_time(due_at: datetime | None, done_at: datetime) -> str:
    if due_at is None:
        return "no_deadline"
    return "yes" if done_at <= due_at else "no"


def _tell_complainant(
    session: Session, parts: Parts, row: Grievance, what: str, words: str
) -> None:
    if row.reporter_id is not None:
        tell(
            session,
            parts,
            row.reporter_id,
            about="grievance",
            about_id=row.id,
            what=what,
            words=words,
        )
