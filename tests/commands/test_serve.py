"""`reelm serve`: every part killed in the middle of work, and everything ends well."""

import base64
import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from tests.commands.served import Served, processes, reelm, until

from reelm.videos.sandbox import ffmpeg_path

TUS = {"tus-resumable": "1.0.0"}
PARTS = ["worker", "web", "database", "supervisor"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A clip whose encode takes long enough to be killed in the middle."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = "testsrc2=s=720x1280:r=30:d=3,noise=alls=20"
    words = ["-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "ultrafast", "-g", "30"]
    words += ["-pix_fmt", "yuv420p", "-loglevel", "error", str(path)]
    subprocess.run([ffmpeg_path(None), *words], check=True)
    return path.read_bytes()


class Uploader:
    """A person who uploads, and goes on after anything."""

    def __init__(self, served: Served, handle: str) -> None:
        self.served = served
        self.client = httpx.Client(base_url=served.address, timeout=30, cookies={})
        terms = until(lambda: self.client.get("/api/region").json())["terms_version"]
        answer = self.client.post(
            "/api/accounts",
            json={
                "handle": handle,
                "password": "correct horse battery",
                "birth_date": "1990-01-01",
                "terms_version": terms,
            },
        )
        assert answer.status_code == 201, answer.text
        session = answer.headers["set-cookie"].split(";")[0]
        self.client.headers["cookie"] = session

    def create(self, size: int) -> str:
        metadata = "filename " + base64.b64encode(b"clip.mp4").decode()
        headers = {**TUS, "upload-length": str(size), "upload-metadata": metadata}
        answer = self.client.post("/api/uploads", headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"].replace(self.served.address, "")

    def offset(self, url: str) -> int | None:
        answer = self.client.head(url, headers=TUS)
        if answer.status_code >= 500:
            return None
        return int(answer.headers["upload-offset"]) + 1  # so that nothing yet is not nothing

    def send(self, url: str, data: bytes, offset: int) -> httpx.Response:
        headers = {
            **TUS,
            "upload-offset": str(offset),
            "content-type": "application/offset+octet-stream",
        }
        return self.client.patch(url, content=data[offset:], headers=headers)

    def finish(self, url: str, data: bytes) -> str:
        """Send what is missing, however often it takes; return the video's id."""

        def more() -> str | None:
            offset = (self.offset(url) or 1) - 1
            answer = self.client.head(url, headers=TUS)
            if video_id := answer.headers.get("reelm-video-id"):
                return video_id
            answer = self.send(url, data, offset)
            return answer.headers.get("reelm-video-id")

        return until(more)


@pytest.fixture
def uploader(served: Served) -> Iterator[Callable[[str], Uploader]]:
    people = []

    def join(handle: str) -> Uploader:
        people.append(Uploader(served, handle))
        return people[-1]

    yield join
    for person in people:
        person.client.close()


def slowly(data: bytes, gate: threading.Event) -> Iterator[bytes]:
    yield data[: len(data) // 2]
    gate.wait(timeout=60)
    yield data[len(data) // 2 :]


@pytest.mark.parametrize("part", PARTS)
def test_an_upload_and_its_encode_go_on_after_a_kill(
    served: Served, uploader: Callable[[str], Uploader], clip: bytes, part: str
) -> None:
    person = uploader(f"up_{part}")
    url = person.create(len(clip))
    gate = threading.Event()

    def send() -> None:
        headers = {**TUS, "upload-offset": "0", "content-type": "application/offset+octet-stream"}
        with contextlib.suppress(httpx.TransportError):
            person.client.patch(url, content=slowly(clip, gate), headers=headers)

    def kill() -> None:
        served.kill(part)
        if part == "supervisor":
            served.start()

    sender = threading.Thread(target=send)
    sender.start()
    until(lambda: any(p.stat().st_size for p in (served.home / "uploads").iterdir()))
    kill()
    gate.set()
    sender.join()
    until(lambda: person.offset(url))
    video_id = person.finish(url, clip)

    until(lambda: encoding(served))
    kill()
    until(lambda: has_ladder(person, video_id))
    until(lambda: settled(served))
    assert served.jobs()["failed"] == 0


def test_afterwards_the_doctor_finds_nothing(served: Served) -> None:
    until(lambda: settled(served))
    answer = reelm("doctor", "--region", str(served.home), check=False)
    assert answer.returncode == 0, answer.stdout


def test_exactly_one_process_answers_on_the_port(served: Served) -> None:
    served.kill("supervisor")
    served.start()
    second = reelm("serve", "--region", str(served.home), check=False)
    assert second.returncode == 2
    assert "served already" in second.stderr
    assert len(listeners(served.port)) == 1
    assert httpx.get(f"{served.address}/healthz").status_code == 200


def test_http_2_is_left_to_the_proxy(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5))
        frame = client.recv(9)
    assert frame[3:4] != b"\x04"  # what a server of HTTP/2 sends first is its settings


def test_another_region_cannot_share_the_port(served: Served, tmp_path: Path) -> None:
    reelm("init", str(tmp_path / "other"), "--jurisdiction", "neutral", "--operator", "Other")
    other = Served(tmp_path / "other", served.port)
    with pytest.raises(AssertionError, match="did not start"):
        other.start()


def test_open_streams_do_not_hold_up_the_stop(
    served: Served, uploader: Callable[[str], Uploader], clip: bytes
) -> None:
    person = uploader("streamer")
    video_id = person.finish(person.create(len(clip)), clip)
    video = until(lambda: final(person, video_id))
    with socket.create_connection(("127.0.0.1", served.port)) as idle:
        path = video["progressive_url"]
        idle.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        idle.recv(1000)  # and read no more
        assert served.stop() < 30
    assert served.everything() == []
    served.start()


def final(person: Uploader, video_id: str):
    answer = person.client.get(f"/api/videos/{video_id}")
    if answer.status_code != 200 or answer.json()["state"] == "processing":
        return None
    return answer.json()


def has_ladder(person: Uploader, video_id: str) -> bool:
    answer = person.client.get(f"/api/videos/{video_id}")
    return answer.status_code == 200 and len(answer.json()["renditions"]) >= 3


def encoding(served: Served) -> bool:
    """Whether an encode runs below this region's worker."""
    running = {pid: (parent, line) for pid, parent, line in processes()}
    workers = {
        pid
        for pid, (_, line) in running.items()
        if "reelm.commands.child worker" in line and str(served.home) in line
    }
    return any(
        "libx264" in line and workers & {parent, running.get(parent, (0, ""))[0]}
        for parent, line in running.values()
    )


def settled(served: Served):
    counts = served.jobs()
    return counts["queued"] == counts["running"] == 0


def listeners(port: int) -> set[str]:
    """Inodes of the sockets that listen on a port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}


def test_a_region_without_its_key_does_not_start(tmp_path: Path) -> None:
    reelm("init", str(tmp_path / "r"), "--jurisdiction", "neutral", "--operator", "Other")
    (tmp_path / "r/keys/region-key").unlink()
    answer = reelm("serve", "--region", str(tmp_path / "r"), check=False)
    assert answer.returncode == 2
    assert "region-key" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("path", ["/proc/no-such-folder", "{file}", "{file}/below"])
def test_a_path_that_cannot_be_is_one_sentence(tmp_path: Path, path: str) -> None:
    file = tmp_path / "file"
    file.touch()
    target = path.format(file=file)
    for words in (
        ["init", target, "--jurisdiction", "neutral", "--operator", "Other"],
        ["serve", "--region", target],
    ):
        answer = reelm(*words, check=False)
        assert answer.returncode == 2, words
        assert len(answer.stderr.strip().splitlines()) == 1, answer.stderr
