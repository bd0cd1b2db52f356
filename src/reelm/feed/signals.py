"""Signals: the acts of a viewer that tell taste, as plain values.

One signal is one row of the log (feed/models.py) and one thing for the ranker to learn from.
"""

from enum import IntEnum
from typing import NamedTuple

# A view of a short clip is long when it reached the end, of any other from here on, as in the real
# log that the ranker is measured on (KuaiRand, doi 10.1145/3511808.3557624, "long_view"). Players
# stop a few frames early, so nine tenths are an end.
LONG_VIEW_MS, COMPLETE_AT = 18_000, 0.9
# Swiped away sooner than this: a quick skip.
SKIP_MS = 2_000
# Position of a watch that is learned from and is no further view.
SAME_VIEW = 1


class Kind(IntEnum):
    """What the viewer did. Numbers are in the log for good: never reuse one."""

    IMPRESSION = 1
    WATCH = 2
    LIKE = 3
    UNLIKE = 4
    COMMENT_OPENED = 5
    SHARE = 6
    FOLLOW = 7
    UNFOLLOW = 8
    PROFILE_VISIT = 9
    NOT_INTERESTED = 10
    HIDE_CREATOR = 11
    HIDE_HASHTAG = 12
    HIDE_SOUND = 13
    SHOW_CREATOR = 14  # a hiding taken back
    SHOW_HASHTAG = 15
    SHOW_SOUND = 16
    REPORT = 17
    FORGET_WATCH = 18  # one video deleted from the viewer's history
    RESET = 19  # all that was learned of the viewer is forgotten
    PAST_WATCH = 20  # brought along from elsewhere: whether long is known, not when nor how long


# Rows of the log that are deleted once the ranker has forgotten.
FORGETTINGS = (Kind.FORGET_WATCH, Kind.RESET)


class Surface(IntEnum):
    """Where in the app a video was shown."""

    FOR_YOU = 1
    FOLLOWING = 2
    POPULAR = 3
    PROFILE = 4
    ADDRESS = 5


SURFACES = 16


class Signal(NamedTuple):
    """One act of one viewer.

    Args:
        viewer_id: the account's id, or the anonymous viewer's.
        video_id: the video it was about; 0 where it was about none.
        kind: what was done.
        at_ms: when, in ms since 1970; the appender sets it.
        seq: place in the log; the appender sets it.
        watched_ms: of a watch, how long, loops included.
        duration_ms: of a watch, the video's length.
        loops: of a watch, how often it began anew.
        long_view: of a watch, whether it was long (`is_long_view`).
        surface: where the video was shown, 0 to 15.
        page_id: of an impression, the response it was part of.
        position: of an impression, its place on the page from 0; of a watch, SAME_VIEW where the
            view it is part of was counted before.
        source: of an impression, the candidate source.
        propensity: of an impression, how likely it was to be given out here.
        subject: creator id, hashtag or sound id that the act was about.
    """

    viewer_id: int
    video_id: int
    kind: int
    at_ms: int = 0
    seq: int = 0
    watched_ms: int = 0
    duration_ms: int = 0
    loops: int = 0
    long_view: bool = False
    surface: int = 0
    page_id: int = 0
    position: int = 0
    source: str = ""
    propensity: float = 1.0
    subject: str = ""


def is_long_view(watched_ms: int, duration_ms: int) -> bool:
    """Return whether a watch counts as a long view."""
    return watched_ms >= min(COMPLETE_AT * duration_ms, LONG_VIEW_MS) > 0
