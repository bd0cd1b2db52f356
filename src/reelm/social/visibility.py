"""The one rule that says who may see which video, as SQL and in memory.

Lists (feed, profiles) leave out what is unlisted; a direct address also opens that. The creator
sees each own video: in lists once it is ready, by its address from the first moment.

What a legal order or a decision withholds where the viewer is, neither shows to anybody. A country
that is not given counts as inside every territory, so that forgetting it never shows too much.
"""

from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import BindParameter, ColumnElement, Select, and_, case, exists, or_, select
from sqlalchemy.orm import Session, aliased

from reelm.accounts.models import Account
from reelm.foundation.errors import Missing
from reelm.regions import ANYWHERE, Country, refusal, withheld, withheld_by
from reelm.social.models import Block, Follow
from reelm.videos.models import Video

NO_VIDEO = "There is no such video, or it is not shown to you."

# What each way to a video opens to strangers, and to accepted followers.
_LISTED = (("public",), ("public", "followers"))
_ADDRESSED = (("public", "unlisted"), ("public", "followers", "unlisted"))


# An account's id, a parameter or column that stands for one in a statement made once, or nobody.
ViewerAccount = int | BindParameter[int] | ColumnElement[int] | None


def visible_to(
    viewer_account_id: ViewerAccount, *columns: Any, country: Country = None
) -> Select[Any]:
    """Select columns of the videos that lists may show to this viewer."""
    rule = _rule(viewer_account_id, _LISTED, own=Video.state == "ready")
    return _joined(*columns).where(rule, _is_free(country))


def watchable_by(
    viewer_account_id: ViewerAccount, *columns: Any, country: Country = None
) -> Select[Any]:
    """Select columns of the videos that this viewer may open by their address."""
    return _addressed(viewer_account_id, *columns).where(_is_free(country))


def own_of(account_id: ViewerAccount, *columns: Any) -> Select[Any]:
    """Select columns of an account's own videos, in any state and whatever withholds them."""
    return _joined(*columns).where(Account.state == "active", Video.account_id == account_id)


def with_audience(*columns: Any) -> Select[Any]:
    """Select to whom lists show each video, and columns of it; for what is kept in memory.

    It is "public" or "followers", or "" where lists show it to nobody but its creator. Whoever
    then shows one to a viewer asks `visible_to` again.
    """
    strangers, followers = _LISTED
    is_there = and_(Account.state == "active", Video.state == "ready", _is_free(ANYWHERE))
    is_open = and_(Video.audience.in_(strangers), Account.is_private.is_(False))
    shown_to = case(
        (and_(is_there, is_open), "public"),
        (and_(is_there, Video.audience.in_(followers)), "followers"),
        else_="",
    )
    return _joined(shown_to.label("shown_to"), *columns)


@dataclass(frozen=True)
class Access:
    """All that a video and its creator say about who may see it."""

    video_id: int
    account_id: int
    audience: str
    state: str
    account_private: bool
    account_active: bool


@dataclass(frozen=True)
class Relation:
    """How a viewer stands to a creator; a block counts from either side."""

    follows: bool
    blocked: bool


def allows(access: Access, viewer_account_id: int | None, *, follows: bool, blocked: bool) -> bool:
    """Return whether a viewer may open the video by its address; `watchable_by` in memory."""
    if access.account_id == viewer_account_id:
        return access.account_active
    return _shows(access, _ADDRESSED, follows=follows, blocked=blocked)


def lists(access: Access, viewer_account_id: int | None, *, follows: bool, blocked: bool) -> bool:
    """Return whether lists may show the video to a viewer; `visible_to` in memory."""
    if access.account_id == viewer_account_id:
        return access.account_active and access.state == "ready"
    return _shows(access, _LISTED, follows=follows, blocked=blocked)


def access_of(session: Session, video_id: int) -> Access | None:
    """Return what decides about a video, or None if there is no such video."""
    row = session.execute(
        _joined(
            Video.id,
            Video.account_id,
            Video.audience,
            Video.state,
            Account.is_private,
            Account.state == "active",
        ).where(Video.id == video_id)
    ).one_or_none()
    return None if row is None else Access(*row)


def relation_of(session: Session, viewer_account_id: int | None, creator_id: int) -> Relation:
    """Return how a viewer stands to a creator."""
    if viewer_account_id is None:
        return Relation(follows=False, blocked=False)
    row = session.execute(
        select(
            follows(viewer_account_id, creator_id), blocked_between(viewer_account_id, creator_id)
        )
    ).one()
    return Relation(*row)


def require_watchable(
    session: Session, viewer_account_id: int | None, video_id: int, country: str | None = None
) -> int:
    """Return the creator's id of a video that this viewer may open, and keep the video there.

    It is for those who write; `refuse_unwatchable` is for those who read.

    Raises:
        Missing: there is no such video for this viewer.
        LegallyWithheld: an order withholds it where the viewer is.
        Gone: a decision withholds it.
    """
    query = watchable_by(viewer_account_id, Video.account_id, country=country)
    query = query.where(Video.id == video_id)
    # Until the end of the transaction nobody deletes what is about to be liked or commented.
    creator_id = session.scalar(query.with_for_update(of=Video, read=True, key_share=True))
    if creator_id is None:
        refuse(session, viewer_account_id, video_id, country)
    return int(creator_id)


def refuse_unwatchable(
    session: Session, viewer_account_id: int | None, video_id: int, country: str | None = None
) -> None:
    """Refuse a video that this viewer may not open; it takes no lock, so also in a freeze.

    Raises:
        Missing: there is no such video for this viewer.
        LegallyWithheld: an order withholds it where the viewer is.
        Gone: a decision withholds it.
    """
    query = watchable_by(viewer_account_id, Video.account_id, country=country)
    if session.scalar(query.where(Video.id == video_id)) is None:
        refuse(session, viewer_account_id, video_id, country)


def refuse(
    session: Session, viewer_account_id: int | None, video_id: int, country: str | None = None
) -> NoReturn:
    """Say why this viewer may not open a video.

    Raises:
        Missing: there is none, or it is not open to the viewer whoever withholds it.
        LegallyWithheld: an order withholds it where the viewer is.
        Gone: a decision withholds it.
    """
    query = _addressed(viewer_account_id, Video.account_id).where(Video.id == video_id)
    creator_id = session.scalar(query)
    by = withheld_by(session, country, [video_id, creator_id]) if creator_id else []
    raise refusal("This video", by) if by else Missing(NO_VIDEO)


def follows(
    viewer_account_id: int | BindParameter[int] | ColumnElement[int], creator_id: Any
) -> ColumnElement[bool]:
    """Return the condition that the viewer's follow of a creator is accepted."""
    # An alias, so that in a query of follows this stays a question of its own.
    mine = aliased(Follow)
    return exists().where(
        mine.account_id == viewer_account_id,
        mine.creator_id == creator_id,
        mine.state == "accepted",
    )


def blocked_between(
    viewer_account_id: int | BindParameter[int] | ColumnElement[int], other_id: Any
) -> ColumnElement[bool]:
    """Return the condition that one of two accounts has blocked the other."""
    mine, theirs = aliased(Block), aliased(Block)
    return or_(
        exists().where(mine.account_id == viewer_account_id, mine.blocked_id == other_id),
        exists().where(theirs.account_id == other_id, theirs.blocked_id == viewer_account_id),
    )


def _addressed(viewer_account_id: ViewerAccount, *columns: Any) -> Select[Any]:
    own = Video.account_id == viewer_account_id
    return _joined(*columns).where(_rule(viewer_account_id, _ADDRESSED, own=own))


def _is_free(country: Country) -> ColumnElement[bool]:
    return ~withheld(country, Video.id, Video.account_id)


def _joined(*columns: Any) -> Select[Any]:
    return select(*columns).select_from(Video).join(Account, Account.id == Video.account_id)


def _rule(
    viewer_account_id: ViewerAccount,
    audiences: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    own: ColumnElement[bool],
) -> ColumnElement[bool]:
    strangers, followers = audiences
    ready = Video.state == "ready"
    open_to_all = and_(Video.audience.in_(strangers), Account.is_private.is_(False))
    active = Account.state == "active"
    if viewer_account_id is None:
        return and_(active, ready, open_to_all)
    followed = and_(Video.audience.in_(followers), follows(viewer_account_id, Video.account_id))
    of_others = and_(
        ready,
        or_(open_to_all, followed),
        ~blocked_between(viewer_account_id, Video.account_id),
    )
    mine = and_(Video.account_id == viewer_account_id, own)
    return and_(active, or_(mine, of_others))


def _shows(
    access: Access,
    audiences: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    follows: bool,
    blocked: bool,
) -> bool:
    if blocked or access.state != "ready" or not access.account_active:
        return False
    strangers, followers = audiences
    if follows and access.audience in followers:
        return True
    return access.audience in strangers and not access.account_private
