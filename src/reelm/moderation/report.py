"""Reports: anyone may say that a video, comment or account breaks a rule or the law.

A report about a thing that is not there, or that the reporter may not see, is taken like any
other: an answer that depended on it would tell what exists. Staff see which is which.
"""

from typing import Literal

import msgspec
from sqlalchemy.orm import Session

from reelm.accounts import (
    REPORT_ACCOUNT,
    REPORT_ADDRESS,
    address_group,
    count_try,
    make_key,
    paragraphs,
)
from reelm.foundation.clock import now
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.moderation.models import Report

TargetKind = Literal["video", "comment", "account"]
Reason = Literal["spam", "nudity", "violence", "hate", "minor_safety", "illegal", "other"]
MOST_DETAIL, MOST_CONTACT = 4000, 200


class NewReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a person reports; `contact` is how to answer a person without an account."""

    target_kind: TargetKind
    target_id: int
    reason: Reason
    detail: str = ""
    contact: str = ""


def report(
    session: Session, parts: Parts, new: NewReport, *, reporter_id: int | None, address: str
) -> int:
    """Keep a report for staff and return its id.

    Args:
        session: the transaction.
        parts: the open region.
        new: what is reported.
        reporter_id: the account that reports, or None.
        address: where the report came from; it is counted, not kept.

    Raises:
        Invalid: a text is too long or cannot be shown.
        RateLimited: too many reports from the account or address.
    """
    if reporter_id is None:
        count_try(parts, REPORT_ADDRESS, address_group(address))
    else:
        count_try(parts, REPORT_ACCOUNT, reporter_id)
    detail = paragraphs(new.detail, what="detail", most=MOST_DETAIL)
    contact = paragraphs(new.contact, what="contact", most=MOST_CONTACT)
    report_id = new_id()
    key = make_key(session, parts, report_id)
    session.add(
        Report(
            id=report_id,
            reporter_id=reporter_id,
            target_kind=new.target_kind,
            target_id=new.target_id,
            reason=new.reason,
            detail=key.seal(Report.detail, detail),
            contact=key.seal(Report.contact, contact),
            state="open",
            created_at=now(),
        )
    )
    session.flush()
    return report_id
