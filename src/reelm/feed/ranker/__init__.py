"""The model: candidates, ranking, spacing and learning, in memory and without a database."""

from reelm.feed.ranker.values import Ask, Pick, Prediction, State, VideoFacts

__all__ = ["Ask", "Pick", "Prediction", "State", "VideoFacts"]
