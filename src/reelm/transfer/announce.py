"""Tell everybody that the region goes to another operator, and from when it may be frozen.

The notice that people have runs from the first announcement of a sale: a later freeze only gives
them more of it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from sqlalchemy.orm import Session

from reelm import audit, regions
from reelm.foundation.clock import utc_text
from reelm.foundation.database import fence
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.parts import Parts
from reelm.foundation.strict_json import canonical, decoded
from reelm.proofs.sale import Time
from reelm.regions import time_bounds
from reelm.transfer.approve import SIDES, signed_sides
from reelm.transfer.current import KnownTransfer, open_transfer, statements
from reelm.transfer.models import TransferStep
from reelm.transfer.stay import refuse_if_stayed
from reelm.transfer.steps import add_step, last_step, steps

FORM: Literal["reelm-announcement/1"] = "reelm-announcement/1"
ANNOUNCED = "announced"
MOST_DAYS = 36_500
Source = Literal["policy_pack", "setting", "command"]


class Announcement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What everybody is told: before `freeze_from` nothing is frozen.

    Args:
        notice_days: how many days of notice people have at least.
        notice_source: who asks for them: the policy pack, the setting, or the command itself.
    """

    form: Literal["reelm-announcement/1"]
    scope_digest: str
    freeze_from: Time
    notice_days: Annotated[int, Meta(ge=0, le=MOST_DAYS)]
    notice_source: Source


class Announced(msgspec.Struct, frozen=True):
    """An announcement that stands, and whether it was made now."""

    announcement: Announcement
    is_new: bool


def announce(
    session: Session,
    parts: Parts,
    *,
    freeze_from: datetime | None = None,
    notice_days: int | None = None,
) -> Announced:
    """Announce the open sale, which both sides have signed, and log it.

    Args:
        session: the transaction.
        parts: the open region.
        freeze_from: from when the region may be frozen; None: as soon as the notice has run, or
            as it was announced before.
        notice_days: more days than policy pack and setting ask for, or as many.

    Raises:
        Invalid: fewer days than pack or setting ask for, or a time before they have run.
        Missing: no sale is open.
        Conflict: it is stayed, not signed, frozen already, or was announced for a later time.
    """
    transfer = open_transfer(session, lock=True)
    refuse_if_stayed(session)
    _refuse_unsigned(session, transfer)
    days, source = _notice(parts, notice_days)
    taken = [one for one in steps(session, transfer.id) if one.kind == ANNOUNCED]
    before = announced(taken)
    if before is not None and freeze_from is None and before.notice_days >= days:
        return Announced(before, is_new=False)
    told_at = taken[0].made_at if taken else time_bounds(session).latest
    earliest = (told_at + timedelta(days=days)).replace(microsecond=0)
    if before is not None:
        earliest = max(earliest, before.freeze_from)
    at = freeze_from or earliest
    if before is not None and at == before.freeze_from and before.notice_days >= days:
        return Announced(before, is_new=False)
    if fence.is_closed(session):
        raise Conflict("The region is frozen: what people were told before is what holds.")
    _check_time(at, earliest, before, days, source)
    announcement = Announcement(
        form=FORM,
        scope_digest=transfer.scope_digest,
        freeze_from=at,
        notice_days=days,
        notice_source=source,
    )
    _keep(session, transfer, announcement)
    return Announced(announcement, is_new=True)


def announced(taken: Sequence[TransferStep]) -> Announcement | None:
    """Return the announcement that stands, of the steps of a sale; None where there is none."""
    step = last_step(taken, ANNOUNCED)
    return None if step is None else read_announcement(step)


def announced_of(session: Session, transfer_id: int) -> tuple[Announcement, datetime] | None:
    """Return the announcement of a sale that stands, and when it was made."""
    step = last_step(steps(session, transfer_id), ANNOUNCED)
    return None if step is None else (read_announcement(step), step.made_at)


def read_announcement(step: TransferStep) -> Announcement:
    """Return the announcement that a step holds."""
    return decoded(step.document.encode(), Announcement, "The announcement")


def refuse_before_notice_ends(session: Session, transfer: KnownTransfer) -> None:
    """Refuse a freeze until the announced time has come, by the earlier reading of the clocks.

    Raises:
        Conflict: it has not come, or nobody was told.
    """
    found = announced(steps(session, transfer.id))
    if found is None or found.scope_digest != transfer.scope_digest:
        raise Conflict("People have not been told of the sale; `reelm transfer announce` does it.")
    if time_bounds(session).earliest < found.freeze_from:
        raise Conflict(
            "People were told that nothing is frozen before"
            f" {utc_text(found.freeze_from)}: wait until then."
        )


def _refuse_unsigned(session: Session, transfer: KnownTransfer) -> None:
    signed = signed_sides(transfer, statements(session, transfer.id))
    lacking = [side for side in SIDES if side not in signed]
    if lacking:
        raise Conflict(
            f"People are told once seller and buyer have signed: the {' and the '.join(lacking)}"
            f" {'has' if len(lacking) == 1 else 'have'} not."
        )


def _notice(parts: Parts, wanted: int | None) -> tuple[int, Source]:
    """Return how many days of notice people have, and who asks for them."""
    pack = regions.load_pack(parts.settings.region.jurisdiction)
    by_law, own = pack.transfer_notice_days.value or 0, parts.settings.transfer.notice_days
    is_law = by_law > 0 and by_law >= own
    least = by_law if is_law else own
    if wanted is None or wanted == least:
        return least, "policy_pack" if is_law else "setting"
    if not 0 <= wanted <= MOST_DAYS:
        raise Invalid(f"The notice is 0 to {MOST_DAYS} days.")
    if wanted < least:
        who = f"policy pack {pack.jurisdiction}" if is_law else "setting transfer.notice_days"
        raise Invalid(f"The {who} asks for {least} days of notice, and not for {wanted}.")
    return wanted, "command"


def _check_time(
    at: datetime, earliest: datetime, before: Announcement | None, days: int, source: Source
) -> None:
    if at >= earliest:
        return
    if before is not None and at < before.freeze_from:
        raise Conflict(
            f"People were told that nothing is frozen before {utc_text(before.freeze_from)};"
            " it can be put off, and not brought forward."
        )
    whose = {"policy_pack": "the policy pack", "setting": "transfer.notice_days"}.get(source)
    by = f", as {whose} asks" if whose else ""
    raise Invalid(
        f"People have {days} days of notice{by}: nothing is frozen before {utc_text(earliest)}."
    )


def _keep(session: Session, transfer: KnownTransfer, announcement: Announcement) -> None:
    add_step(session, transfer.id, ANNOUNCED, canonical(announcement))
    audit.record(
        session,
        "transfer.announced",
        transfer_id=str(transfer.id),
        scope_digest=transfer.scope_digest,
        freeze_from=utc_text(announcement.freeze_from),
    )
