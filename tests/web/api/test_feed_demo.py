"""The feed that learns, on the demo's own videos: a taste is found, and a new one too."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.social.factory import make_rendition, make_video

from reelm.commands.demo_clips import HEIGHT, WIDTH, clips
from reelm.commands.demo_fill import Filling
from reelm.commands.demo_topics import TOPICS
from reelm.feed.live import make_ranker
from reelm.videos.hashtags import hashtags

NAMES = [topic.name for topic in TOPICS]
# What the page asks for at a time (feed-source.js), ten in all.
TEN = (3, 3, 4)
# Places of a response that are compared.
WHOLE = 50


@pytest.fixture
def topics(parts, live_feed, heard) -> dict[str, str]:
    """Post the demo's clips by its people, as rows: nothing is drawn. Return their topics."""
    filling = Filling(parts, time.monotonic(), threading.Event(), print)
    filling.ensure_people()
    with parts.transaction() as session:
        for clip in clips():
            filling.posted[clip.name] = make_video(
                session,
                filling._creator(session, clip.handle),
                tags=hashtags(clip.caption),
                caption=clip.caption,
                duration_ms=int(clip.duration_s * 1000),
                language="en",
                width=WIDTH,
                height=HEIGHT,
            )
            make_rendition(session, filling.posted[clip.name], "360")
    filling._react()
    made = {str(filling.posted[clip.name]): clip.topic.name for clip in clips()}
    heard(*made)
    return made


@dataclass
class Person:
    """A fresh viewer with a taste for one topic."""

    client: TestClient
    topics: dict[str, str]
    loves: str
    chance: random.Random

    def page(self, limit: int) -> list[dict[str, Any]]:
        """Ask for what comes next."""
        answer = self.client.get("/api/feed", params={"limit": limit})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["is_profiled"]
        assert not page["seen_again"]
        videos: list[dict[str, Any]] = page["videos"]
        assert len(videos) == limit
        return videos

    def is_loved(self, video: dict[str, Any]) -> bool:
        return self.topics[video["id"]] == self.loves

    def watch(self, video: dict[str, Any]) -> None:
        """Finish what is loved, and skip the rest."""
        duration_ms = video["duration_ms"]
        watched_ms = duration_ms if self.is_loved(video) else self.chance.randint(200, 1500)
        told = {"video_id": video["id"], "watched_ms": watched_ms, "duration_ms": duration_ms}
        answer = self.client.post("/api/watches", json={"watches": [told]})
        assert answer.status_code == 204, answer.text

    def swipe(self, shown: list[dict[str, Any]], finished: int) -> Iterator[dict[str, Any]]:
        """Go through these and what comes then, until so many are finished; yield each before."""
        while True:
            for video in shown:
                yield video
                self.watch(video)
                finished -= self.is_loved(video)
                if finished == 0:
                    return
            shown = self.page(TEN[0])


@pytest.fixture
def person(application, join, topics):
    """Make a fresh viewer: every other one without an account."""

    def person(number: int) -> Person:
        client = join(f"fresh_{number}") if number % 2 else TestClient(application)
        client.base_url, client.headers["origin"] = "https://localhost", "https://localhost"
        return Person(client, topics, NAMES[number % len(NAMES)], random.Random(number))

    return person


def ids(videos) -> list[str]:
    return [video["id"] for video in videos]


def share(topics, shown, topic) -> int:
    return sum(topics[id_] == topic for id_ in shown)


def test_a_topic_finished_thrice_doubles_its_share_and_a_new_taste_is_followed(person, topics):
    before = after = left = followed = 0
    for number, topic in enumerate(NAMES):
        viewer = person(number)
        first = viewer.page(10)
        before += share(topics, ids(first), topic)
        for _ in viewer.swipe(first, finished=3):
            pass
        next_ten = viewer.page(10)
        # A tenth of the demo's videos are of this topic.
        assert share(topics, ids(next_ten), topic) >= 2, f"{topic}, finished thrice"
        after += share(topics, ids(next_ten), topic)

        new = viewer.loves = NAMES[(number + 3) % len(NAMES)]
        for _ in viewer.swipe(next_ten, finished=1):
            pass
        ten = list[str]()
        for limit in TEN:
            some = viewer.page(limit)
            ten += ids(some)
            for video in some:
                viewer.watch(video)
        assert share(topics, ten, new) >= 2, f"from {topic} to {new}"
        left += share(topics, ten, topic)
        followed += share(topics, ten, new)
    assert after >= 2 * before
    assert followed >= 3 * left


def test_the_very_next_response_follows_from_the_last_watch(person, topics, live_feed, monkeypatch):
    asks, recommend = [], live_feed.holder._ranker.recommend

    def note(ask):
        asks.append(ask)
        return recommend(ask)

    monkeypatch.setattr(live_feed.holder._ranker, "recommend", note)
    for number, (topic, finished) in enumerate(product(NAMES[:2], (1, 3))):
        viewer = person(number)
        viewer.loves = topic
        for video in viewer.swipe(viewer.page(10), finished):
            if viewer.is_loved(video):
                without, _ = live_feed.holder._copy()
        with_it, _ = live_feed.holder._copy()
        viewer.page(10)
        # The same request, moment and chance: the last watch alone makes the difference. So far
        # down as all of a topic that is liked already may stand in the first ten either way.
        ask = asks[-1]._replace(limit=WHOLE)
        other, same, again = (
            [str(pick.video_id) for pick in make_ranker(state).recommend(ask)]
            for state in (without, with_it, with_it)
        )
        assert same == again
        assert same != other
        if finished == 1:
            assert share(topics, same[:10], topic) > share(topics, other[:10], topic)
