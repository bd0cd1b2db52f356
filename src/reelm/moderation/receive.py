"""Take a grievance in: anyone may send one, with an account or without.

A grievance about a thing that is not there, or that its sender may not see, is taken like any
other: an answer that depended on it would tell what exists. Staff see which is which.
"""

import base64
import hashlib
import secrets
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy.orm import Session

from reelm import audit, regions
from reelm.accounts import (
    REPORT_ACCOUNT,
    REPORT_ADDRESS,
    address_group,
    count_try,
    make_key,
    paragraphs,
)
from reelm.foundation.clock import utc_text
from reelm.foundation.database import fence
from reelm.foundation.database.fence import FROZEN
from reelm.foundation.errors import Frozen, Invalid
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.moderation.deadlines import Deadlines, deadlines
from reelm.moderation.models import Grievance

Kind = Literal["report", "objection"]
TargetKind = Literal["video", "comment", "account", "order", "decision", "transfer"]
Reason = Literal[
    "spam", "nudity", "violence", "hate", "minor_safety", "illegal", "other", "objection"
]
# What an objection is about, and nothing else is.
OBJECTED_TO = frozenset({"order", "decision", "transfer"})
MOST_DETAIL, MOST_CONTACT = 4000, 200
NO_OBJECTION = (
    "The service is being handed over just now, and cannot take an objection to it. Object"
    " {named}or here once the new operator has it: an objection may come after the sale, too."
)
_CODE_BYTES = 10  # 80 random bits: a fast hash of them cannot be reversed


class NewGrievance(msgspec.Struct, frozen=True, kw_only=True):
    """What a person complains of; `contact` is how to answer a person without an account."""

    target_kind: TargetKind
    target_id: int
    reason: Reason
    detail: str = ""
    contact: str = ""

    @property
    def kind(self) -> Kind:
        """Whether it is a report, or an objection to an order, a decision or a sale."""
        return "objection" if self.target_kind in OBJECTED_TO else "report"


class Receipt(msgspec.Struct, frozen=True):
    """What the complainant keeps: number and code open the page that tells how far it is."""

    number: int
    code: str
    received_at: datetime
    acknowledge_due_at: datetime | None
    resolve_due_at: datetime | None


def receive_grievance(
    session: Session, parts: Parts, new: NewGrievance, *, reporter_id: int | None, address: str
) -> Receipt:
    """Keep a grievance for staff, with its due times, and return its receipt.

    Args:
        session: the transaction.
        parts: the open region.
        new: what is complained of.
        reporter_id: the account that complains, or None.
        address: where it came from; it is counted, not kept.

    Raises:
        Invalid: a text is too long or cannot be shown, or an objection says nothing.
        RateLimited: too many grievances from the account or address.
        Frozen: the region is being handed over; says where to object meanwhile.
    """
    if reporter_id is None:
        count_try(parts, REPORT_ADDRESS, address_group(address))
    else:
        count_try(parts, REPORT_ACCOUNT, reporter_id)
    detail = paragraphs(new.detail, what="detail", most=MOST_DETAIL)
    contact = paragraphs(new.contact, what="contact", most=MOST_CONTACT)
    if (new.reason == "objection") != (new.kind == "objection"):
        raise Invalid("The reason of an objection to an order, a decision or a sale is objection.")
    if new.kind == "objection" and not detail:
        raise Invalid("Say why you object.")
    _refuse_in_a_freeze(session, new)
    number, code = new_id(), _new_code()
    key = make_key(session, parts, number)
    received_at = regions.time_bounds(session).latest
    pack = regions.load_pack(parts.settings.region.jurisdiction)
    due = deadlines(pack, reason=new.reason, received_at=received_at)
    session.add(
        Grievance(
            id=number,
            kind=new.kind,
            reporter_id=reporter_id,
            target_kind=new.target_kind,
            target_id=new.target_id,
            reason=new.reason,
            detail=key.seal(Grievance.detail, detail),
            contact=key.seal(Grievance.contact, contact),
            answer=b"",
            code_hash=code_hash(number, code),
            state="open",
            created_at=received_at,
            acknowledge_due_at=due.acknowledge_due_at,
            resolve_due_at=due.resolve_due_at,
        )
    )
    session.flush()
    _log(session, new, number, received_at, due)
    return Receipt(number, code, received_at, due.acknowledge_due_at, due.resolve_due_at)


def _refuse_in_a_freeze(session: Session, new: NewGrievance) -> None:
    """Refuse what the buyer would not get: it has to be sealed again, as often as anybody likes."""
    if not fence.is_closed(session):
        return
    if new.target_kind != "transfer":
        raise Frozen(FROZEN)
    bodies = [
        one
        for one in regions.orders.authorities(session)
        if "approve_transfer" in one.powers and one.ended_at is None
    ]
    named = " or ".join(f"{one.name} ({one.objections})" for one in bodies)
    raise Frozen(NO_OBJECTION.format(named=f"to {named}, " if named else ""))


def _log(
    session: Session, new: NewGrievance, number: int, received_at: datetime, due: Deadlines
) -> None:
    times = {"acknowledge_due_at": due.acknowledge_due_at, "resolve_due_at": due.resolve_due_at}
    audit.record(
        session,
        "moderation.grievance_received",
        grievance_id=str(number),
        grievance_kind=new.kind,
        reason=new.reason,
        target_kind=new.target_kind,
        received_at=utc_text(received_at),
        **{name: utc_text(time) for name, time in times.items() if time is not None},
    )


def code_hash(number: int, code: str) -> bytes:
    """Return what is kept of a code; it may be typed from paper, in any case, without dashes."""
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    plain = plain.replace("0", "o").replace("1", "l")
    return hashlib.sha256(f"{number}:{plain}".encode("utf-8", "surrogatepass")).digest()


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))
