"""Decisions of the staff on a video, comment or account: made for a reason, and reversible.

A decision deletes nothing: it writes a restriction, which every exit of the service asks for, and
reversing the decision takes that restriction away and no other.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm import audit, regions
from reelm.accounts import Power, data_key, make_key, one_line, paragraphs, require
from reelm.accounts.models import Account
from reelm.foundation.countries import require_countries
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.moderation.models import Decision, Grievance
from reelm.moderation.notices import tell
from reelm.moderation.receive import Reason
from reelm.moderation.targets import Target, target_of
from reelm.social.models import Comment
from reelm.videos.models import Video

DecisionKind = Literal["withhold_video", "remove_comment", "suspend_account"]
Ground = Literal["illegal", "terms"]
MOST_BASIS, MOST_FACTS = 200, 4000
# kind -> the column of its targets, and the column of whose they are
_TARGETS: dict[str, tuple[Any, Any]] = {
    "withhold_video": (Video.id, Video.account_id),
    "remove_comment": (Comment.id, Comment.account_id),
    "suspend_account": (Account.id, Account.id),
}
_TOLD = {
    "withhold_video": "Your video {} is withheld",
    "remove_comment": "Your comment {} is removed",
    "suspend_account": "Your account is suspended: nobody sees it or what it posted",
}
_GROUNDS = {"illegal": "we hold it to be against the law", "terms": "it breaks our terms"}
REDRESS = "You can object to it, free of charge; somebody looks at it again."


class NewDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and its reasons.

    Args:
        kind: what is done.
        target_id: the video, comment or account.
        ground: the law or the terms.
        basis: which law, or which part of the terms.
        category: what is wrong with it.
        facts: the facts that the decision rests on, told to the person it is about.
        countries: where it holds (ISO 3166-1 alpha-2); None for everywhere.
        grievance_id: the grievance that led to it, or None where staff found it themselves.
        automated_detection: whether a program found it; no program decides.
    """

    kind: DecisionKind
    target_id: int
    ground: Ground
    basis: str
    category: Reason
    facts: str
    countries: Sequence[str] | None = None
    grievance_id: int | None = None
    automated_detection: bool = False


def decide(
    session: Session, parts: Parts, new: NewDecision, *, officer_id: int, role: str | None
) -> int:
    """Decide, withhold from the commit on, tell the person, and return the decision's id.

    Raises:
        Forbidden: the role does not decide.
        Invalid: a text is empty, too long or cannot be shown, or a country is none.
        Missing: there is no such target or grievance.
        Conflict: a decision of this kind on this target is in force, or the account is staff.
    """
    require(role, Power.DECIDE)
    basis = one_line(new.basis, what="basis", most=MOST_BASIS)
    facts = paragraphs(new.facts, what="facts", most=MOST_FACTS)
    if not facts:
        raise Invalid("Say which facts the decision rests on: the person is told.")
    if new.countries is not None and not new.countries:
        raise Invalid("Name the countries, or leave them out for everywhere.")
    require_countries(new.countries or ())
    whose = _whose(session, new)
    decision_id = new_id()
    key = make_key(session, parts, decision_id)
    at = regions.time_bounds(session).latest
    session.add(
        Decision(
            id=decision_id,
            account_id=whose,
            kind=new.kind,
            target_id=new.target_id,
            ground=new.ground,
            basis=basis,
            category=new.category,
            countries=None if new.countries is None else sorted(set(new.countries)),
            source_type="own_initiative" if new.grievance_id is None else "grievance",
            grievance_id=new.grievance_id,
            automated_detection=new.automated_detection,
            facts=key.seal(Decision.facts, facts),
            reversal=b"",
            decided_by=officer_id,
            decided_at=at,
        )
    )
    session.flush()
    regions.restrict(
        session,
        source="decision",
        source_id=decision_id,
        subject_id=new.target_id,
        countries=new.countries,
    )
    _log(session, new, decision_id, officer_id)
    words = _words(new, target_of(session, new.kind, new.target_id), basis, facts)
    tell(session, parts, whose, about="decision", about_id=decision_id, what="made", words=words)
    return decision_id


def reverse(
    session: Session,
    parts: Parts,
    decision_id: int,
    *,
    officer_id: int,
    role: str | None,
    reason: str,
) -> None:
    """Reverse a decision: what it alone withheld is there again from the commit on.

    Raises:
        Forbidden: the role does not decide.
        Missing: there is no such decision.
        Conflict: it was reversed before.
        Invalid: the reason is empty, too long or cannot be shown.
    """
    require(role, Power.DECIDE)
    words = paragraphs(reason, what="reason", most=MOST_FACTS)
    if not words:
        raise Invalid("Say why the decision is reversed: the person is told.")
    row = session.get(Decision, decision_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise Missing("There is no such decision.")
    if row.reversed_at is not None:
        raise Conflict("This decision was reversed before.")
    row.reversed_at, row.reversed_by = regions.time_bounds(session).latest, officer_id
    row.reversal = data_key(session, parts, row.id).seal(Decision.reversal, words)
    session.flush()
    regions.unrestrict(session, row.id)
    audit.record(
        session,
        "moderation.decision_reversed",
        decision_id=str(row.id),
        officer_id=str(officer_id),
    )
    if row.account_id is not None:
        target = target_of(session, row.kind, row.target_id)
        told = (
            f"A decision about your {target.kind} {target.words} was reversed, and what it withheld"
            f" is there again.\n\n{words}"
        )
        tell(
            session,
            parts,
            row.account_id,
            about="decision",
            about_id=row.id,
            what="reversed",
            words=told,
        )


def _whose(session: Session, new: NewDecision) -> int:
    column, owner = _TARGETS[new.kind]
    # Locked, so that of two who decide at once the second sees the first.
    table = column.class_
    session.execute(select(table.id).where(column == new.target_id).with_for_update())
    whose: int | None = session.scalar(select(owner).where(column == new.target_id))
    if whose is None:
        raise Missing("There is no such target.")
    if new.kind == "suspend_account" and session.get_one(Account, whose).role is not None:
        raise Conflict("This account is staff: an owner takes its role away first.")
    if new.grievance_id is not None and session.get(Grievance, new.grievance_id) is None:
        raise Missing("There is no such grievance.")
    same = select(Decision.id).where(
        Decision.target_id == new.target_id,
        Decision.kind == new.kind,
        Decision.reversed_at.is_(None),
    )
    if session.scalar(same) is not None:
        raise Conflict("A decision of this kind on this target is in force already.")
    return whose


def _words(new: NewDecision, target: Target, basis: str, facts: str) -> str:
    where = "" if new.countries is None else f" in {', '.join(sorted(new.countries))}"
    told = _TOLD[new.kind].format(target.words)
    return (
        f"{told}{where}, because {_GROUNDS[new.ground]} ({basis}).\n\n{facts}\n\n"
        f"A person decided this, not a program. {REDRESS}"
    )


def _log(session: Session, new: NewDecision, decision_id: int, officer_id: int) -> None:
    audit.record(
        session,
        "moderation.decided",
        decision_id=str(decision_id),
        decision_kind=new.kind,
        target_id=str(new.target_id),
        ground=new.ground,
        category=new.category,
        source_type="own_initiative" if new.grievance_id is None else "grievance",
        countries=sorted(new.countries or []),
        officer_id=str(officer_id),
    )
