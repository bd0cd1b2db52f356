"""A catalogue and a crowd of any size, made as cheaply as can be, to load a ranker with.

Popularity of videos, topics, creators and sounds is Zipf's (exponent 1); a video bears one to four
of 3,000 hashtags, mostly of its topic; every twentieth video has a creator of its own. Viewers
have three topics, a language and an activity (Pareto 1.2, so that some have seen hundreds); 7 in 10
of what they meet is of their topics, and that they watch long three times as often. What the
videos are worth to anybody is no question here: that is benchmarks/rig/tastes.py.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from reelm.feed.ranker import Ask, VideoFacts
from reelm.feed.signals import Kind, Signal, Surface, is_long_view

Ints = npt.NDArray[np.int64]

FIRST_ID, FIRST_CREATOR = 1 << 40, 1 << 41
NOW_MS = 1_767_225_600_000
YEAR_MS = 365 * 86_400_000
TOPICS, TAGS_PER_TOPIC = 300, 10
LANGUAGES = ("en", "hi", "ta", "de", "fr")
CHUNK = 10_000
# Acts besides watching, per watch; a page is five videos.
LIKES, SHARES = 0.03, 0.004
PAGE = 5
# Pages that begin within BLOCK_S: what lies between a page and its last watch is as in life.
BLOCK, BLOCK_S = 2000, 60.0
# The most active viewer against the mean one, about.
MOST_ACTIVE = 50.0
# Time between signals by the crowd's own clock.
SIGNAL_MS = 0.4


class Crowd:
    """Videos and viewers of one size."""

    def __init__(self, videos: int, viewers: int, seed: int = 0) -> None:
        self.videos, self.viewers = videos, viewers
        rng = self.rng = np.random.default_rng(seed)
        self.topic = _zipf(rng, TOPICS, videos).astype(np.int16)
        self.creator = _zipf(rng, max(videos // 20, 1), videos).astype(np.int32)
        popularity = 1.0 / rng.permutation(np.arange(1, videos + 1))
        self.reach = np.cumsum(popularity)
        # Videos of a topic lie together, so that one search finds one by popularity in a topic.
        self.by_topic = np.argsort(self.topic, kind="stable").astype(np.int32)
        self.topic_reach = np.cumsum(popularity[self.by_topic])
        ends = np.searchsorted(self.topic[self.by_topic], np.arange(TOPICS + 1))
        self.topic_begin = np.concatenate([[0.0], self.topic_reach])[ends]
        self.tastes = _zipf(rng, TOPICS, viewers * 3).reshape(viewers, 3).astype(np.int16)
        self.active = np.cumsum(np.minimum(rng.pareto(1.2, viewers) + 0.3, MOST_ACTIVE))
        self.now_ms = NOW_MS
        self._to_come: Ints = rng.permutation(viewers)
        self._waiting: list[Signal] = []
        self._coming: list[tuple[float, Signal]] = []  # of watches that end in the next block

    def facts(self) -> Iterator[list[VideoFacts]]:
        """Yield all videos' facts, oldest first, CHUNK at a time."""
        rng = np.random.default_rng(1)
        for start in range(0, self.videos, CHUNK):
            numbers = range(start, min(start + CHUNK, self.videos))
            counts = rng.integers(1, 5, CHUNK).tolist()
            tags = rng.integers(0, TAGS_PER_TOPIC, (CHUNK, 4)).tolist()
            strange = rng.random(CHUNK).tolist()
            sounds = _zipf(rng, max(self.videos // 10, 1), CHUNK).tolist()
            seconds = np.clip(rng.lognormal(3.0, 0.7, CHUNK), 4, 180).tolist()
            spoken = rng.integers(0, len(LANGUAGES), CHUNK).tolist()
            made = []
            for place, number in enumerate(numbers):
                topic = int(self.topic[number])
                names = {f"t{topic}_{tag}" for tag in tags[place][: counts[place]]}
                if strange[place] < 0.3:
                    names.add("foryou")
                made.append(
                    VideoFacts(
                        FIRST_ID + number,
                        FIRST_CREATOR + int(self.creator[number]),
                        tuple(names),
                        1 + sounds[place],
                        int(seconds[place] * 1000),
                        NOW_MS - YEAR_MS + YEAR_MS * number // self.videos,
                        LANGUAGES[spoken[place]],
                    )
                )
            yield made

    def someone(self, count: int) -> Ints:
        """Draw viewers, active ones more often."""
        drawn: Ints = np.searchsorted(self.active, self.rng.random(count) * self.active[-1])
        return drawn

    def signals(self, count: int) -> list[Signal]:
        """Return the next signals: of many viewers' pages at a time, as they would come in."""
        while len(self._waiting) < count:
            self._waiting = self._block(min(BLOCK, self.viewers // 4)) + self._waiting
        begin_ms, self.now_ms = self.now_ms, self.now_ms + int(count * SIGNAL_MS)
        return [
            self._waiting.pop()._replace(at_ms=begin_ms + int(place * SIGNAL_MS))
            for place in range(count)
        ]

    def _block(self, pages: int) -> list[Signal]:
        """Return the signals of the next BLOCK_S seconds, the first one last."""
        # Nobody looks at two pages at a time.
        different = self.rng.permutation(np.unique(self.someone(2 * pages)))
        # Until all have come once, half of the pages are of those who have not.
        new, self._to_come = self._to_come[: pages // 2], self._to_come[pages // 2 :]
        different = np.concatenate([new, different[~np.isin(different, new)]])[:pages]
        pages = len(different)
        viewers = np.repeat(different, PAGE)
        own = self.rng.random(len(viewers)) < 0.7
        videos = np.searchsorted(self.reach, self.rng.random(len(viewers)) * self.reach[-1])
        topics = self.tastes[viewers, self.rng.integers(0, 3, len(viewers))]
        begin, end = self.topic_begin[topics], self.topic_begin[topics + 1]
        place = begin + self.rng.random(len(viewers)) * (end - begin)
        near = self.by_topic[np.minimum(np.searchsorted(self.topic_reach, place), self.videos - 1)]
        videos = np.where(own & (end > begin), near, np.minimum(videos, self.videos - 1))
        begin_s = (self.rng.random(pages) * BLOCK_S).tolist()
        for page in range(pages):
            shown = videos[page * PAGE : (page + 1) * PAGE].tolist()
            at_s = begin_s[page]
            for signal in self.page(int(viewers[page * PAGE]), [FIRST_ID + n for n in shown]):
                at_s += signal.watched_ms / 1000 if signal.kind == Kind.WATCH else 0
                self._coming.append((at_s, signal))
        self._coming.sort(key=lambda timed: timed[0])
        now = [signal for at_s, signal in self._coming if at_s < BLOCK_S]
        self._coming = [(at_s - BLOCK_S, s) for at_s, s in self._coming[len(now) :]]
        return now[::-1]

    def page(self, viewer: int, video_ids: list[int]) -> list[Signal]:
        """Return what a viewer does with one page: shown, watched, now and then more."""
        viewer_id = FIRST_ID + viewer
        now_ms = self.now_ms
        mine = set(self.tastes[viewer].tolist())
        luck = self.rng.random((len(video_ids), 3)).tolist()
        signals = [
            Signal(
                viewer_id,
                video_id,
                Kind.IMPRESSION,
                now_ms,
                surface=Surface.FOR_YOU,
                position=place,
                source="popular",
            )
            for place, video_id in enumerate(video_ids)
        ]
        for video_id, (patience, like, share) in zip(video_ids, luck, strict=True):
            fits = int(self.topic[video_id - FIRST_ID]) in mine
            watched_ms = 700 + int(20_000 * patience ** (0.7 if fits else 3))
            watch = Signal(
                viewer_id,
                video_id,
                Kind.WATCH,
                now_ms + watched_ms,
                watched_ms=watched_ms,
                duration_ms=20_000,
                long_view=is_long_view(watched_ms, 20_000),
                surface=Surface.FOR_YOU,
            )
            signals.append(watch)
            if like < LIKES:
                signals.append(watch._replace(kind=Kind.LIKE))
            if share < SHARES:
                signals.append(watch._replace(kind=Kind.SHARE))
        return signals

    def ask(self, viewer: int, limit: int) -> Ask:
        """Return a request as the app sends it: half of them follow somebody."""
        followed = frozenset(
            FIRST_CREATOR + int(self.creator[number])
            for number in self.rng.integers(0, self.videos, 20 * (viewer % 2))
        )
        language = LANGUAGES[viewer % len(LANGUAGES)]
        return Ask(
            FIRST_ID + viewer, self.now_ms, limit, followed=followed, languages=(language, "en")
        )


def _zipf(rng: np.random.Generator, kinds: int, count: int) -> Ints:
    """Draw numbers below `kinds`, the n-th with a chance that falls as 1/n."""
    reach = np.cumsum(1.0 / np.arange(1, kinds + 1))
    drawn: Ints = np.searchsorted(reach, rng.random(count) * reach[-1])
    return np.minimum(drawn, kinds - 1)
