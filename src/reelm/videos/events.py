"""What this room tells the others."""

from dataclasses import dataclass

from reelm.foundation.events import Event


@dataclass(frozen=True)
class VideoReady(Event):
    """A video has become playable."""

    video_id: int


@dataclass(frozen=True)
class VideoFailed(Event):
    """A video could not be published; its row says why."""

    video_id: int


@dataclass(frozen=True)
class VideoDeleted(Event):
    """A video and its rows are gone."""

    video_id: int
