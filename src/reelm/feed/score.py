"""How good a video is before anything is known of the viewer: one number, computed in SQL.

score = (completion + LIKE_WEIGHT * liking) * fading, both rates as Bayesian averages: a video
with few views is near what videos are like at first, and moves as views come in. So one lucky
view does not put a video on top, and one unlucky view does not bury it.
"""

from typing import Any

from sqlalchemy import ColumnElement, Float, cast, extract, func

from reelm.feed.parameters import MOMENT
from reelm.social.models import VideoCount
from reelm.videos.models import Video

# What a video is taken for before it has views, and how many views outweigh that. Roughly a
# third of short videos are watched to their end and a few in a hundred are liked; likes are
# rarer, so it takes more views to tell. These are starting points, not measurements.
USUAL_COMPLETION, COMPLETION_VIEWS = 0.33, 20
USUAL_LIKING, LIKING_VIEWS = 0.03, 60
# A like is a stronger sign than a completion and about a tenth as frequent: with this weight
# the spread of both terms over videos is alike, and neither drowns the other.
LIKE_WEIGHT = 5.0
# Age at which a video's score is half: long enough for a good video to last over a weekend.
# It fades as 1 / (1 + age / half), as attention to posts does, so an old hit beats an old dud.
HALF_AGE_H = 48.0
# A followed creator's video against an equal one of a stranger.
FOLLOWING_BOOST = 1.5


def score() -> ColumnElement[float]:
    """Return a video's score at the parameter MOMENT, where VideoCount is outer-joined."""
    views = _float(VideoCount.views)
    completion = (_float(VideoCount.completions) + USUAL_COMPLETION * COMPLETION_VIEWS) / (
        views + COMPLETION_VIEWS
    )
    # Likes may exceed the views that were reported; a rate may not exceed 1.
    liked = func.least(_float(VideoCount.likes), views + 1)
    liking = (liked + USUAL_LIKING * LIKING_VIEWS) / (views + LIKING_VIEWS + 1)
    age_h = func.greatest(extract("epoch", MOMENT - Video.published_at) / 3600.0, 0.0)
    return (completion + LIKE_WEIGHT * liking) / (1.0 + age_h / HALF_AGE_H)


def _float(column: Any) -> ColumnElement[float]:
    return cast(func.coalesce(column, 0), Float)
