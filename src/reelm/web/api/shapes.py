"""JSON shapes that several resources share: a creator and a video."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from reelm import accounts, social

# Without a manifest a plain <video src> plays one file: the smallest that looks right on a phone.
PLAIN_SHORT_EDGE_PX = 540


class Creator(msgspec.Struct, frozen=True):
    """An account beside what it made."""

    id: str
    handle: str
    display_name: str
    avatar_url: str | None
    is_followed: bool | None


class CaptionTrack(msgspec.Struct, frozen=True):
    """Captions in one language."""

    language: str
    label: str
    url: str


class Rendition(msgspec.Struct, frozen=True):
    """One file of a video."""

    name: str
    width: int
    height: int
    codec: str
    bitrate_bps: int
    url: str


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """A video as one viewer sees it; addresses of media are null while there is nothing to play."""

    id: str
    creator: Creator
    caption: str
    hashtags: list[str]
    language: str | None
    audience: str
    state: str
    reason: str | None
    created_at: datetime
    duration_ms: int
    width: int
    height: int
    placeholder: str
    poster_url: str | None
    manifest_url: str | None
    progressive_url: str | None
    captions: list[CaptionTrack]
    sound_id: str | None
    likes: int
    comments: int
    views: int
    is_liked: bool
    is_mine: bool
    page_url: str
    renditions: list[Rendition]


class FeedVideo(Video, frozen=True, kw_only=True):
    """A video in the feed, and the name of the source that brought it."""

    source: str


def creator_of(person: social.Person) -> Creator:
    """Return the shape of an account."""
    return Creator(
        str(person.id),
        person.handle,
        person.display_name,
        accounts.avatar_url(person.id, person.avatar_object),
        person.is_followed,
    )


def video_of(card: social.Card) -> Video:
    """Return the shape of a video."""
    media = f"/media/{card.id}"
    return Video(
        id=str(card.id),
        creator=creator_of(card.creator),
        caption=card.caption,
        hashtags=list(card.hashtags),
        language=card.language,
        audience=card.audience,
        state=card.state,
        reason=card.reason if card.is_mine else None,
        created_at=card.created_at,
        duration_ms=card.duration_ms,
        width=card.width,
        height=card.height,
        placeholder=card.placeholder,
        poster_url=f"{media}/poster.jpg" if card.has_poster else None,
        manifest_url=f"{media}/master.m3u8" if card.renditions else None,
        progressive_url=_plain(media, card.renditions),
        captions=[
            CaptionTrack(language, language, f"{media}/{language}.vtt")
            for language in card.caption_languages
        ],
        sound_id=None if card.sound_id is None else str(card.sound_id),
        likes=card.likes,
        comments=card.comments,
        views=card.views,
        is_liked=card.is_liked,
        is_mine=card.is_mine,
        page_url=f"/@{card.creator.handle}/{card.id}",
        renditions=[
            Rendition(r.name, r.width, r.height, r.codecs, r.bitrate_bps, f"{media}/{r.name}.mp4")
            for r in card.renditions
        ],
    )


def _plain(media: str, renditions: Sequence[social.Playable]) -> str | None:
    if not renditions:
        return None
    by_size = sorted(renditions, key=lambda r: (min(r.width, r.height), r.bitrate_bps))
    enough = (r for r in by_size if min(r.width, r.height) >= PLAIN_SHORT_EDGE_PX)
    return f"{media}/{next(enough, by_size[-1]).name}.mp4"
