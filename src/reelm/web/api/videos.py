"""One's own videos and uploads, and one video by its address."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reelm import regions, social, videos
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of, acting_account
from reelm.web.api.shapes import Video, video_of
from reelm.web.endpoint import Id
from reelm.web.viewer import Viewer

LanguageTag = Annotated[str, Meta(max_length=35, description="A tag such as en, hi or pt-BR.")]


class VideoEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    caption: videos.Caption | UnsetType = UNSET
    audience: videos.Audience | UnsetType = UNSET
    language: videos.Language | UnsetType | None = UNSET


class Withholding(msgspec.Struct, frozen=True):
    """What withholds one's own video: a legal order, or a decision of the staff."""

    source: Literal["order", "decision"]
    since: datetime
    countries: tuple[str, ...] | None


class OwnVideos(msgspec.Struct, frozen=True):
    """A page of one's own videos, and what withholds those that others may not see by their ids.

    The cursor leads to older ones.
    """

    videos: list[Video]
    withheld: dict[str, list[Withholding]]
    cursor: str | None


class OpenUpload(msgspec.Struct, frozen=True):
    """An upload that is not finished."""

    id: Id
    url: str
    filename: str
    size_bytes: int
    offset_bytes: int
    created_at: datetime
    expires_at: datetime


class Uploads(msgspec.Struct, frozen=True):
    """Unfinished uploads, and how much room is left."""

    uploads: list[OpenUpload]
    quota_bytes: int
    quota_left_bytes: int


class Captions(msgspec.Struct, frozen=True):
    """Captions that were stored."""

    language: str
    url: str


def video(session: Session, viewer: Viewer, video_id: int) -> Video:
    """Read one video."""
    return video_of(social.card(session, viewer.account_id, video_id, viewer.country))


def edit_video(session: Session, viewer: Viewer, video_id: int, body: VideoEdit) -> Video:
    """Change caption, audience or language of one's own video."""
    videos.edit(
        session,
        account_id=acting_account(session, viewer),
        video_id=video_id,
        caption=None if body.caption is UNSET else body.caption,
        audience=None if body.audience is UNSET else body.audience,
        language=None if body.language is UNSET else body.language or "",
    )
    session.flush()
    return video(session, viewer, video_id)


def delete_video(session: Session, viewer: Viewer, video_id: int) -> None:
    """Delete one's own video for good."""
    videos.delete_video(session, account_id=account_id_of(viewer), video_id=video_id)


def put_captions(
    session: Session, viewer: Viewer, video_id: int, language: LanguageTag, body: bytes
) -> Captions:
    """Set the captions of one's own video in one language, as WebVTT."""
    tag = videos.put_captions(
        session,
        account_id=acting_account(session, viewer),
        video_id=video_id,
        language=language,
        data=body,
    )
    return Captions(tag, f"/media/{video_id}/{tag}.vtt")


def delete_captions(session: Session, viewer: Viewer, video_id: int, language: LanguageTag) -> None:
    """Remove the captions of one's own video in one language."""
    videos.delete_captions(
        session, account_id=account_id_of(viewer), video_id=video_id, language=language
    )


def my_videos(
    session: Session,
    viewer: Viewer,
    cursor: Annotated[str, Meta(max_length=64)] | None = None,
    limit: Annotated[int, Meta(ge=1, le=50)] = 30,
) -> OwnVideos:
    """List one's own videos in any state, newest first."""
    account_id = account_id_of(viewer)
    ids = videos.own_video_ids(session, account_id, before_id=_before(cursor), limit=limit + 1)
    shown = [video_of(card) for card in social.own_cards(session, account_id, ids[:limit])]
    withheld = {
        str(video_id): [Withholding(one.source, one.since, one.countries) for one in by]
        for video_id, by in regions.restrictions_of_each(session, ids[:limit]).items()
    }
    return OwnVideos(shown, withheld, str(ids[limit - 1]) if len(ids) > limit else None)


def my_uploads(session: Session, parts: Parts, viewer: Viewer) -> Uploads:
    """List one's unfinished uploads."""
    account_id = account_id_of(viewer)
    limits = parts.settings.upload
    return Uploads(
        [
            OpenUpload(
                str(view.id),
                f"/api/uploads/{view.id}",
                view.draft.file_name,
                view.size_bytes,
                view.offset_bytes,
                view.created_at,
                view.expires_at,
            )
            for view in videos.open_uploads(session, parts, account_id)
        ],
        limits.quota_bytes,
        videos.quota_left(session, account_id, limits),
    )


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 19):
        raise Invalid("The cursor is not one that was given out here.")
    return min(int(cursor), (1 << 63) - 1)
