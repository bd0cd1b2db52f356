"""Tables of the log of signals, of what each viewer has set, and of the ranker's snapshots.

`viewer_id` is an account's id, or the id in an anonymous viewer's cookie.
"""

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import ARRAY, Double, Index, Integer, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from reelm.foundation.database import (
    BEHAVIOUR,
    OPERATIONAL,
    Base,
    DataClass,
    Erasure,
    Residency,
    Retention,
    Transfer,
)

_SEEN = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.DELETE)
# Our own rule where the policy pack states no retention: a year, so that what comes each year can
# be learned, and a month for whoever looks at it afterwards.
KEEP_DAYS = 400
# Days are dropped whole (log/days.py); the region's retention deletes what is left of them.
LOG_RETENTION = Retention("day", "impression_retention_days", KEEP_DAYS, is_log=True)


class SignalRow(Base):
    """One signal of the log, in the partition of its day.

    No row is ever changed. No foreign key: a batch must not fail because a video was deleted
    meanwhile, and what is learned from a video's watches outlives it.
    """

    __tablename__ = "signal"
    __data__ = replace(_SEEN, retention=LOG_RETENTION)
    __table_args__ = (
        Index(None, "seq"),
        # Finds what is deleted once the ranker has forgotten (feed.signals.FORGETTINGS).
        Index("ix_signal_forgettings", "seq", postgresql_where=text("kind IN (18, 19)")),
        # Finds what others' logs say of a creator who is erased; most rows have no subject.
        Index(None, "subject", postgresql_where=text("subject <> ''")),
        # A sale has it in the order in which it was written: so it lies, and is read fast.
        {
            "postgresql_partition_by": "RANGE (day)",
            "info": {"no_update": True, "moves_by": ("seq",)},
        },
    )

    viewer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=BEHAVIOUR)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=BEHAVIOUR)
    day: Mapped[date] = mapped_column(primary_key=True, info=BEHAVIOUR)  # of `at`, in UTC
    at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)
    video_id: Mapped[int] = mapped_column(info=BEHAVIOUR)  # 0: about no video
    kind: Mapped[int] = mapped_column(SmallInteger, info=BEHAVIOUR)  # feed.signals.Kind
    watched_ms: Mapped[int] = mapped_column(Integer, info=BEHAVIOUR)
    duration_ms: Mapped[int] = mapped_column(Integer, info=BEHAVIOUR)
    loops: Mapped[int] = mapped_column(Integer, info=BEHAVIOUR)
    long_view: Mapped[bool] = mapped_column(info=BEHAVIOUR)
    surface: Mapped[int] = mapped_column(SmallInteger, info=BEHAVIOUR)  # feed.signals.Surface
    # The response that an impression was part of.
    page_id: Mapped[int] = mapped_column(info=BEHAVIOUR)
    position: Mapped[int] = mapped_column(Integer, info=BEHAVIOUR)
    source: Mapped[str] = mapped_column(info=BEHAVIOUR)
    # Double: the ranker that replays it must compute with the very same bits.
    propensity: Mapped[float] = mapped_column(Double, info=BEHAVIOUR)
    subject: Mapped[str] = mapped_column(info=BEHAVIOUR)
    # `seq` of the first of the signals that were applied together.
    batch_seq: Mapped[int] = mapped_column(info=OPERATIONAL)


class FeedSettings(Base):
    """What a viewer has set for the feed; no row stands for the defaults."""

    __tablename__ = "feed_settings"
    __data__ = _SEEN

    viewer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=BEHAVIOUR)
    # Null: by age and policy pack (feed/settings.py).
    is_profiled: Mapped[bool | None] = mapped_column(info=BEHAVIOUR)
    newness: Mapped[float] = mapped_column(
        Double, default=0.5, server_default="0.5", info=BEHAVIOUR
    )
    variety: Mapped[float] = mapped_column(
        Double, default=0.5, server_default="0.5", info=BEHAVIOUR
    )
    following: Mapped[float] = mapped_column(
        Double, default=0.5, server_default="0.5", info=BEHAVIOUR
    )
    topics: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=list, server_default="{}", info=BEHAVIOUR
    )
    languages: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=list, server_default="{}", info=BEHAVIOUR
    )
    history_paused: Mapped[bool] = mapped_column(
        default=False, server_default=text("false"), info=BEHAVIOUR
    )


class HiddenSubject(Base):
    """A video, creator, hashtag or sound that a viewer does not want to meet in the feed."""

    __tablename__ = "hidden_subject"
    __data__ = _SEEN
    __table_args__ = (Index(None, "subject", "kind"),)

    viewer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=BEHAVIOUR)
    kind: Mapped[str] = mapped_column(primary_key=True, info=BEHAVIOUR)
    # An id as decimal text, or the hashtag.
    subject: Mapped[str] = mapped_column(primary_key=True, info=BEHAVIOUR)
    created_at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)


class RankerSnapshot(Base):
    """A copy of the ranker's whole state in the object store, and how far it has read the log."""

    __tablename__ = "ranker_snapshot"
    __data__ = DataClass(
        Residency.REGION,
        Transfer.REBUILD,
        Erasure.EXPIRE,
        "A model is a technology asset with a disposition of its own; replaying the log makes it.",
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    seq: Mapped[int] = mapped_column(info=OPERATIONAL)
    object: Mapped[str] = mapped_column(info=OPERATIONAL)
    digest: Mapped[str] = mapped_column(info=OPERATIONAL)  # SHA-256 of the file
    made_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    release: Mapped[str] = mapped_column(info=OPERATIONAL)
    # The training manifest: numbers and times of the first signal that can be in it, and of the
    # last; null where it learned of none, or was stored by a release that did not say.
    first_seq: Mapped[int | None] = mapped_column(info=OPERATIONAL)
    first_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    last_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
