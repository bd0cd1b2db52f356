"""From an accepted order to the last exit closed, with VIEWERS streaming; and what the check costs.

Viewers fetch ranges of one video over connections of their own, each at the speed of a video of
1.6 Mbit/s, into a small receive buffer. An order is handed in over HTTP while all of them stream.
`last_byte_s` is how long after the answer to that request a viewer still received a byte of it (0:
none); `refused_s` is when the page, the API, the manifest, the poster and the feed had all ended
to show it, looked at every 20 ms. Then the order is lifted and the next kind comes.

`nginx` is the same with plain nginx: the file is taken out of its configuration and nginx is told
to reload, which is how one withholds a file there. What was on its way goes on.

`check_us` is the time of the check of one request for media, from memory, as the server does it;
`share_of_request` is that by the CPU time of a whole request of 64 KiB and of 1 MiB.

    python benchmarks/orders.py [VIEWERS] [ROUNDS]

Needs nginx and wrk (Debian packages).
"""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
from benchmarks.rig.client import Client
from benchmarks.rig.figures import finish, say, summary
from benchmarks.rig.serving import cpu_s, made, serving
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reelm import app, regions
from reelm.accounts import ensure_account
from reelm.foundation.clock import now, utc_text
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.regions import orders
from reelm.videos.models import Rendition, Video
from reelm.web.media_index import MediaIndex
from reelm.web.withholding import Changes, ServiceBlock

KINDS = ("remove", "suspend_account", "block_service")
FILE_BYTES = 24 << 20
RANGE_BYTES = 800 << 10  # four seconds of video
SPEED = 200_000  # bytes a second
PIECE = 16 << 10
BUFFER = 16 << 10
LOOK_EVERY_S = 0.02
WATCH_AFTER_S = 12.0
GOAL_S, GOAL_SHARE = 1.0, 0.05


@dataclass
class Scene:
    """A region's video and the authority that orders."""

    region: str
    authority: int
    key: Ed25519PrivateKey
    account: int
    video: int
    made: int = 0

    @property
    def media(self) -> str:
        """Path of the video's file."""
        return f"/media/{self.video}/720.mp4"

    def order(self, kind: str, **targets: list[str]) -> tuple[str, bytes]:
        """Return reference and envelope of a signed order."""
        self.made += 1
        statement = {
            "form": orders.FORM,
            "region": self.region,
            "authority": str(self.authority),
            "reference": f"bench-{self.made}",
            "kind": kind,
            "basis": "Benchmark",
            "issued_at": utc_text(now()),
            "targets": targets,
        }
        payload = msgspec.json.encode(statement)
        envelope = orders.sign_envelope(payload, orders.PAYLOAD_TYPE, [self.key])
        return f"bench-{self.made}", envelope


def main(viewers: int, rounds: int) -> None:
    """Measure, and print one line of JSON."""
    for tool in ("nginx", "wrk"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not installed: apt-get install {tool}")
    with made() as home:
        with app.open_region(home) as parts:
            scene = _scene(parts)
            check_us = _check_us(parts, scene)
        with serving(home) as region:
            web = region.processes()["web"][0]
            last, refused = _rounds(Client(region.port), region.port, scene, viewers, rounds)
            cost = {
                f"{size >> 10}_kib": _request_us(region.port, web, scene.media, size)
                for size in (64 << 10, 1 << 20)
            }
        nginx = _nginx_round(home / "objects", scene, viewers)
    shares = {size: round(check_us / request_us, 4) for size, request_us in cost.items()}
    p99 = _percentile(last, 0.99)
    finish("orders", {
        "viewers": viewers,
        "orders": len(refused),
        "last_byte_s": {"p50": _percentile(last, 0.5), "p99": p99, "most": max(last)},
        "refused_s": summary(refused),
        "nginx_last_byte_s": {"p50": _percentile(nginx, 0.5), "p99": _percentile(nginx, 0.99)},
        "check_us": round(check_us, 2),
        "request_cpu_us": cost,
        "share_of_request": shares,
        "goal": f"p99 <= {GOAL_S} s; share <= {GOAL_SHARE}",
        "met": max(p99, *refused) <= GOAL_S and max(shares.values()) <= GOAL_SHARE,
    })  # fmt: skip


def _scene(parts: Parts) -> Scene:
    """Write a video of random bytes straight into store and tables: only its bytes are fetched."""
    with tempfile.NamedTemporaryFile(dir=parts.home.work) as file:
        file.write(os.urandom(FILE_BYTES))
        file.flush()
        stored = parts.store.put_file("renditions", Path(file.name))
    poster = parts.store.put_bytes("posters", b"a poster")
    key = Ed25519PrivateKey.generate()
    new = orders.NewAuthority(
        name="Benchmark",
        powers=("order_content", "order_service"),
        keys=[key.public_key().public_bytes_raw().hex()],
        objections="nowhere",
    )
    with parts.transaction() as session:
        account, video = ensure_account(session, parts, "maker"), new_id()
        session.add(Video(
            id=video, account_id=account, audience="public", state="ready", caption="bench",
            duration_ms=100_000, width=720, height=1280, poster_object=poster.key,
            created_at=now(), published_at=now(),
        ))  # fmt: skip
        session.flush()
        session.add(Rendition(
            video_id=video, name="720", object=stored.key, size_bytes=FILE_BYTES, width=720,
            height=1280, codecs="avc1.64001f,mp4a.40.2", bitrate_bps=1_600_000,
            peak_bps=1_800_000, frame_rate=30.0, init_length=700, segments=[[700, 300, 2000]],
        ))  # fmt: skip
        authority = orders.add_authority(session, new)
        return Scene(regions.region_id(session), authority, key, account, video)


def _check_us(parts: Parts, scene: Scene) -> float:
    """Return the median time of the check that each request for media makes, twice."""
    changes = Changes(parts)
    block, index = ServiceBlock(parts, changes), MediaIndex(parts, changes)
    changes.start()
    while not changes.connected:
        time.sleep(0.01)
    block.load()
    ask: Any = (scene.media, None, lambda: None)
    index.load(*ask)
    times = []
    for _ in range(50):
        began = time.perf_counter()
        for _ in range(2000):
            if block.from_memory() or index.from_memory(*ask) is None:
                sys.exit("the check did not answer from memory")
        times.append((time.perf_counter() - began) / 2000 * 1e6)
    changes.stop()
    return 2 * sorted(times)[len(times) // 2]


def _rounds(
    client: Client, port: int, scene: Scene, viewers: int, rounds: int
) -> tuple[list[float], list[float]]:
    last, refused = [], []
    targets: dict[str, dict[str, list[str]]] = {
        "remove": {"videos": [str(scene.video)]},
        "suspend_account": {"accounts": [str(scene.account)]},
        "block_service": {},
    }
    for number in range(rounds):
        for kind in KINDS:
            reference, envelope = scene.order(kind, **targets[kind])
            hand_in = partial(_hand_in, client, envelope)
            times, closed = asyncio.run(_watch(port, scene, viewers, hand_in, _exits(scene)))
            last += times
            refused.append(closed)
            words = f"p99 {_percentile(times, 0.99)} s, all exits {closed} s"
            say(f"{number + 1}/{rounds} {kind}: last byte {words}")
            _hand_in(client, scene.order("lift", orders=[reference])[1])
    return last, refused


def _exits(scene: Scene) -> list[str]:
    media = f"/media/{scene.video}"
    return [
        f"/@maker/{scene.video}", f"/api/videos/{scene.video}", f"{media}/master.m3u8",
        f"{media}/poster.jpg", "/api/feed?tab=popular",
    ]  # fmt: skip


def _hand_in(client: Client, envelope: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    reply = client.send("POST", "/api/orders", headers=headers, body=envelope)
    if reply.status != 201:
        sys.exit(f"the order was refused: {reply.body!r}")


async def _watch(
    port: int, scene: Scene, viewers: int, withhold: Callable[[], None], exits: list[str]
) -> tuple[list[float], float]:
    """Return how long after `withhold` each viewer received bytes, and when all exits refused."""
    latest = [0.0] * viewers
    streams = [
        asyncio.create_task(_stream(port, scene.media, latest, number)) for number in range(viewers)
    ]
    await asyncio.sleep(4.0)
    if sum(moment > time.monotonic() - 2 for moment in latest) < viewers * 0.99:
        streaming = sum(moment > time.monotonic() - 2 for moment in latest)
        sys.exit(f"only {streaming} of {viewers} viewers stream")
    await asyncio.to_thread(withhold)
    accepted = time.monotonic()
    closed = await _refused(port, exits, str(scene.video)) if exits else 0.0
    await asyncio.wait(streams, timeout=WATCH_AFTER_S)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    times = [round(max(0.0, moment - accepted), 3) for moment in latest]
    return times, round(max(0.0, closed - accepted), 3)


async def _stream(port: int, path: str, latest: list[float], number: int) -> None:
    """Fetch range after range at the speed of a player until it is refused."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await asyncio.sleep(number / 1000)
    with connection:
        await loop.sock_connect(connection, ("127.0.0.1", port))
        start = 0
        while True:
            ask = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes={start}-"
            ask += f"{start + RANGE_BYTES - 1}\r\n\r\n"
            try:
                await loop.sock_sendall(connection, ask.encode())
                if not await _receive(loop, connection, latest, number):
                    return
            except OSError:
                return
            start = (start + RANGE_BYTES) % (FILE_BYTES - RANGE_BYTES)


async def _receive(
    loop: asyncio.AbstractEventLoop, connection: socket.socket, latest: list[float], number: int
) -> bool:
    data = await loop.sock_recv(connection, 2048)
    if not data.startswith(b"HTTP/1.1 206"):
        return False
    head, _, rest = data.partition(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    left = int(found.group(1) if found else 0) - len(rest)
    while left > 0:
        await asyncio.sleep(PIECE / SPEED)
        piece = await loop.sock_recv(connection, min(PIECE, left))
        if not piece:
            return False
        latest[number] = time.monotonic()
        left -= len(piece)
    return True


async def _refused(port: int, exits: list[str], video: str) -> float:
    client, open_ = Client(port), set(exits)
    while open_:
        for path in list(open_):
            reply = await asyncio.to_thread(client.get, path)
            if reply.status == 451 or (reply.status == 200 and video.encode() not in reply.body):
                open_.discard(path)
        closed = time.monotonic()
        await asyncio.sleep(LOOK_EVERY_S)
    return closed


def _request_us(port: int, web: int, path: str, size: int) -> float:
    """Return the CPU time in microseconds of one request for a range of `size` bytes."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(
            'request = function() return wrk.format("GET", "'
            f'{path}", {{["Range"]="bytes=0-{size - 1}"}}) end'
        )
        script.flush()
        before = cpu_s(web)
        done = subprocess.run(
            [
                *("wrk", "-t1", "-c4", "-d4s", "-s", script.name),
                f"http://127.0.0.1:{port}",
            ],
            check=True,
            capture_output=True,
            text=True,
        )
    total = re.search(r"(\d+) requests in", done.stdout)
    if total is None or "Non-2xx" in done.stdout:
        sys.exit(f"not all answers were right:\n{done.stdout}")
    return round((cpu_s(web) - before) / int(total.group(1)) * 1e6, 1)


NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = {path} {{ {rule} }}
  }}
}}
"""


def _nginx_round(objects: Path, scene: Scene, viewers: int) -> list[float]:
    file = max((p for p in objects.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    with _nginx(file, scene.media) as (port, withhold):
        times, _ = asyncio.run(_watch(port, scene, viewers, withhold, []))
    say(f"nginx: last byte p99 {_percentile(times, 0.99)} s")
    return times


@contextmanager
def _nginx(file: Path, path: str) -> Iterator[tuple[int, Callable[[], None]]]:
    folder = Path(tempfile.mkdtemp(prefix="reelm-nginx-"))
    folder.chmod(0o755)
    shutil.copy(file, folder / "media.mp4")
    (folder / "media.mp4").chmod(0o644)
    port, config = 8000 + os.getpid() % 1000, folder / "nginx.conf"

    def configure(rule: str) -> None:
        config.write_text(NGINX.format(folder=folder, port=port, path=path, rule=rule))

    configure(f"alias {folder}/media.mp4;")
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config)])
    time.sleep(0.5)

    def withhold() -> None:
        configure("return 451;")
        process.send_signal(signal.SIGHUP)

    try:
        yield port, withhold
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*(arguments + [1000, 3][len(arguments) :]))
