"""What to watch next, and what was watched."""

from reelm.feed import models
from reelm.feed.cursor import Tab
from reelm.feed.forget import forget_viewer
from reelm.feed.impressions import Shown
from reelm.feed.recommend import Page, recommend
from reelm.feed.watch import MAX_BATCH, Watched, record_watches

__all__ = [
    "MAX_BATCH",
    "Page",
    "Shown",
    "Tab",
    "Watched",
    "forget_viewer",
    "models",
    "recommend",
    "record_watches",
]
