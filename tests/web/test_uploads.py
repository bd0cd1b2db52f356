"""Uploads over a real socket, with the stock client tuspy and by hand."""

import base64
import hashlib
import http.client
import io
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from tests.accounts.factory import signed_in
from tests.videos.acts import left_files, person, stored
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from reelm import videos
from reelm.web import tus_body

DATA = bytes(range(256)) * 12_000  # 3 MB
TUS = {"Tus-Resumable": "1.0.0"}
PATCH = {**TUS, "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def cookie(parts):
    """Sign an account in and return its cookie header."""

    def cookie(handle: str = "ana") -> dict[str, str]:
        account_id = person(parts, handle)
        with parts.transaction() as session:
            token = signed_in(session, parts, account_id).token
        return {"Cookie": f"reelm_session={token}"}

    return cookie


@pytest.fixture
def web(server, cookie):
    """An HTTP client signed in as ana."""
    with httpx.Client(base_url=server, headers=cookie(), timeout=30) as client:
        yield client


def begun(web, size: int = len(DATA), **words: str) -> str:
    """Create an upload and return its URL."""
    pairs = (f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in words.items())
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)}
    answer = web.post("/api/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def patched(web, url: str, offset: int, data: bytes, **headers: str):
    return web.patch(url, content=data, headers={**PATCH, "Upload-Offset": str(offset), **headers})


def test_tuspy_uploads_in_chunks_with_checksums(server, cookie, parts):
    client = TusClient(f"{server}/api/uploads", headers=cookie())
    uploader = client.uploader(
        file_stream=io.BytesIO(DATA),
        chunk_size=1_000_000,
        metadata={"filename": "😀 clip.mp4", "caption": "Hello #cats", "audience": "public"},
        upload_checksum=True,
    )
    uploader.upload()
    assert uploader.request is not None
    assert int(uploader.request.response_headers["reelm-video-id"]) > 0
    (original,) = stored(parts, "originals")
    assert parts.store.get(original) == DATA
    assert left_files(parts) == []


def test_tuspy_resumes_where_it_was_cut(server, cookie, parts):
    client = TusClient(f"{server}/api/uploads", headers=cookie())
    first = client.uploader(file_stream=io.BytesIO(DATA), chunk_size=500_000)
    first.upload(stop_at=1_000_000)
    again = client.uploader(file_stream=io.BytesIO(DATA), url=first.url)
    assert again.offset == 1_000_000
    again.upload()
    (original,) = stored(parts, "originals")
    assert parts.store.get(original) == DATA


def test_tuspy_is_told_why_it_may_not(server, cookie):
    stranger = TusClient(f"{server}/api/uploads")
    with pytest.raises(TusCommunicationError) as refused:
        stranger.uploader(file_stream=io.BytesIO(DATA)).upload()
    assert refused.value.status_code == 401
    ana = TusClient(f"{server}/api/uploads", headers=cookie())
    url = ana.uploader(file_stream=io.BytesIO(DATA)).create_url()
    ben = TusClient(f"{server}/api/uploads", headers=cookie("ben"))
    with pytest.raises(TusCommunicationError) as refused:
        ben.uploader(file_stream=io.BytesIO(DATA), url=url)
    assert refused.value.status_code == 404
    wrong = ana.uploader(file_stream=io.BytesIO(DATA), url=url)
    wrong.offset = 17
    with pytest.raises(TusUploadFailed) as failed:
        wrong.upload_chunk()
    assert failed.value.status_code == 409


def test_the_server_says_what_it_can_before_the_first_byte(web, parts):
    answer = web.options("/api/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(parts.settings.upload.max_bytes)
    assert "checksum" in answer.headers["tus-extension"]
    assert "sha1" in answer.headers["tus-checksum-algorithm"]


def test_the_answers_carry_what_tus_wants(web):
    words = {"filename": "a.mp4", "caption": "x"}
    url = begun(web, 10, **words)
    head = web.head(url, headers=TUS)
    assert head.status_code == 200
    assert head.headers["upload-offset"] == "0"
    assert head.headers["upload-length"] == "10"
    assert head.headers["upload-metadata"].startswith("filename ")
    assert head.headers["cache-control"] == "no-store"
    assert head.headers["upload-expires"].endswith("GMT")
    half = patched(web, url, 0, b"01234")
    assert (half.status_code, half.headers["upload-offset"]) == (204, "5")
    assert "upload-expires" in half.headers
    assert "reelm-video-id" not in half.headers
    rest = patched(web, url, 5, b"56789")
    assert rest.headers["upload-offset"] == "10"
    video_id = rest.headers["reelm-video-id"]
    head = web.head(url, headers=TUS)
    assert head.headers["upload-offset"] == "10"
    assert head.headers["reelm-video-id"] == video_id


def test_bytes_may_come_with_the_creation(web, parts):
    headers = {**PATCH, "Upload-Length": "10"}
    answer = web.post("/api/uploads", headers=headers, content=b"01234")
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "5")
    answer = web.post("/api/uploads", headers={**headers, "Upload-Length": "5"}, content=b"01234")
    assert answer.status_code == 201
    assert int(answer.headers["reelm-video-id"]) > 0
    assert len(stored(parts, "originals")) == 1


def test_a_post_may_stand_for_a_patch(web):
    url = begun(web, 10)
    headers = {**PATCH, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    answer = web.post(url, headers=headers, content=b"0123456789")
    assert answer.status_code == 204
    assert "reelm-video-id" in answer.headers
    assert web.post(url, headers=TUS).status_code == 405


def test_wrong_requests_have_their_status_and_change_nothing(web, parts):
    url = begun(web, 10)
    assert patched(web, url, 3, b"x").status_code == 409
    assert patched(web, url, 0, b"x" * 11).status_code == 413
    assert web.patch(url, headers={**PATCH, "Tus-Resumable": "0.2.2"}).status_code == 412
    plain = {**TUS, "Upload-Offset": "0", "Content-Type": "video/mp4"}
    assert web.patch(url, headers=plain, content=b"x").status_code == 415
    wrong = base64.b64encode(hashlib.sha256(b"y").digest()).decode()
    answer = patched(web, url, 0, b"x", **{"Upload-Checksum": f"sha256 {wrong}"})
    assert answer.status_code == 460
    assert answer.json()["title"] == "Checksum Mismatch"
    for checksum in ("crc32 AAAA", "sha1 ***", "sha1"):
        answer = patched(web, url, 0, b"x", **{"Upload-Checksum": checksum})
        assert answer.status_code in {400, 460}
    for offset in ("-1", "x", "", "1e3", "9" * 30):
        headers = {**PATCH, "Upload-Offset": offset}
        assert web.patch(url, headers=headers, content=b"x").status_code == 400
    assert web.head(url, headers=TUS).headers["upload-offset"] == "0"
    assert stored(parts) == set()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Upload-Length": "0"}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "9" * 17}, 413),
        ({"Upload-Length": "10", "Upload-Defer-Length": "1"}, 400),
        ({"Upload-Length": "10", "Upload-Concat": "partial"}, 400),
        ({"Upload-Length": "10", "Upload-Metadata": "filename ***"}, 400),
        ({"Upload-Length": "10", "Upload-Metadata": "filename /w=="}, 400),
        ({"Upload-Length": "10", "Upload-Metadata": "a YQ==,a YQ=="}, 400),
        ({"Upload-Length": "10", "Upload-Metadata": "caption AA=="}, 400),
        ({"Upload-Length": "10", "Upload-Metadata": "audience YQ=="}, 400),
        ({"Upload-Length": "10", "Upload-Metadata": "x" * 20_000}, 400),
    ],
)
def test_uploads_that_cannot_be_are_refused_at_once(web, parts, headers, status):
    answer = web.post("/api/uploads", headers={**TUS, **headers})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert left_files(parts) == []


def test_unknown_uploads_are_missing_and_ended_ones_too(web, parts):
    for name in ("1", "0", "x", "9" * 19, "9" * 30, "..%2f1"):
        assert web.head(f"/api/uploads/{name}", headers=TUS).status_code == 404
    url = begun(web)
    patched(web, url, 0, DATA[:1000])
    assert web.delete(url, headers=TUS).status_code == 204
    assert web.head(url, headers=TUS).status_code == 404
    assert patched(web, url, 1000, DATA[1000:]).status_code == 404
    assert web.delete(url, headers=TUS).status_code == 404
    assert left_files(parts) == []


def sending(server: str, url: str, cookie: dict[str, str]) -> http.client.HTTPConnection:
    """Begin a request that announces all of DATA."""
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=20)
    connection.putrequest("PATCH", url)
    for name, value in {**PATCH, **cookie, "Upload-Offset": "0"}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(DATA)))
    connection.endheaders()
    return connection


def offset_of(web, url: str) -> int:
    return int(web.head(url, headers=TUS).headers["upload-offset"])


def test_what_arrived_before_the_connection_broke_is_there_to_go_on_from(
    server, web, cookie, parts
):
    url = begun(web)
    connection = sending(server, url, cookie())
    connection.send(DATA[:1_500_000])
    time.sleep(0.3)
    connection.close()
    end = time.monotonic() + 5
    while (offset := offset_of(web, url)) == 0 and time.monotonic() < end:
        time.sleep(0.05)
    assert offset == 1_500_000
    assert "reelm-video-id" in patched(web, url, offset, DATA[offset:]).headers
    (original,) = stored(parts, "originals")
    assert parts.store.get(original) == DATA


def test_a_client_that_lost_its_connection_need_not_wait_for_it_to_time_out(server, web, cookie):
    url = begun(web)
    silent = sending(server, url, cookie())
    silent.send(DATA[:1_000_000])
    time.sleep(0.3)
    assert patched(web, url, 0, DATA).status_code == 423
    began = time.monotonic()
    assert offset_of(web, url) == 1_000_000  # asking ends the request that fell silent
    assert time.monotonic() - began < 2
    assert "reelm-video-id" in patched(web, url, 1_000_000, DATA[1_000_000:]).headers
    silent.close()


def test_a_connection_that_falls_silent_is_ended(server, web, cookie, monkeypatch):
    monkeypatch.setattr(tus_body, "SILENT_S", 0.3)
    url = begun(web)
    silent = sending(server, url, cookie())
    silent.send(DATA[:10])
    assert silent.getresponse().status == 400
    silent.close()
    assert offset_of(web, url) == 10


def test_of_two_requests_at_once_one_makes_the_video(server, web, cookie, parts):
    url = begun(web)

    def send(_: int) -> int:
        with httpx.Client(base_url=server, headers=cookie(), timeout=30) as client:
            return int(patched(client, url, 0, DATA).status_code)

    with ThreadPoolExecutor(4) as senders:
        statuses = sorted(senders.map(send, range(4)))
    assert statuses[0] == 204
    assert set(statuses[1:]) <= {409, 423}
    assert len(stored(parts, "originals")) == 1


def test_a_body_is_never_held_whole(server, web, monkeypatch):
    sizes: list[int] = []
    write = videos.Arrival.write

    def measured(arrival, data: bytes) -> None:
        sizes.append(len(data))
        write(arrival, data)

    monkeypatch.setattr(videos.Arrival, "write", measured)
    size = 20 << 20
    url = begun(web, size)
    assert patched(web, url, 0, bytes(size)).status_code == 204
    assert sum(sizes) == size
    assert max(sizes) <= 2 * tus_body.BUFFER_BYTES


def test_my_uploads_lists_what_is_unfinished(web):
    url = begun(web, 10, filename="\u202e../../\U0001f600.mp4")
    patched(web, url, 0, b"0123")
    listed = web.get("/api/me/uploads").json()
    (mine,) = listed["uploads"]
    assert (mine["url"], mine["offset_bytes"], mine["size_bytes"]) == (url, 4, 10)
    assert mine["filename"] == "\u202e../../\U0001f600.mp4"
    assert listed["quota_left_bytes"] == listed["quota_bytes"] - 10
    patched(web, url, 4, b"456789")
    assert web.get("/api/me/uploads").json()["uploads"] == []
