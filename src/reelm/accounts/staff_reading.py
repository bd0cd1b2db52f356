"""Reading of people's data by staff: for a purpose that is said first, and logged each time.

A purpose is said for one session and holds for an hour. It is one of a short list, which goes to
the audit log; words in addition are kept apart, sealed by the staff member's own key, because the
log holds no personal data and cannot be erased.
"""

from datetime import datetime, timedelta
from typing import get_args

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.keys import data_key
from reelm.accounts.models import StaffPurpose
from reelm.accounts.wording import paragraphs
from reelm.audit import Purpose, record, record_confidential
from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
HOLDS = timedelta(hours=1)
MOST_NOTE = 500


class Reader(msgspec.Struct, frozen=True):
    """A staff member who reads people's data: who, for what, and from which country."""

    account_id: int
    role: str
    purpose: str
    purpose_id: int
    country: str | None


class StandingPurpose(msgspec.Struct, frozen=True):
    """A purpose that was said and holds until a time."""

    purpose_id: int
    purpose: str
    ends_at: datetime


def say_purpose(
    session: Session,
    parts: Parts,
    account_id: int,
    *,
    session_id: int,
    purpose: str,
    note: str = "",
) -> StandingPurpose:
    """Say for what one reads people's data in this session, for an hour.

    Raises:
        Invalid: there is no such purpose, or the note is too long or cannot be shown.
    """
    if purpose not in PURPOSES:
        raise Invalid(f"Choose a purpose: {', '.join(PURPOSES)}.")
    words = paragraphs(note, what="note", most=MOST_NOTE)
    said = StaffPurpose(
        account_id=account_id,
        id=new_id(),
        session_id=session_id,
        purpose=purpose,
        note=data_key(session, parts, account_id).seal(StaffPurpose.note, words),
        said_at=now(),
        ends_at=now() + HOLDS,
    )
    session.add(said)
    session.flush()
    return StandingPurpose(said.id, said.purpose, said.ends_at)


def standing_purpose(session: Session, account_id: int, session_id: int) -> StandingPurpose | None:
    """Return the purpose that was said last in this session, while it holds."""
    row = session.execute(
        select(StaffPurpose.id, StaffPurpose.purpose, StaffPurpose.ends_at)
        .where(
            StaffPurpose.account_id == account_id,
            StaffPurpose.session_id == session_id,
            StaffPurpose.ends_at > now(),
        )
        .order_by(StaffPurpose.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else StandingPurpose(*row)


def log_read(
    session: Session,
    reader: Reader,
    what: str,
    *subject_ids: int,
    is_confidential: bool = False,
) -> None:
    """Log that a staff member reads personal data.

    Args:
        session: the transaction that reads.
        reader: who reads, for what.
        what: the kind of thing, such as `grievance`.
        subject_ids: ids of the things that are read.
        is_confidential: whether the log may hold no more than a commitment to it for now.
    """
    place = {} if reader.country is None else {"country": reader.country}
    write = record_confidential if is_confidential else record
    write(
        session,
        "staff.read",
        reader_id=str(reader.account_id),
        role=reader.role,
        purpose=reader.purpose,
        purpose_id=str(reader.purpose_id),
        what=what,
        subject_ids=[str(subject_id) for subject_id in subject_ids],
        **place,
    )


def purpose_note(session: Session, parts: Parts, account_id: int, purpose_id: int) -> str:
    """Return the words that were said with a purpose; empty where there are none any more."""
    sealed = session.scalar(
        select(StaffPurpose.note).where(
            StaffPurpose.account_id == account_id, StaffPurpose.id == purpose_id
        )
    )
    if sealed is None:
        return ""
    return data_key(session, parts, account_id).open(StaffPurpose.note, sealed)
