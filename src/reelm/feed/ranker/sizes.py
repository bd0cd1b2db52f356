"""How much the model may hold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Capacities of the tables; memory is taken as rows are used, and never beyond these.

    A full table drops what was idle longest. At these sizes the whole state is below 1.5 GB
    (benchmarks/feed.py).

    Args:
        videos: in the catalogue.
        viewers: of whom anything is known.
        creators: whose videos are in the catalogue.
        tags: hashtags.
        sounds: sounds.
        neighbours: videos that have a list of what is watched beside them.
        pending: impressions whose outcome is not known yet.
    """

    videos: int = 1 << 20
    viewers: int = 1 << 17
    creators: int = 1 << 18
    tags: int = 1 << 16
    sounds: int = 1 << 18
    neighbours: int = 1 << 18
    pending: int = 1 << 17
