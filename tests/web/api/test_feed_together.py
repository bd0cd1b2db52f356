"""Feed requests and watches of several viewers at once are as those of one."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import func, select, text
from tests.social.factory import make_account, make_rendition, make_video

from reelm import accounts, social
from reelm.feed.models import SignalRow
from reelm.feed.signals import Kind, Signal
from reelm.foundation.errors import Invalid, Unavailable
from reelm.web.api.feed import feed_together
from reelm.web.api.feed_json import feed_video, video_json
from reelm.web.viewer import Answered, Call


@pytest.fixture
def videos(parts, heard):
    with parts.transaction() as session:
        made = [make_video(session, make_account(session), tags=(f"t{n}",)) for n in range(40)]
        for video_id in made:
            make_rendition(session, video_id, "720")
    heard(*map(str, made))
    return made


def many(ask, count):
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(ask, range(count)))


def test_json_from_pieces_is_the_json_of_the_shape(parts):
    with parts.transaction() as session:
        creator = make_account(
            session, "creator", display_name='"is_followed":null,"source":"", 100%b'
        )
        me, fan = make_account(session), make_account(session)
        video_id = make_video(session, creator, caption='"likes":0 %d {} "source":"" \\" é')
        make_rendition(session, video_id, "360")
        social.like(session, fan, video_id)
        social.follow(session, fan, creator)
    for account_id in (None, me, fan, creator, fan, None):
        with parts.transaction() as session:
            glance = social.glances(session, [social.Asked(account_id, [video_id])])[0][0]
            card = social.cards(session, account_id, [video_id])[0]
        assert video_json(glance, "fresh") == msgspec.json.encode(feed_video(card, "fresh"))


def test_many_viewers_at_once_get_pages_of_their_own_that_are_in_the_log(join, videos, parts):
    clients = [join(f"person_{n}") for n in range(4)]

    def ask(n):
        answer = clients[n % 4].get("/api/feed", params={"limit": 4})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        with parts.transaction() as session:
            query = select(SignalRow.video_id).where(SignalRow.kind == Kind.IMPRESSION)
            logged = set(session.scalars(query))
        assert {int(video["id"]) for video in page["videos"]} <= logged
        return n % 4, [video["id"] for video in page["videos"]]

    shown = dict[int, list[str]]()
    for who, ids in many(ask, 32):
        shown.setdefault(who, []).extend(ids)
    assert all(len(ids) == len(set(ids)) == 32 for ids in shown.values())


def test_one_bad_request_among_many_fails_alone(client, videos):
    def ask(n):
        return client.get(
            "/api/feed", params={"cursor": "x" * 32} if n % 4 == 0 else {}
        ).status_code

    codes = many(ask, 24)
    assert codes == [400 if n % 4 == 0 else 200 for n in range(24)]


def test_some_are_profiled_and_some_are_not(join, videos):
    ada, bea = join("ada_l"), join("bea_m")
    bea.patch("/api/feed/settings", json={"is_profiled": False})
    pages = many(lambda n: (ada, bea)[n % 2].get("/api/feed").json()["is_profiled"], 12)
    assert pages == [n % 2 == 0 for n in range(12)]


def test_what_was_withdrawn_is_in_no_page_from_then_on(client, videos, parts):
    many(lambda _: client.get("/api/feed"), 4)
    gone = set(map(str, videos[::2]))
    with parts.transaction() as session:
        session.execute(
            text("UPDATE video SET audience = 'private' WHERE id = ANY(:ids)"),
            {"ids": videos[::2]},
        )
    pages = many(lambda _: client.get("/api/feed").json()["videos"], 12)
    assert not gone & {video["id"] for page in pages for video in page}


def test_a_session_that_was_ended_is_nobodys(join, videos):
    ada = join("ada_l")
    assert ada.get("/api/feed").status_code == 200
    token = ada.cookies["reelm_session"]
    ada.delete("/api/sessions/current")
    ada.cookies.clear()
    ada.cookies.set("reelm_session", token)
    assert "reelm_viewer" in ada.get("/api/feed").headers["set-cookie"]


def test_watches_of_many_count_once_each(join, videos, parts):
    clients = [join(f"person_{n}") for n in range(4)]

    def tell(n):
        told = {"video_id": str(videos[n // 4]), "watched_ms": 4000, "duration_ms": 10_000}
        return clients[n % 4].post("/api/watches", json={"watches": [told]}).status_code

    assert set(many(tell, 16)) == {204}
    again = [tell(n) for n in range(16)]
    assert set(again) == {204}
    with parts.transaction() as session:
        rows = session.scalars(select(SignalRow).where(SignalRow.kind == Kind.WATCH)).all()
    assert len({(row.viewer_id, row.video_id) for row in rows}) == len(rows) == 16


def test_a_paused_history_counts_views_and_writes_nothing(join, videos, parts):
    ada = join("ada_l")
    ada.patch("/api/feed/settings", json={"history_paused": True})
    told = {"video_id": str(videos[0]), "watched_ms": 9500, "duration_ms": 10_000}
    assert ada.post("/api/watches", json={"watches": [told]}).status_code == 204
    with parts.transaction() as session:
        assert session.scalar(text("SELECT views FROM video_count")) == 1
        query = select(SignalRow).where(SignalRow.kind == Kind.WATCH)
        assert session.scalars(query).all() == []


def test_signals_that_the_log_cannot_hold_spoil_only_their_own_request(live_feed, videos):
    good, bad = Signal(5, videos[0], Kind.SHARE), Signal(5, videos[0], Kind.SHARE, loops=1 << 40)
    outcomes = live_feed.observe_all([[good], [bad, good], [good]])
    assert [type(outcome) for outcome in outcomes] == [type(None), Invalid, type(None)]
    assert live_feed.observe_all([[good] * 1500, [good] * 1500]) == [None, None]


def test_while_the_feed_does_not_learn_pages_are_popular_and_watches_are_refused(
    client, videos, live_feed, monkeypatch
):
    def refuse(_):
        raise Unavailable("Not now.")

    for verb in ("observe", "recommend"):
        monkeypatch.setattr(live_feed, verb, refuse)
    assert client.get("/api/feed").json()["is_profiled"] is False
    told = {"video_id": str(videos[0]), "watched_ms": 4000, "duration_ms": 10_000}
    assert client.post("/api/watches", json={"watches": [told]}).status_code == 503


def test_strangers_who_come_together_are_different_viewers(parts, live_feed, videos):
    calls = [Call("", None, {"limit": 2}) for _ in range(5)]
    answers = feed_together(parts, live_feed, calls)
    assert len({answer.new_id for answer in answers if isinstance(answer, Answered)}) == 5


def test_strangers_of_one_address_tell_of_so_many_watches_and_people_with_an_account_of_any(
    client, join, videos, parts, monkeypatch
):
    monkeypatch.setattr(accounts, "WATCH_ADDRESS", accounts.Limit("watch.address", 10, 300))
    ada = join("ada")

    def tell(who, number=4):
        who.cookies.pop("reelm_viewer", None)
        told = [{"video_id": str(video), "watched_ms": 900} for video in videos[:number]]
        return who.post("/api/watches", json={"watches": told})

    def written():
        with parts.transaction() as session:
            rows = select(func.count()).select_from(SignalRow)
            return session.scalar(rows.where(SignalRow.kind == Kind.WATCH))

    assert [tell(client).status_code for _ in range(2)] == [204, 204]
    before = written()
    refused = [tell(client) for _ in range(3)]
    assert {answer.status_code for answer in refused} == {429}
    assert 0 < int(refused[0].headers["retry-after"]) <= 300
    assert written() == before
    assert tell(ada).status_code == 204
    assert written() > before
