"""The public weight table: how the feed decides, in one place, with reasons.

The page /how-the-feed-works and GET /api/feed/weights show exactly what stands here, and the
ranker reads exactly this. The heads are probabilities that the model expects of one viewer and one
video; the score of a video is the sum of weight times head.
"""

from typing import NamedTuple


class Weight(NamedTuple):
    """One part of the score."""

    name: str
    weight: float
    words: str
    why: str


class Source(NamedTuple):
    """One way by which a video becomes a candidate."""

    name: str
    words: str


class Slot(NamedTuple):
    """Places that are kept for something."""

    source: str
    share: float
    words: str
    why: str


HEADS: tuple[Weight, ...] = (
    Weight(
        "relevance",
        1.0,
        "How near the video is to what you watched long lately",
        "Topics, creators and videos that others watched long beside yours; in log-odds, so that "
        "one unit is about three times as likely.",
    ),
    Weight(
        "long_view",
        0.5,
        "How likely you watch it to the end, or for 18 seconds",
        "The clearest sign that a video was worth your time; in log-odds like relevance.",
    ),
    Weight(
        "watch_share",
        1.0,
        "How much longer you would watch it than people watch videos of its length",
        "A quantile among videos of about this length: long videos gain nothing by being long.",
    ),
    Weight("like", 3.0, "How likely you like it", "Rarer than watching, and a stronger sign."),
    Weight(
        "share_or_follow",
        6.0,
        "How likely you share it or follow its creator",
        "The rarest and strongest of the good signs.",
    ),
    Weight(
        "skip",
        -1.0,
        "How likely you swipe it away within two seconds",
        "It cost you a swipe and gave you nothing.",
    ),
    Weight(
        "not_interested",
        -20.0,
        "How likely you say that it does not interest you, or report it",
        "Said outright, and very rare: it outweighs everything else.",
    ),
)

SOURCES: tuple[Source, ...] = (
    Source("interest", "Topics and creators you watched long lately"),
    Source("chosen", "Topics you chose"),
    Source("neighbours", "Videos that others watched long around those you watched long"),
    Source("popular", "What many watch long now; in your languages where you chose some"),
    Source("following", "New videos of creators you follow"),
    Source("new", "New videos that have not had a fair trial yet"),
    Source("rest", "The rest of the catalogue, newest first"),
    Source("own", "Your own newest video, once, so that you meet it in the feed"),
    Source("again", "You have seen everything: these are the ones you saw longest ago"),
)

# A new video keeps its place among those on trial until this many viewers met it, or for so long.
# Twenty tell a video that half watch long from one that a quarter does in nine cases of ten
# (binomial); the week is for regions where few people watch.
TRIAL_IMPRESSIONS, TRIAL_DAYS = 20, 7
# A creator is new until the videos were shown this often altogether.
NEW_CREATOR_IMPRESSIONS = 100
# One place in eight at the middle of the slider; from one in forty to nearly one in four.
_TRIAL_LEAST, _TRIAL_MOST = 0.025, 0.225
# Of the places for new videos, this share is for new creators while there are any.
NEW_CREATOR_SHARE = 0.5


def trial_share(newness: float) -> float:
    """Return the share of places kept for videos on trial, by the viewer's slider from 0 to 1."""
    return _TRIAL_LEAST + (_TRIAL_MOST - _TRIAL_LEAST) * newness


# Added to the score of a followed creator's video, at the end of the slider; at its middle half.
_FOLLOWING_MOST = 2.0


def following_boost(following: float) -> float:
    """Return what is added to the scores of followed creators, by the viewer's slider, 0 to 1."""
    return _FOLLOWING_MOST * following


SLOTS: tuple[Slot, ...] = (
    Slot(
        "new",
        trial_share(0.5),
        f"New videos, until {TRIAL_IMPRESSIONS} people met them or {TRIAL_DAYS} days have passed",
        "Nobody can know whether a video is good before somebody has seen it. After its trial it "
        "stands on its results. Your slider for new videos moves this share from "
        f"{trial_share(0):.1%} to {trial_share(1):.1%}.",
    ),
    Slot(
        "new_creator",
        trial_share(0.5) * NEW_CREATOR_SHARE,
        "New creators, out of the places for new videos",
        f"Until a creator's videos were shown {NEW_CREATOR_IMPRESSIONS} times, half of the "
        "places for new videos are theirs.",
    ),
)
