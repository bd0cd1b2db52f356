"""What the log asks of a ranker."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from reelm.feed.ranker import Ask, Pick, State, VideoFacts
from reelm.feed.signals import Signal


class Learner(Protocol):
    """Learns from the log and recommends; its caller lets one thread in at a time.

    The same calls in the same order make the same state, and `recommend` changes none.
    """

    def add_videos(self, facts: Iterable[VideoFacts], /) -> None:
        """Take in new or changed videos."""

    def remove_videos(self, video_ids: Iterable[int], /) -> None:
        """Drop videos; ids that are not known are passed over."""

    def videos(self) -> list[int]:
        """Return the ids of all videos."""

    def observe(self, batch: Sequence[Signal], /) -> None:
        """Learn from one batch of the log."""

    def recommend(self, ask: Ask, /) -> list[Pick]:
        """Return picks for a viewer."""

    def forget(self, viewer_id: int, /) -> None:
        """Forget a viewer."""

    def viewers(self) -> list[int]:
        """Return all viewers of whom anything is held."""

    def known_of(self, viewer_id: int, /) -> dict[str, object]:
        """Return all that is held about a viewer."""

    def state(self) -> State:
        """Return the whole state."""

    def digest(self) -> str:
        """Return a digest, equal for equal states."""


# Makes a learner of a state, or one that knows nothing.
Make = Callable[[State | None], Learner]
