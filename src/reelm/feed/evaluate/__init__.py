"""Measure the ranker on a log of real views, by the code that serves viewers."""

from reelm.feed.evaluate.log import Log
from reelm.feed.evaluate.own_log import OwnReplay
from reelm.feed.evaluate.replay import FolderReplay, Replay
from reelm.feed.evaluate.report import Evaluation, Found, Report
from reelm.feed.evaluate.serving import Serving

__all__ = [
    "Evaluation",
    "FolderReplay",
    "Found",
    "Log",
    "OwnReplay",
    "Replay",
    "Report",
    "Serving",
]
