"""Plain values that go into the ranker and come out of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from reelm.feed.signals import Surface


class VideoFacts(NamedTuple):
    """What a video says about itself before anybody has watched it.

    Videos whose audience is "followers" are candidates only for those who follow the creator.
    """

    video_id: int
    creator_id: int
    tags: tuple[str, ...] = ()
    sound_id: int = 0
    duration_ms: int = 0
    published_ms: int = 0
    language: str = ""
    audience: str = "public"


class Ask(NamedTuple):
    """One request for videos.

    Args:
        viewer_id: who watches.
        now_ms: when, in ms since 1970.
        limit: how many videos are wanted.
        surface: where they will be shown.
        followed: creators whom the viewer follows.
        newness: slider from 0 (well tried) to 1 (new); 0.5 is the default of all three.
        variety: slider from 0 (what I like most) to 1 (something of everything).
        following: slider from 0 (anybody) to 1 (mostly those I follow).
        topics: hashtags chosen by the viewer.
        languages: languages chosen by the viewer; empty for all.
        without: ids given out this moment to another tab.
        avoided: creators who are not to be shown, as those the viewer has blocked.
        page_id: of the response that the picks are for; asked again it gets the same.
    """

    viewer_id: int
    now_ms: int
    limit: int = 10
    surface: int = Surface.FOR_YOU
    followed: frozenset[int] = frozenset()
    newness: float = 0.5
    variety: float = 0.5
    following: float = 0.5
    topics: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    without: frozenset[int] = frozenset()
    avoided: frozenset[int] = frozenset()
    page_id: int = 0


class Pick(NamedTuple):
    """A video to show, where it came from, and why.

    `reasons` are names of the ranking's parts with what each added to the score, strongest first.
    `again` says that the viewer has seen it, as all others; `known`, that it was given out for
    this page before, so that its impression is in the log.
    """

    video_id: int
    source: str
    score: float
    propensity: float
    reasons: tuple[tuple[str, float], ...] = ()
    again: bool = False
    known: bool = False


class Prediction(NamedTuple):
    """What the heads expect of one impression: probabilities, and a watch time in ms."""

    long_view: float
    watch_ms: float
    like: float
    share_or_follow: float
    skip: float
    not_interested: float


class State(NamedTuple):
    """The whole state as plain data: `header` is JSON, `arrays` hold no Python objects."""

    header: Mapping[str, Any]
    arrays: Mapping[str, npt.NDArray[np.generic]]
