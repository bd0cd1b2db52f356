"""Videos with all that a page shows of them, in one query whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    exists,
    false,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import ScalarSelect

from reelm.social.models import VideoCount, VideoLike
from reelm.social.people import Person, person_columns
from reelm.social.visibility import ViewerAccount, own_of, refuse, visible_to, watchable_by
from reelm.videos.hashtags import hashtags
from reelm.videos.models import CaptionTrack, Rendition, Video


@dataclass(frozen=True)
class Playable:
    """One rendition that new players may start."""

    name: str
    width: int
    height: int
    codecs: str
    bitrate_bps: int


@dataclass(frozen=True)
class Card:
    """A video as a page shows it to one viewer."""

    id: int
    creator: Person
    caption: str
    hashtags: tuple[str, ...]
    language: str | None
    audience: str
    state: str
    reason: str | None
    created_at: datetime
    duration_ms: int
    width: int
    height: int
    placeholder: str
    has_poster: bool
    sound_id: int | None
    likes: int
    comments: int
    views: int
    is_liked: bool
    is_mine: bool
    renditions: tuple[Playable, ...]  # best first
    caption_languages: tuple[str, ...]


def cards(
    session: Session,
    viewer_account_id: int | None,
    video_ids: Sequence[int],
    country: str | None = None,
) -> list[Card]:
    """Return those of the videos that lists may show to this viewer, in the order given."""
    return _read(session, visible_to, viewer_account_id, video_ids, country)


def own_cards(session: Session, account_id: int, video_ids: Sequence[int]) -> list[Card]:
    """Return an account's own videos among these in any state, in the order given."""
    return _read(session, _own, account_id, video_ids, None)


def card(
    session: Session, viewer_account_id: int | None, video_id: int, country: str | None = None
) -> Card:
    """Return one video that this viewer may open by its address.

    Raises:
        Missing: there is no such video for this viewer.
        LegallyWithheld: an order withholds it where the viewer is.
        Gone: a decision withholds it.
    """
    found = _read(session, watchable_by, viewer_account_id, [video_id], country)
    if not found:
        refuse(session, viewer_account_id, video_id, country)
    return found[0]


def videos_of(
    session: Session,
    viewer_account_id: int | None,
    creator_id: int,
    *,
    limit: int,
    before: int | None = None,
    country: str | None = None,
) -> list[Card]:
    """Return a creator's videos, newest first; `before` is the last id of the page before."""
    query = visible_to(viewer_account_id, Video.id, country=country)
    query = query.where(Video.account_id == creator_id)
    if before is not None:
        query = query.where(Video.id < before)
    ids = session.scalars(query.order_by(Video.id.desc()).limit(limit)).all()
    return cards(session, viewer_account_id, ids, country)


def _read(
    session: Session,
    rule: Any,
    viewer_account_id: int | None,
    video_ids: Sequence[int],
    country: str | None,
) -> list[Card]:
    if not video_ids:
        return []
    statement = _statement(rule, is_anonymous=viewer_account_id is None)
    bound = {
        "account_id": viewer_account_id, "video_ids": list(video_ids), "country": country
    }  # fmt: skip
    found = {
        row.video_id: card_of(row, viewer_account_id) for row in session.execute(statement, bound)
    }
    return [found[video_id] for video_id in video_ids if video_id in found]


@cache
def _statement(rule: Any, *, is_anonymous: bool) -> Select[Any]:
    # Made once: to build and to recognise a query of this size takes longer than to run it.
    viewer: BindParameter[int] | None = None
    if not is_anonymous:
        viewer = bindparam("account_id", type_=BigInteger)
    wanted = any_(bindparam("video_ids", type_=ARRAY(BigInteger)))
    statement: Select[Any] = (
        rule(viewer, *card_columns(viewer), country=bindparam("country", type_=Text))
        .outerjoin(VideoCount, VideoCount.video_id == Video.id)
        .where(Video.id == wanted)
    )
    return statement


def _own(account_id: ViewerAccount, *columns: Any, country: Any) -> Select[Any]:  # noqa: ARG001
    # One's own are listed wherever one is, with what withholds them.
    return own_of(account_id, *columns)


def card_columns(viewer_account_id: ViewerAccount) -> tuple[Any, ...]:
    """Return the columns of a Card, for a query that joins the account and the totals."""
    return (
        *person_columns(viewer_account_id),
        Video.id.label("video_id"),
        Video.caption,
        Video.language,
        Video.audience,
        Video.state,
        Video.reason,
        Video.created_at,
        Video.duration_ms,
        Video.width,
        Video.height,
        Video.placeholder,
        Video.poster_object.is_not(None).label("has_poster"),
        Video.sound_id,
        func.coalesce(VideoCount.likes, 0).label("likes"),
        func.coalesce(VideoCount.comments, 0).label("comments"),
        func.coalesce(VideoCount.views, 0).label("views"),
        is_liked_by(viewer_account_id),
        _renditions().label("renditions"),
        _languages().label("languages"),
    )


def is_liked_by(viewer_account_id: ViewerAccount) -> Any:
    """Return the column that says whether the viewer likes the video."""
    mine = and_(VideoLike.account_id == viewer_account_id, VideoLike.video_id == Video.id)
    return (false() if viewer_account_id is None else exists().where(mine)).label("is_liked")


def _renditions() -> ScalarSelect[Any]:
    # As JSON: one round trip instead of one more query for each kind of part.
    fields = (
        Rendition.name,
        Rendition.width,
        Rendition.height,
        Rendition.codecs,
        Rendition.bitrate_bps,
    )
    return (
        select(func.jsonb_agg(func.jsonb_build_array(*fields), type_=JSONB))
        .where(Rendition.video_id == Video.id, Rendition.retired_at.is_(None))
        .scalar_subquery()
    )


def _languages() -> ScalarSelect[Any]:
    return (
        select(func.jsonb_agg(CaptionTrack.language, type_=JSONB))
        .where(CaptionTrack.video_id == Video.id)
        .scalar_subquery()
    )


def card_of(row: Any, viewer_account_id: int | None) -> Card:
    """Return the card that a row of `card_columns` stands for."""
    playable = [Playable(*fields) for fields in row.renditions or ()]
    playable.sort(key=lambda rendition: rendition.bitrate_bps, reverse=True)
    return Card(
        id=row.video_id,
        creator=Person(row.id, row.handle, row.display_name, row.avatar_object, row.is_followed),
        caption=row.caption,
        hashtags=hashtags(row.caption),
        language=row.language,
        audience=row.audience,
        state=row.state,
        reason=row.reason,
        created_at=row.created_at,
        duration_ms=row.duration_ms,
        width=row.width,
        height=row.height,
        placeholder=row.placeholder,
        has_poster=row.has_poster,
        sound_id=row.sound_id,
        likes=row.likes,
        comments=row.comments,
        views=row.views,
        is_liked=row.is_liked,
        is_mine=row.id == viewer_account_id,
        renditions=tuple(playable),
        caption_languages=tuple(sorted(row.languages or ())),
    )
