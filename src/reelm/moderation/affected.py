"""Tell the people whom a legal order affects: who ordered what, of what, how to object.

Of a confidential order nobody is told anything.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.foundation.jobs import defer
from reelm.foundation.parts import Parts
from reelm.moderation.decide import REDRESS
from reelm.moderation.models import Notice
from reelm.moderation.notices import tell
from reelm.moderation.targets import MOST_NAMED, Target, own_videos
from reelm.moderation.tasks import TELL_AFFECTED, TELL_ENDED
from reelm.regions import orders
from reelm.videos.models import Video

# What became of the person's things; a service block is told by every page instead. Of an order
# that names videos of theirs, they are told which.
_WITHHELD = " withheld by a legal order"
_BEGUN = {
    "remove": f"What you posted is{_WITHHELD}",
    "geo_restrict": f"All that you posted is{_WITHHELD}",
    "suspend_account": "Your account is suspended by a legal order",
    "preserve": "A legal order has your data kept, even where you erase it",
    "disclose": "A legal order has data of yours disclosed to an authority",
}
_ENDED = {
    "lifted": "A legal order about you was lifted, and what it alone withheld is there again.",
    "lapsed": "A legal order about you lapsed because nobody confirmed it; what it alone withheld"
    " is there again.",
}
_DATA_ENDED = "A legal order about data of yours ended; the copies kept here for it are destroyed."


def tell_affected(session: Session, parts: Parts, order_id: int) -> int:
    """Tell those whom an order that has begun to hold affects; return how many were told."""
    order = orders.order(session, order_id)
    opening = _BEGUN.get(order.kind)
    if order.is_confidential or opening is None:
        return 0
    where = "" if order.countries is None else f" in {', '.join(order.countries)}"
    source = f"{order.authority} ordered it on {order.issued_at:%Y-%m-%d}"
    reasons = [
        f"{source} (reference {order.reference}), on the basis of {order.basis}.",
        order.reasons,
        f"The authority takes objections here: {order_objections(session, order)}.",
        REDRESS,
    ]
    return _tell(
        session,
        parts,
        order,
        "in_force",
        lambda videos: _paragraphs(_which(videos, opening, where), *reasons),
    )


def tell_ended(session: Session, parts: Parts, order_id: int) -> int:
    """Tell those whom an order affected that it holds no more; return how many were told."""
    order = orders.order(session, order_id)
    if order.is_confidential or order.kind not in _BEGUN or order.ending not in _ENDED:
        return 0
    ended = _DATA_ENDED if order.kind in orders.DATA_KINDS else _ENDED[order.ending]
    sentences = f"{ended} It was {order.reference} of {order.authority}."
    return _tell(
        session, parts, order, "ended", lambda videos: _paragraphs(sentences, _names(videos))
    )


def resume_telling(session: Session) -> int:
    """Have people told of each order of which nobody was told yet that it began, or that it ended.

    It is for a queue of jobs that has gone, as after a sale of the region; nobody is told twice.
    """
    rows = select(Notice.about_id, Notice.what).where(Notice.about == "order").distinct()
    told = {(row.about_id, row.what) for row in session.execute(rows)}
    begun = [
        order.id
        for order in orders.orders_in_force(session)
        if order.kind in _BEGUN and (order.id, "in_force") not in told
    ]
    ended = [
        order_id
        for order_id, what in told
        if what == "in_force" and (order_id, "ended") not in told
        and orders.order(session, order_id).ending in _ENDED
    ]  # fmt: skip
    for task, order_ids in ((TELL_AFFECTED, begun), (TELL_ENDED, ended)):
        for order_id in order_ids:
            defer(session, task, order_id=order_id)
    return len(begun) + len(ended)


def order_objections(session: Session, order: orders.ListedOrder) -> str:
    """Return where the authority of an order takes objections."""
    return orders.authority(session, order.authority_id).objections


def affected(session: Session, order: orders.ListedOrder) -> list[int]:
    """Return the accounts that an order names, and those whose videos it names."""
    accounts = {int(number) for number in order.targets.get("accounts", [])}
    videos = [int(number) for number in order.targets.get("videos", [])]
    if videos:
        accounts |= set(session.scalars(select(Video.account_id).where(Video.id.in_(videos))))
    return sorted(accounts)


def _which(videos: Sequence[Target], opening: str, where: str) -> str:
    if not videos:
        return f"{opening}{where}."
    many = "A video of yours is" if len(videos) == 1 else f"{len(videos)} videos of yours are"
    return f"{many}{_WITHHELD}{where}:\n{_names(videos)}"


def _names(videos: Sequence[Target]) -> str:
    names = [one.words for one in videos[:MOST_NAMED]]
    if len(videos) > MOST_NAMED:
        names.append(f"and {len(videos) - MOST_NAMED} more")
    return "\n".join(names)


def _paragraphs(*lines: str) -> str:
    return "\n\n".join(line for line in lines if line)


def _tell(
    session: Session,
    parts: Parts,
    order: orders.ListedOrder,
    what: str,
    words: Callable[[Sequence[Target]], str],
) -> int:
    """Tell each account by `words` of its videos, which are none where all it posted is meant."""
    video_ids = [int(number) for number in order.targets.get("videos", [])]
    told = 0
    for account_id in affected(session, order):
        is_named = str(account_id) in order.targets.get("accounts", [])
        videos = [] if is_named else own_videos(session, account_id, video_ids)
        told += tell(
            session,
            parts,
            account_id,
            about="order",
            about_id=order.id,
            what=what,
            words=words(videos),
        )
    return told
