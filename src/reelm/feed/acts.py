"""Acts that only the viewer's page sees: comments opened, a video shared, a profile visited."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from reelm.feed.signals import Kind, Signal
from reelm.social import watchable_by
from reelm.videos.models import Video

MOST_ACTS = 100


class Act(NamedTuple):
    """What was done at a video (0 for none), and of a visit whose profile it was."""

    kind: Kind
    video_id: int = 0
    creator_id: int = 0


def signals_of(
    session: Session,
    *,
    viewer_id: int,
    account_id: int | None,
    acts: Sequence[Act],
    country: str | None = None,
) -> list[Signal]:
    """Return the signals to write; what is about a video that is not shown is passed over."""
    video_ids = {act.video_id for act in acts if act.video_id}
    query = watchable_by(account_id, Video.id, country=country).where(Video.id.in_(video_ids))
    there = set(session.scalars(query)) if video_ids else set[int]()
    signals = []
    for act in acts:
        at_video = act.video_id if act.video_id in there else 0
        if act.kind == Kind.PROFILE_VISIT:
            if act.creator_id not in (0, account_id):
                subject = str(act.creator_id)
                signals.append(Signal(viewer_id, at_video, act.kind, subject=subject))
        elif at_video:
            signals.append(Signal(viewer_id, at_video, act.kind))
    return signals
