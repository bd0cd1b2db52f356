"""Tables of videos, their renditions, captions, sounds and uploads."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from reelm.foundation.database import (
    BEHAVIOUR,
    OPERATIONAL,
    PUBLIC,
    SEALED,
    Base,
    DataClass,
    Erasure,
    Residency,
    Transfer,
)

_PUBLISHED = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.DELETE)


class Video(Base):
    """A video that somebody posted."""

    __tablename__ = "video"
    __data__ = _PUBLISHED
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index(None, "published_at"),
        Index(None, "language", "id"),
        Index(None, "poster_object"),
        Index(None, "original_object"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=PUBLIC)
    account_id: Mapped[int] = mapped_column(info=PUBLIC)
    caption: Mapped[str] = mapped_column(default="", info=PUBLIC)
    language: Mapped[str | None] = mapped_column(info=PUBLIC)
    audience: Mapped[str] = mapped_column(info=PUBLIC)  # public, followers, unlisted, private
    state: Mapped[str] = mapped_column(info=PUBLIC)  # processing, ready, failed
    reason: Mapped[str | None] = mapped_column(info=PUBLIC)  # why it failed, a sentence
    sound_id: Mapped[int | None] = mapped_column(info=PUBLIC)
    duration_ms: Mapped[int] = mapped_column(default=0, info=PUBLIC)
    width: Mapped[int] = mapped_column(Integer, default=0, info=PUBLIC)
    height: Mapped[int] = mapped_column(Integer, default=0, info=PUBLIC)
    poster_object: Mapped[str | None] = mapped_column(info=PUBLIC)
    placeholder: Mapped[str] = mapped_column(default="", info=PUBLIC)
    # Key of the file as uploaded, kept only until the ladder is made: it holds places and titles.
    original_object: Mapped[str | None] = mapped_column(info=OPERATIONAL)
    original_bytes: Mapped[int] = mapped_column(default=0, info=OPERATIONAL)
    created_at: Mapped[datetime] = mapped_column(info=PUBLIC)
    # First playable; null until then.
    published_at: Mapped[datetime | None] = mapped_column(info=PUBLIC)
    ladder_at: Mapped[datetime | None] = mapped_column(info=PUBLIC)


class Rendition(Base):
    """One playable file of a video, and where its segments lie in it."""

    __tablename__ = "rendition"
    __data__ = _PUBLISHED
    __table_args__ = (Index(None, "object"),)

    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id", ondelete="CASCADE"), primary_key=True, info=PUBLIC
    )
    name: Mapped[str] = mapped_column(primary_key=True, info=PUBLIC)  # source, 360, 540, 720, 1080
    object: Mapped[str] = mapped_column(info=PUBLIC)
    size_bytes: Mapped[int] = mapped_column(info=PUBLIC)
    width: Mapped[int] = mapped_column(Integer, info=PUBLIC)
    height: Mapped[int] = mapped_column(Integer, info=PUBLIC)
    codecs: Mapped[str] = mapped_column(info=PUBLIC)
    bitrate_bps: Mapped[int] = mapped_column(info=PUBLIC)
    peak_bps: Mapped[int] = mapped_column(info=PUBLIC)
    frame_rate: Mapped[float] = mapped_column(Float, info=PUBLIC)
    init_length: Mapped[int] = mapped_column(info=PUBLIC)
    # Each is offset, length and duration in ms.
    segments: Mapped[list[list[int]]] = mapped_column(JSONB, info=PUBLIC)
    # Left out of new manifests, but players that have begun on it may finish; then swept.
    retired_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)


class CaptionTrack(Base):
    """WebVTT captions in one language."""

    __tablename__ = "caption_track"
    __data__ = _PUBLISHED

    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id", ondelete="CASCADE"), primary_key=True, info=PUBLIC
    )
    language: Mapped[str] = mapped_column(primary_key=True, info=PUBLIC)  # BCP 47
    text: Mapped[str] = mapped_column(info=PUBLIC)
    updated_at: Mapped[datetime] = mapped_column(info=PUBLIC)


class VideoHashtag(Base):
    """A hashtag in a video's caption."""

    __tablename__ = "video_hashtag"
    __data__ = _PUBLISHED
    __table_args__ = (Index(None, "tag", "video_id"),)

    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id", ondelete="CASCADE"), primary_key=True, info=PUBLIC
    )
    tag: Mapped[str] = mapped_column(primary_key=True, info=PUBLIC)


class Sound(Base):
    """The sound of an upload."""

    __tablename__ = "sound"
    __data__ = _PUBLISHED

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=PUBLIC)
    account_id: Mapped[int] = mapped_column(info=PUBLIC)
    created_at: Mapped[datetime] = mapped_column(info=PUBLIC)


class UnneededObject(Base):
    """An object that lost its last row; the next job removes it if no other row names it."""

    __tablename__ = "unneeded_object"
    __data__ = DataClass(
        Residency.REGION, Transfer.REBUILD, Erasure.EXPIRE, "A work list of this deployment."
    )

    key: Mapped[str] = mapped_column(primary_key=True, info=OPERATIONAL)
    since: Mapped[datetime] = mapped_column(info=OPERATIONAL)


class Upload(Base):
    """A tus upload that is under way; its bytes lie in the region home's uploads folder."""

    __tablename__ = "upload"
    __data__ = DataClass(
        Residency.REGION, Transfer.EXCLUDE, Erasure.DELETE, "Unfinished; gone within a day."
    )
    __table_args__ = (Index(None, "expires_at"),)

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    size_bytes: Mapped[int] = mapped_column(info=OPERATIONAL)
    offset_bytes: Mapped[int] = mapped_column(default=0, info=OPERATIONAL)
    # Upload-Metadata as JSON: file name, caption, audience, language. Draft text, so sealed.
    draft: Mapped[bytes] = mapped_column(info=SEALED)
    created_at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)
    expires_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    # Set when the last byte has arrived and the video exists.
    video_id: Mapped[int | None] = mapped_column(info=OPERATIONAL)
