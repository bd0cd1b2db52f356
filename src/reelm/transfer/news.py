"""What everybody who comes here is told of a sale: that it is announced, or that it was made.

It follows from the announcement and from the tenures at each look, so that no row is written for
each of the accounts.
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import cast, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from reelm.foundation.database import fence
from reelm.regions import time_bounds
from reelm.regions.models import Tenure
from reelm.transfer.announce import ANNOUNCED, read_announcement
from reelm.transfer.models import RegionTransfer, TransferStep

# For so long after a sale each page says who holds people's data now.
TOLD_FOR = timedelta(days=90)
# What was signed stands in JSON of some 100 KB, of which three words are wanted at each look.
_SCOPE = cast(RegionTransfer.scope, JSONB)
_SELLER = _SCOPE[("seller", "operator")].astext
_BUYER = _SCOPE[("buyer", "operator")].astext
_BUYER_KEY = _SCOPE[("buyer", "public_key")].astext
_COUNTRY = _SCOPE[("buyer", "country")].astext


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What is told.

    Args:
        what: announced: nothing is frozen before `at`; cutover: the buyer runs it since `at`.
        number: of the notice, as ids are; another announcement has another.
        transfer_id: the sale, to which people may object.
        seller: who runs it, or ran it before.
        buyer: who will run it, or does.
        country: where the buyer keeps the data.
        at: see `what`.
        told_at: since when it is told.
        is_frozen: the region is being handed over just now, and takes no changes.
    """

    what: Literal["announced", "cutover"]
    number: int
    transfer_id: int
    seller: str
    buyer: str
    country: str
    at: datetime
    told_at: datetime
    is_frozen: bool = False


def news(session: Session) -> News | None:
    """Return what everybody is told now; None where there is nothing to tell."""
    return _announced(session) or _handed_over(session)


def words(told: News) -> str:
    """Return the notice in words, in paragraphs."""
    if told.what == "announced":
        return (
            f"This service is being sold: {told.buyer} is to run it in place of {told.seller},"
            f" and will keep its data in {told.country}. Before {_day(told.at)} nothing changes."
            "\n\nFrom then on it may be closed to changes for a while and handed over: your"
            " account, your videos, what you wrote, whom you follow and your settings go to the"
            " new operator as they are. Your password goes on to work; you sign in again once."
            "\n\nUntil then you can take your data along, erase your account, which then does not"
            " go along, or object to the sale."
        )
    return (
        f"Since {_day(told.at)} {told.buyer} runs this service in place of {told.seller}, and"
        f" holds your data, which lies in {told.country}: your account, your videos, what you"
        " wrote, whom you follow and your settings, as they were."
        "\n\nYou can take your data along, erase your account, or object to it here, at any time."
    )


def _announced(session: Session) -> News | None:
    row = session.execute(
        select(
            TransferStep,
            RegionTransfer.id,
            _SELLER,
            _BUYER,
            _COUNTRY,
        )
        .join(RegionTransfer, RegionTransfer.id == TransferStep.transfer_id)
        .where(RegionTransfer.ended_at.is_(None), TransferStep.kind == ANNOUNCED)
        .order_by(TransferStep.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    step, transfer_id, seller, buyer, country = row
    return News(
        what="announced",
        number=step.id,
        transfer_id=transfer_id,
        seller=seller,
        buyer=buyer,
        country=country,
        at=read_announcement(step).freeze_from,
        told_at=step.made_at,
        is_frozen=fence.is_closed(session),
    )


def _handed_over(session: Session) -> News | None:
    now = select(Tenure).where(Tenure.epoch > 1, Tenure.ended_at.is_(None))
    tenure = session.scalar(now.order_by(Tenure.epoch.desc()).limit(1))
    if tenure is None or time_bounds(session).earliest >= tenure.began_at + TOLD_FOR:
        return None
    row = session.execute(
        select(RegionTransfer.id, _SELLER, _COUNTRY)
        .where(tenure.public_key == _BUYER_KEY)
        .order_by(RegionTransfer.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None  # without the sale that it followed from nobody can say what it was
    transfer_id, seller, country = row
    return News(
        what="cutover",
        number=transfer_id,
        transfer_id=transfer_id,
        seller=seller,
        buyer=tenure.operator,
        country=country,
        at=tenure.began_at,
        told_at=tenure.began_at,
    )


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
