"""A thousand pages of one viewer who has many tabs open and swipes in haste."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection

import pytest
from benchmarks.rig.client import Client
from sqlalchemy import insert, select
from tests.accounts.factory import signed_in, signed_up
from tests.social.factory import make_account, make_rendition, make_video

from reelm.feed import live
from reelm.feed.models import SignalRow
from reelm.feed.ranker import Sizes
from reelm.feed.signals import Kind
from reelm.foundation.ids import new_id
from reelm.videos.models import Rendition, Video, VideoHashtag
from reelm.web.api.feed import SEEN_AGAIN

REQUESTS = 1_000
# As many pages as the tabs ask for show each video some four times.
VIDEOS, MAKERS, TOPICS = 1_200, 40, 12
# Of each tab, how many videos it asks for at once.
TABS = (3, 3, 4, 5, 10)
# Pages whose watches a tab tells of together: what failed to be told is told with the next ones.
TOLD_TOGETHER = 3
# What the ranker remembers of impressions must not be what bounds the test.
ROOM = Sizes(**dict.fromkeys(Sizes.__dataclass_fields__, 1 << 13))


@pytest.fixture(autouse=True)
def small_ranker(monkeypatch):
    """Give the ranker room for some thousands of everything."""
    monkeypatch.setattr(live, "SIZES", ROOM)


@pytest.fixture
def catalogue(parts) -> set[str]:
    """Post many videos: one by the factory, the others as its copies by other people."""
    with parts.transaction() as session:
        people = [make_account(session) for _ in range(MAKERS)]
        first = make_video(session, people[0])
        make_rendition(session, first, "360")
        made = [new_id() for _ in range(VIDEOS - 1)]
        video = dict(session.execute(select(Video.__table__)).mappings().one())
        rendition = dict(session.execute(select(Rendition.__table__)).mappings().one())
        session.execute(
            insert(Video),
            [{**video, "id": id_, "account_id": people[n % MAKERS]} for n, id_ in enumerate(made)],
        )
        session.execute(insert(Rendition), [{**rendition, "video_id": id_} for id_ in made])
        session.execute(
            insert(VideoHashtag),
            [{"video_id": id_, "tag": f"topic{n % TOPICS}"} for n, id_ in enumerate(made)],
        )
    return {str(first), *map(str, made)}


@dataclass
class Viewing:
    """What one viewer's tabs do, and what they were given."""

    port: int
    cookies: dict[str, str]
    left: int = REQUESTS
    fresh: list[str] = field(default_factory=list)
    again: list[list[str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        with ThreadPoolExecutor(len(TABS)) as pool:
            list(pool.map(self._tab, TABS))

    def _tab(self, limit: int) -> None:
        chance, cursor, passed = random.Random(limit), "", list[str]()
        with connected(self.port, self.cookies) as client:
            while self._may():
                page = asked(client, limit, cursor)
                cursor = page["cursor"]
                assert page["notice"] == (SEEN_AGAIN if page["seen_again"] else None)
                ids = [video["id"] for video in page["videos"]]
                with self.lock:
                    if page["seen_again"]:
                        self.again.append(ids)
                    else:
                        self.fresh += ids
                passed += ids
                if len(passed) >= TOLD_TOGETHER * limit:
                    skip(client, passed, chance)
                    passed.clear()

    def _may(self) -> bool:
        with self.lock:
            self.left -= 1
            return self.left >= 0


@contextmanager
def connected(port: int, cookies: dict[str, str]) -> Iterator[Client]:
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        yield Client(port, dict(cookies), connection)


def asked(client: Client, limit: int, cursor: str = ""):
    answer = client.get(f"/api/feed?limit={limit}&cursor={cursor}")
    assert answer.status == 200, answer.body
    return answer.json


def skip(client: Client, ids: list[str], chance: random.Random) -> None:
    """Swipe each away before a second has passed."""
    told = [
        f'{{"video_id":"{id_}","watched_ms":{chance.randint(50, 950)},"duration_ms":10000}}'
        for id_ in ids
    ]
    body = f'{{"watches":[{",".join(told)}]}}'.encode()
    sent = {"Content-Type": "application/json"}
    answer = client.send("POST", "/api/watches", headers=sent, body=body)
    assert answer.status == 204, answer.body


def shown(parts) -> Iterator[str]:
    """Yield what was shown, in the order of the log."""
    query = select(SignalRow.video_id).where(SignalRow.kind == Kind.IMPRESSION)
    with parts.transaction() as session:
        yield from map(str, session.scalars(query.order_by(SignalRow.seq)))


def oldest_first(log: list[str]) -> list[str]:
    return list(reversed(dict.fromkeys(reversed(log))))


def test_nothing_repeats_in_a_thousand_pages_until_all_were_seen(catalogue, server, parts):
    port = int(server.rsplit(":", 1)[1])
    cookies = of_account(parts)
    viewing = Viewing(port, cookies)
    viewing.run()

    assert len(viewing.fresh) == len(set(viewing.fresh)), "a video came twice"
    assert set(viewing.fresh) == catalogue, "one came again before all had come"
    log = list(shown(parts))
    pages = [viewing.fresh, *viewing.again]
    assert sorted(log) == sorted(id_ for page in pages for id_ in page)
    assert len(log) > 3 * VIDEOS, "it went around several times"

    # At most one page of each tab is on its way: so much may be overtaken, and no more.
    least = VIDEOS - sum(TABS)
    last = dict[str, int]()
    for place, id_ in enumerate(log):
        assert place - last.get(id_, -VIDEOS) > least, "it came again before older ones"
        last[id_] = place

    # Nothing is on its way any more: the order is exact.
    expected = oldest_first(log)
    with connected(port, cookies) as client:
        for start in range(0, 60, 10):
            page = asked(client, 10)
            assert [video["id"] for video in page["videos"]] == expected[start : start + 10]
            assert (page["seen_again"], page["notice"]) == (True, SEEN_AGAIN)


def of_account(parts) -> dict[str, str]:
    """Return the cookies of somebody new who is signed in."""
    with parts.transaction() as session:
        account_id = signed_up(session, parts).account_id
        return {"reelm_session": signed_in(session, parts, account_id).token}
