"""A small catalogue and viewers who act in it."""

from dataclasses import replace
from typing import Any

from reelm.feed.ranker import Ask, Pick, Ranker, Sizes, VideoFacts
from reelm.feed.signals import Kind, Signal

START_MS = 1_750_000_000_000
HOUR_MS = 3_600_000
SIZES = Sizes(
    videos=1 << 10,
    viewers=1 << 8,
    creators=1 << 8,
    tags=1 << 8,
    sounds=1 << 8,
    neighbours=1 << 8,
    pending=1 << 8,
)


def facts(video_id: int, *, topic: str = "cats", creator: int = 1000, **more: Any) -> VideoFacts:
    """Return a video's facts, two days old unless told otherwise."""
    known: dict[str, Any] = {
        "video_id": video_id,
        "creator_id": creator,
        "tags": (topic,),
        "duration_ms": 5_000,
        "published_ms": START_MS - 48 * HOUR_MS,
        "language": "en",
    }
    return VideoFacts(**(known | more))


def topics(count: int = 10, of_each: int = 12, creators: int = 3) -> list[VideoFacts]:
    """Return videos of several topics, with some creators for each."""
    return [
        facts(
            1 + topic * of_each + number,
            topic=f"topic{topic}",
            creator=1000 + topic * creators + number % creators,
        )
        for topic in range(count)
        for number in range(of_each)
    ]


class World:
    """One ranker, a clock, and viewers."""

    def __init__(self, videos: list[VideoFacts], *, sizes: Sizes = SIZES, seed: int = 0) -> None:
        self.ranker = Ranker(sizes, seed=seed)
        self.ranker.add_videos(videos)
        self.facts = {one.video_id: one for one in videos}
        self.now_ms = START_MS
        self.seq = 0
        self.log: list[list[Signal]] = []

    @staticmethod
    def larger(**sizes: int) -> Sizes:
        """Return sizes with room for more."""
        return replace(SIZES, **sizes)

    def observe(self, *signals: Signal) -> None:
        """Have the ranker learn from a batch of its own."""
        self.now_ms += 1_000
        batch = []
        for signal in signals:
            self.seq += 1
            batch.append(signal._replace(seq=self.seq, at_ms=self.now_ms))
        self.log.append(batch)
        self.ranker.observe(batch)

    def page(self, viewer_id: int, limit: int = 10, **ask) -> list[Pick]:
        """Give a viewer a page, and note that it was shown."""
        picks = self.ranker.recommend(Ask(viewer_id, self.now_ms, limit=limit, **ask))
        if picks:
            self.observe(
                *(
                    Signal(viewer_id, p.video_id, Kind.IMPRESSION, surface=1, source=p.source)
                    for p in picks
                )
            )
        return picks

    def watch(self, viewer_id: int, video_id: int, *, to_the_end: bool) -> None:
        """Have a viewer watch a video to the end, or skip it."""
        duration_ms = self.facts[video_id].duration_ms
        self.observe(
            Signal(
                viewer_id,
                video_id,
                Kind.WATCH,
                watched_ms=duration_ms if to_the_end else 300,
                duration_ms=duration_ms,
                long_view=to_the_end,
            )
        )

    def act(self, viewer_id: int, kind: Kind, video_id: int = 0, subject: str = "") -> None:
        """Have a viewer do something else."""
        self.observe(Signal(viewer_id, video_id, kind, subject=subject))

    def topic(self, video_id: int) -> str:
        """Return a video's topic."""
        return self.facts[video_id].tags[0]
