"""Tables of what was shown and how long it was watched.

`viewer_id` is an account's id, or the id in an anonymous viewer's cookie.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from reelm.foundation.database import BEHAVIOUR, Base, DataClass, Erasure, Residency, Transfer

_SEEN = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.DELETE)


class Impression(Base):
    """A video was given to a viewer; it is not given again until all others have been."""

    __tablename__ = "impression"
    __data__ = _SEEN
    __table_args__ = (
        Index(None, "viewer_id", "batch_id"),
        Index(None, "viewer_id", "shown_at"),
        Index(None, "video_id"),
    )

    viewer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=BEHAVIOUR)
    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id", ondelete="CASCADE"), primary_key=True, info=BEHAVIOUR
    )
    # One response of the feed; its cursor names it, so that a repeated request gets the same.
    batch_id: Mapped[int] = mapped_column(info=BEHAVIOUR)
    position: Mapped[int] = mapped_column(Integer, info=BEHAVIOUR)
    source: Mapped[str] = mapped_column(info=BEHAVIOUR)
    shown_at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)


class Watch(Base):
    """How long a viewer watched a video, once."""

    __tablename__ = "watch"
    __data__ = _SEEN
    __table_args__ = (Index(None, "video_id"),)

    viewer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=BEHAVIOUR)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=BEHAVIOUR)
    video_id: Mapped[int] = mapped_column(
        ForeignKey("video.id", ondelete="CASCADE"), info=BEHAVIOUR
    )
    watched_ms: Mapped[int] = mapped_column(info=BEHAVIOUR)
    duration_ms: Mapped[int] = mapped_column(info=BEHAVIOUR)
    loops: Mapped[int] = mapped_column(Integer, info=BEHAVIOUR)
    completed: Mapped[bool] = mapped_column(info=BEHAVIOUR)
    muted: Mapped[bool] = mapped_column(info=BEHAVIOUR)
    at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)
