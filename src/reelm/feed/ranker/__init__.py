"""The model: candidates, ranking, spacing and learning, in memory and without a database."""

from reelm.feed.ranker.ranker import Ranker
from reelm.feed.ranker.sizes import Sizes
from reelm.feed.ranker.values import Ask, Pick, Prediction, State, VideoFacts

__all__ = ["Ask", "Pick", "Prediction", "Ranker", "Sizes", "State", "VideoFacts"]
