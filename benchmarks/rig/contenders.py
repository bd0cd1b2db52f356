"""Who recommends to the simulated viewers of rig/tastes.py: Reelm's ranker and others beside it.

Each is told of new videos, asked for pages and told what the viewer did; `Learner` and `Refitted`
do it through the verbs that serve real viewers.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from benchmarks.rig.tastes import DAY_MS, HOUR_MS, START_MS, Audience, Clip, Outcome, Visit, World

from reelm.feed.ranker import Ask, Pick, Ranker, VideoFacts
from reelm.feed.ranker.sizes import Sizes
from reelm.feed.signals import Kind, Signal, Surface, is_long_view
from reelm.feed.weights import TRIAL_DAYS, TRIAL_IMPRESSIONS, trial_share

# Ids of the simulation begin at 0, which stands for none in a signal.
FIRST_ID = 1_000_000
BATCH = 256

Longs = npt.NDArray[np.int64]


class Contender(Protocol):
    """One who recommends."""

    def publish(self, clips: Sequence[Clip]) -> None:
        """Take in new videos."""

    def page(self, visit: Visit, count: int) -> list[int]:
        """Return videos for one page."""

    def learn(self, visit: Visit, outcomes: Sequence[Outcome]) -> None:
        """Take in what the viewer did with the page, in its order."""


class Learner:
    """Reelm's ranker, which learns from each page before the next one is asked for."""

    def __init__(self, world: World, sizes: Sizes | None = None) -> None:
        self.ranker = Ranker(sizes or Sizes(), seed=world.seed)
        self.picks: list[Pick] = []  # of the page that was given out last
        self.creator_of: dict[int, int] = {}
        self.followed: defaultdict[int, frozenset[int]] = defaultdict(frozenset)

    def publish(self, clips: Sequence[Clip]) -> None:
        """Take in new videos."""
        self.creator_of |= {clip.video: FIRST_ID + clip.creator for clip in clips}
        self.ranker.add_videos(_facts(clip) for clip in clips)

    def page(self, visit: Visit, count: int) -> list[int]:
        """Return videos for one page."""
        return self._pages(visit, count, frozenset())

    def learn(self, visit: Visit, outcomes: Sequence[Outcome]) -> None:
        """Observe impressions, watches and acts at once."""
        self.ranker.observe(self._signals(visit, self.given(outcomes), outcomes))

    def given(self, outcomes: Sequence[Outcome]) -> list[Pick]:
        """Return the picks that led to outcomes; of those before the start there are none."""
        picks, self.picks = self.picks, []
        return picks or [Pick(FIRST_ID + done.video, "rest", 0.0, 1.0) for done in outcomes]

    def _pages(self, visit: Visit, count: int, without: frozenset[int]) -> list[int]:
        viewer_id = FIRST_ID + visit.viewer
        followed = self.followed[visit.viewer]
        ask = Ask(viewer_id, visit.at_ms, count, followed=followed, without=without)
        self.picks = self.ranker.recommend(ask)
        return [pick.video_id - FIRST_ID for pick in self.picks]

    def _signals(
        self, visit: Visit, picks: Sequence[Pick], outcomes: Sequence[Outcome]
    ) -> list[Signal]:
        """Return a page's signals as the appender would write them: shown, then acted on."""
        signals = [
            Signal(
                FIRST_ID + visit.viewer,
                pick.video_id,
                Kind.IMPRESSION,
                visit.at_ms,
                duration_ms=done.duration_ms,
                surface=Surface.FOR_YOU,
                page_id=visit.at_ms,
                position=position,
                source=pick.source,
                propensity=pick.propensity,
            )
            for position, (pick, done) in enumerate(zip(picks, outcomes, strict=True))
        ]
        at_ms = visit.at_ms
        for done in outcomes:
            at_ms += done.watched_ms
            creator = self.creator_of[done.video]
            if done.followed:
                self.followed[visit.viewer] |= {creator}
            signals += _acts(FIRST_ID + visit.viewer, at_ms, done, creator)
        return signals


class Refitted(Learner):
    """The same ranker as it would be if it learned once in a while, as batch recommenders do.

    Between refits it serves with the state of the last one. What a viewer was shown since is left
    out, and new videos are candidates at once: only learning waits.
    """

    def __init__(self, world: World, sizes: Sizes | None = None, every_ms: int = HOUR_MS) -> None:
        super().__init__(world, sizes)
        self.every_ms = every_ms
        self.next_ms = START_MS
        self.waiting: list[Signal] = []
        self.shown: defaultdict[int, set[int]] = defaultdict(set)

    def page(self, visit: Visit, count: int) -> list[int]:
        """Refit if it is time, and return videos for one page."""
        if visit.at_ms >= self.next_ms:
            self.waiting.sort(key=lambda signal: signal.at_ms)
            for start in range(0, len(self.waiting), BATCH):
                self.ranker.observe(self.waiting[start : start + BATCH])
            self.waiting.clear()
            self.shown.clear()
            passed = (visit.at_ms - self.next_ms) // self.every_ms + 1
            self.next_ms += passed * self.every_ms
        return self._pages(visit, count, frozenset(self.shown[visit.viewer]))

    def learn(self, visit: Visit, outcomes: Sequence[Outcome]) -> None:
        """Keep the signals for the next refit."""
        given = self.given(outcomes)
        self.waiting += self._signals(visit, given, outcomes)
        self.shown[visit.viewer] |= {pick.video_id for pick in given}


class _Unseen:
    """Remembers what each viewer was given, and learns nothing by itself."""

    def __init__(self, world: World) -> None:
        self.published = 0
        self.seen = np.zeros((world.size.people, len(world.creator)), np.bool_)

    def publish(self, clips: Sequence[Clip]) -> None:
        """Take in new videos."""
        self.published += len(clips)

    def unseen(self, visit: Visit) -> Longs:
        """Return the videos that the viewer was not given."""
        return np.flatnonzero(~self.seen[visit.viewer, : self.published])

    def given(self, visit: Visit, videos: Longs) -> list[int]:
        """Return these as a page, and remember it."""
        self.seen[visit.viewer, videos] = True
        return [int(video) for video in videos]

    def learn(self, visit: Visit, outcomes: Sequence[Outcome]) -> None:
        """Learn nothing."""


class Popular(_Unseen):
    """Decayed popularity: the share of long views, where older ones weigh less.

    A rate, with what videos are like at first as PRIOR views, does better here than a count, which
    never lets go of what was first. Videos on trial get the same share of places, for the same
    number of impressions and days, as with Reelm, and the seen filter is the same.

    Half-life and prior were tried on the worlds of seeds 0 to 4: 24, 72 and 168 hours with 10
    views, 24 and 168 with 4. From 72 hours on watch time is alike, with 24 it is 3 % less.
    """

    HALF_LIFE_MS = 72 * HOUR_MS
    USUAL, PRIOR = 0.25, 10.0

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.chance = np.random.default_rng((world.seed, 1))
        count = len(world.creator)
        self.published_ms = world.published_ms
        self.long_views, self.views = np.zeros(count), np.zeros(count)
        self.impressions = np.zeros(count, np.int64)

    def page(self, visit: Visit, count: int) -> list[int]:
        """Return unseen videos with the best rates, some places for those on trial."""
        seen = self.seen[visit.viewer]
        chosen: list[int] = []
        here = slice(0, self.published)
        known = self.PRIOR * self._growth(visit.at_ms)
        rate = (self.long_views[here] + self.USUAL * known) / (self.views[here] + known)
        rate = rate + 1e-6 * self.chance.random(self.published)  # ties by lot
        young = self.published_ms[here] > visit.at_ms - TRIAL_DAYS * DAY_MS
        on_trial = young & (self.impressions[here] < TRIAL_IMPRESSIONS)
        for _ in range(count):
            is_open = ~seen[here]
            trial = np.flatnonzero(is_open & on_trial)
            if len(trial) and self.chance.random() < trial_share(0.5):
                video = int(self.chance.choice(trial))
            else:
                video = int(np.argmax(np.where(is_open, rate, -1.0)))
            seen[video] = True
            chosen.append(video)
        return chosen

    def learn(self, visit: Visit, outcomes: Sequence[Outcome]) -> None:
        """Count views and long views."""
        weight = self._growth(visit.at_ms)
        for done in outcomes:
            self.impressions[done.video] += 1
            self.views[done.video] += weight
            self.long_views[done.video] += weight * is_long_view(done.watched_ms, done.duration_ms)

    def _growth(self, at_ms: int) -> float:
        """Later views weigh more: the same as letting all earlier ones decay."""
        return float(2.0 ** ((at_ms - START_MS) / self.HALF_LIFE_MS))


class Lot(_Unseen):
    """Draws unseen videos by lot: the floor."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.chance = np.random.default_rng((world.seed, 2))

    def page(self, visit: Visit, count: int) -> list[int]:
        """Return any unseen videos."""
        return self.given(visit, self.chance.choice(self.unseen(visit), count, replace=False))


class Knowing(_Unseen):
    """Knows each viewer's interest in everything, and takes the most watch time: the ceiling."""

    def __init__(self, world: World, audience: Audience) -> None:
        super().__init__(world)
        self.audience = audience

    def page(self, visit: Visit, count: int) -> list[int]:
        """Return the unseen videos of most expected watch time."""
        unseen = self.unseen(visit)
        expected = self.audience.expected_s(visit, unseen)
        return self.given(visit, unseen[np.argsort(-expected, kind="stable")[:count]])


def _facts(clip: Clip) -> VideoFacts:
    return VideoFacts(
        video_id=FIRST_ID + clip.video,
        creator_id=FIRST_ID + clip.creator,
        tags=clip.tags,
        sound_id=clip.sound,
        duration_ms=clip.duration_ms,
        published_ms=clip.published_ms,
    )


def _acts(viewer_id: int, at_ms: int, done: Outcome, creator: int) -> list[Signal]:
    watch = Signal(
        viewer_id,
        FIRST_ID + done.video,
        Kind.WATCH,
        at_ms,
        watched_ms=done.watched_ms,
        duration_ms=done.duration_ms,
        loops=done.loops,
        long_view=is_long_view(done.watched_ms, done.duration_ms),
        surface=Surface.FOR_YOU,
    )
    acts = {
        Kind.LIKE: done.liked,
        Kind.SHARE: done.shared,
        Kind.COMMENT_OPENED: done.commented,
        Kind.NOT_INTERESTED: done.refused,
        Kind.FOLLOW: done.followed,
        Kind.PROFILE_VISIT: done.visited,
    }
    act = watch._replace(watched_ms=0, loops=0, long_view=False, subject=str(creator))
    return [watch, *(act._replace(kind=kind) for kind, happened in acts.items() if happened)]
