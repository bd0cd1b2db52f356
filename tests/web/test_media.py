"""Media: ranges and validators, and the visibility rule in front of every byte."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient
from tests.commands.served import until
from tests.videos.acts import imported, person
from tests.videos.factory import Clips

from reelm import accounts, app, social, videos
from reelm.foundation.jobs import run_worker
from reelm.foundation.parts import Parts
from reelm.videos.models import Rendition, Video
from reelm.web.media_index import MediaIndex
from reelm.web.withholding import Changes


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Clips(tmp_path_factory.mktemp("media"))("mp4")


@dataclass
class Published:
    """A real video of @ana."""

    id: int
    account_id: int

    @property
    def url(self) -> str:
        return f"/media/{self.id}/source.mp4"


@pytest.fixture
def published(parts: Parts, clip: Path) -> Published:
    account_id = person(parts)
    video_id = imported(parts, account_id, clip)
    publish(parts)
    return Published(video_id, account_id)


def publish(parts: Parts) -> None:
    """Make what was imported playable; its ladder is not waited for."""
    asyncio.run(run_worker(parts, app.JOBS, queues={"publish": 1}, until_idle=True))


def test_the_whole_file_is_the_object(client: TestClient, published: Published) -> None:
    answer = client.get(published.url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].strip('"') in hashlib.sha256(answer.content).hexdigest()


def test_ranges_are_slices(client: TestClient, published: Published) -> None:
    whole = client.get(published.url).content
    for header, part in [
        ("bytes=0-0", whole[:1]),
        ("bytes=5-99", whole[5:100]),
        ("bytes=100-", whole[100:]),
        ("bytes=-50", whole[-50:]),
        ("bytes=3-4,10-20", whole[3:5]),
        (f"bytes=10-{len(whole) * 5}", whole[10:]),
    ]:
        answer = client.get(published.url, headers={"range": header})
        assert answer.status_code == 206, header
        assert answer.content == part
        assert answer.headers["content-range"].endswith(f"/{len(whole)}")


@pytest.mark.parametrize(
    "header", ["bytes=9999999-", "bytes=-0", "bytes=5-2", "bytes=x", "bytes=9999999-,0-1"]
)
def test_a_range_outside_is_416_and_no_bytes(
    client: TestClient, published: Published, header: str
) -> None:
    answer = client.get(published.url, headers={"range": header})
    assert answer.status_code == 416
    assert answer.headers["content-range"].startswith("bytes */")
    assert answer.content == b""


def test_head_tells_without_bytes(client: TestClient, published: Published) -> None:
    whole = client.get(published.url)
    answer = client.head(published.url)
    assert answer.headers["content-length"] == str(len(whole.content))
    assert answer.content == b""


def test_a_known_file_is_not_sent_again(client: TestClient, published: Published) -> None:
    etag = client.get(published.url).headers["etag"]
    assert client.get(published.url, headers={"if-none-match": etag}).status_code == 304
    answer = client.get(published.url, headers={"range": "bytes=0-9", "if-range": '"other"'})
    assert answer.status_code == 200


def test_a_manifest_leads_to_every_segment(client: TestClient, published: Published) -> None:
    base = f"/media/{published.id}/"
    master = client.get(base + "master.m3u8")
    assert master.headers["content-type"] == "application/vnd.apple.mpegurl"
    names = [line for line in master.text.splitlines() if line and not line.startswith("#")]
    assert names
    for name in names:
        playlist = client.get(base + name).text
        assert "#EXT-X-MAP" in playlist
        files = {line for line in playlist.splitlines() if line and not line.startswith("#")}
        assert all(client.head(base + file).status_code == 200 for file in files)
    assert client.get(base + "poster.jpg").content[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    "path",
    [
        "/media/1/source.mp4",
        "/media/x/source.mp4",
        "/media/9223372036854775808/source.mp4",
        "/media/99999999999999999999/source.mp4",
        "/avatars/9223372036854775808/x.jpg",
        "/media/{id}/../../keys/region-key",
        "/media/{id}/nothing.mp4",
        "/media/{id}/",
        "/media/",
        "/avatars/1/x.jpg",
    ],
)
def test_what_is_not_there_is_404(client: TestClient, published: Published, path: str) -> None:
    answer = client.get(path.replace("{id}", str(published.id)))
    assert answer.status_code == 404
    assert answer.json()["detail"]


def test_media_take_no_other_methods(client: TestClient, published: Published) -> None:
    assert client.post(published.url).status_code == 405


def change(parts: Parts, video_id: int, **fields: object) -> None:
    with parts.transaction() as session:
        video = session.get_one(Video, video_id)
        for name, value in fields.items():
            setattr(video, name, value)


def test_what_turns_private_stops_at_once(
    client: TestClient, parts: Parts, published: Published
) -> None:
    assert client.get(published.url).status_code == 200
    change(parts, published.id, audience="private")
    assert until(lambda: client.get(published.url).status_code == 404)
    change(parts, published.id, audience="unlisted")
    assert until(lambda: client.get(published.url).status_code == 200)


def test_a_deleted_video_stops_at_once(
    client: TestClient, parts: Parts, published: Published
) -> None:
    assert client.get(published.url).status_code == 200
    with parts.transaction() as session:
        videos.delete_video(session, account_id=published.account_id, video_id=published.id)
    assert until(lambda: client.get(published.url).status_code == 404)


def test_followers_only_is_for_followers_and_the_creator(
    join: Callable[[str], TestClient], parts: Parts, clip: Path
) -> None:
    creator, follower, other = join("creator"), join("follower"), join("other")
    with parts.transaction() as session:
        creator_id = accounts.account_named(session, "creator")
        follower_id = accounts.account_named(session, "follower")
    video_id = imported(parts, creator_id, clip)
    publish(parts)
    change(parts, video_id, audience="followers")
    url = f"/media/{video_id}/source.mp4"
    with parts.transaction() as session:
        social.follow(session, follower_id, creator_id)
    assert creator.get(url).status_code == 200
    assert follower.get(url).status_code == 200
    assert other.get(url).status_code == 404
    with parts.transaction() as session:
        social.unfollow(session, follower_id, creator_id)
    assert until(lambda: follower.get(url).status_code == 404)
    session_url = "/api/sessions/current"
    assert creator.delete(session_url).status_code == 204
    assert until(lambda: creator.get(url).status_code == 404)


def test_memory_is_not_trusted_while_nobody_listens(parts: Parts, published: Published) -> None:
    changes = Changes(parts)
    index, ask = MediaIndex(parts, changes), (published.url, None, lambda: None)
    index.load(*ask)
    assert index.from_memory(*ask) is None
    changes.start()
    until(lambda: changes.connected)
    index.load(*ask)
    assert index.from_memory(*ask) is not None
    changes.stop()
    assert index.from_memory(*ask) is None


def test_a_stream_in_flight_is_cut(
    server: str, parts: Parts, published: Published, tmp_path: Path
) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(64 << 20)
    stored = parts.store.put_file("renditions", big)
    with parts.transaction() as session:
        session.get_one(Rendition, (published.id, "source")).object = stored.key
    received = 0
    try:
        with httpx.stream("GET", f"{server}{published.url}") as answer:
            assert answer.status_code == 200
            for chunk in answer.iter_raw(65536):
                if received == 0:
                    change(parts, published.id, audience="private")
                    until(lambda: httpx.get(f"{server}{published.url}").status_code == 404)
                received += len(chunk)
    except httpx.TransportError:
        pass
    assert received < 64 << 20
