"""Tables of follows, blocks, likes, comments and counts."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from reelm.foundation.database import (
    BEHAVIOUR,
    PUBLIC,
    Base,
    DataClass,
    Erasure,
    Residency,
    Transfer,
)

_ACT = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.DELETE)


class Follow(Base):
    """An account follows a creator, or has asked to."""

    __tablename__ = "follow"
    __data__ = _ACT
    __table_args__ = (Index(None, "creator_id", "account_id"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, info=BEHAVIOUR
    )
    creator_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, info=BEHAVIOUR
    )
    state: Mapped[str] = mapped_column(info=BEHAVIOUR)  # accepted, requested
    created_at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)


class Block(Base):
    """An account wants nothing to do with another."""

    __tablename__ = "block"
    __data__ = _ACT
    __table_args__ = (Index(None, "blocked_id", "account_id"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, info=BEHAVIOUR
    )
    blocked_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, info=BEHAVIOUR
    )
    created_at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)


class VideoLike(Base):
    """An account likes a video."""

    __tablename__ = "video_like"
    __data__ = _ACT
    __table_args__ = (Index(None, "video_id"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, info=BEHAVIOUR
    )
    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id", ondelete="CASCADE"), primary_key=True, info=BEHAVIOUR
    )
    created_at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)


class Comment(Base):
    """A flat comment under a video."""

    __tablename__ = "comment"
    __data__ = _ACT
    __table_args__ = (Index(None, "video_id", "id"), Index(None, "account_id"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=PUBLIC)
    video_id: Mapped[int] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"), info=PUBLIC)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), info=PUBLIC
    )
    body: Mapped[str] = mapped_column(info=PUBLIC)
    created_at: Mapped[datetime] = mapped_column(info=PUBLIC)
    edited_at: Mapped[datetime | None] = mapped_column(info=PUBLIC)


class VideoCount(Base):
    """Totals of one video, apart from the video so that counting locks nothing else."""

    __tablename__ = "video_count"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.DELETE)

    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id", ondelete="CASCADE"), primary_key=True, info=PUBLIC
    )
    likes: Mapped[int] = mapped_column(default=0, server_default="0", info=PUBLIC)
    comments: Mapped[int] = mapped_column(default=0, server_default="0", info=PUBLIC)
    views: Mapped[int] = mapped_column(default=0, server_default="0", info=PUBLIC)
    completions: Mapped[int] = mapped_column(default=0, server_default="0", info=PUBLIC)
    watched_ms: Mapped[int] = mapped_column(default=0, server_default="0", info=PUBLIC)
