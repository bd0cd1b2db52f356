"""Ranged reads of media: Reelm's web process against nginx, each on one core.

The same published file is read in random ranges of 64 KiB, 256 KiB and 1 MiB by wrk on the other
core: from `reelm serve` with its visibility check, and from nginx with one worker and sendfile.
Rounds alternate between the two, so that whatever else the machine does hits both; a ratio is that
of one round, and the median of the rounds is given. `per_s` is what the client saw; `per_cpu_s` is
reads per CPU second of the server's process, which stays true when the client or another program
on the machine is what limits the first.

    python benchmarks/media.py [ROUNDS] [SECONDS]

Needs wrk and nginx (Debian packages of these names) and two cores.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rig.clip import phone_clip
from benchmarks.rig.figures import finish, say, summary
from benchmarks.rig.serving import Served, cpu_s, served

SIZES = (64 << 10, 256 << 10, 1 << 20)
CONNECTIONS = 8
SERVER_CORE, CLIENT_CORE = 0, 1
GOAL = 0.8

RANDOM_RANGES = """
local size, length = {size}, {length}
math.randomseed({seed})
request = function()
  local start = math.random(0, size - length)
  local range = "bytes=" .. start .. "-" .. (start + length - 1)
  return wrk.format("GET", "{path}", {{ ["Range"] = range }})
end
"""
NGINX = """
daemon off;
worker_processes 1;
worker_cpu_affinity {mask};
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 512; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


@dataclass(frozen=True)
class _Server:
    """Where one of the two listens, and the process that answers."""

    port: int
    pid: int


@dataclass(frozen=True)
class _Rate:
    """Reads of one round."""

    per_s: float
    per_cpu_s: float


def main(rounds: int, seconds: int) -> None:
    """Measure, and print one line of JSON."""
    for tool in ("wrk", "nginx"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not installed: apt-get install {tool}")
    if (os.cpu_count() or 1) < 2:
        sys.exit("This needs two cores, one for the server and one for the client.")
    folder = Path(tempfile.mkdtemp(prefix="reelm-nginx-"))
    folder.chmod(0o755)
    try:
        with served() as region:
            path = _publish(region, folder)
            region.pin("web", SERVER_CORE)
            _copy(region, path, folder)
            reelm = _Server(region.port, region.processes()["web"][0])
            with _nginx(folder) as nginx:
                figures = _compare(reelm, nginx, path, folder, rounds, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    finish("media", figures)


def _publish(region: Served, folder: Path) -> str:
    """Publish a clip; return the path of its largest rendition once the ladder is made."""
    client = region.client()
    client.sign_up("bench_media")
    clip = folder / "clip.mp4"
    say("Making a phone-like clip and waiting for its ladder")
    phone_clip(clip, duration_s=8)
    video_id = client.upload(clip.read_bytes(), "A clip to read")
    clip.unlink()
    client.wait_until_ready(video_id)
    video = client.wait_for_ladder(video_id, 4)
    largest = max(video["renditions"], key=lambda r: r["bitrate_bps"])
    return str(urlsplit(largest["url"]).path)


def _copy(region: Served, path: str, folder: Path) -> None:
    whole = region.client().get(path)
    if whole.status != 200:
        sys.exit(f"{path} answers {whole.status}")
    target = folder / "files" / path.lstrip("/")
    target.parent.mkdir(parents=True)
    target.write_bytes(whole.body)
    for part in (folder / "files").rglob("*"):
        part.chmod(0o755)
    (folder / "files").chmod(0o755)


def _compare(
    reelm: _Server, nginx: _Server, path: str, folder: Path, rounds: int, seconds: int
) -> dict[str, object]:
    size = (folder / "files" / path.lstrip("/")).stat().st_size
    figures: dict[str, object] = {"file_bytes": size}
    for length in SIZES:
        ours, theirs = [], []
        for number in range(rounds):
            script = folder / "ranges.lua"
            words = {"size": size, "length": length, "seed": number, "path": path}
            script.write_text(RANDOM_RANGES.format(**words))
            ours.append(_read(reelm, script, seconds))
            theirs.append(_read(nginx, script, seconds))
            both = f"Reelm {ours[-1].per_s:,.0f}/s, nginx {theirs[-1].per_s:,.0f}/s"
            say(f"{length >> 10} KiB: {both}")
        pairs = list(zip(ours, theirs, strict=True))
        figures[f"{length >> 10}_kib"] = {
            "reelm_per_s": summary([a.per_s for a in ours], 0),
            "nginx_per_s": summary([b.per_s for b in theirs], 0),
            "ratio": summary([a.per_s / b.per_s for a, b in pairs]),
            "reelm_per_cpu_s": summary([a.per_cpu_s for a in ours], 0),
            "nginx_per_cpu_s": summary([b.per_cpu_s for b in theirs], 0),
            "ratio_per_cpu_s": summary([a.per_cpu_s / b.per_cpu_s for a, b in pairs]),
        }
    last: dict[str, dict[str, float]] = figures["1024_kib"]  # type: ignore[assignment]
    figures["goal"] = f"ratio at 1024 KiB >= {GOAL}"
    figures["met"] = last["ratio"]["median"] >= GOAL
    return figures


def _read(server: _Server, script: Path, seconds: int) -> _Rate:
    cpu_before_s = cpu_s(server.pid)
    done = subprocess.run(
        [
            *("taskset", "-c", str(CLIENT_CORE), "wrk", "-t1", f"-c{CONNECTIONS}"),
            *(f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{server.port}"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    used_s = cpu_s(server.pid) - cpu_before_s
    total = re.search(r"(\d+) requests in", done.stdout)
    per_s = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    wrong = "Non-2xx" in done.stdout or "Socket errors" in done.stdout
    if wrong or total is None or per_s is None:
        sys.exit(f"Not all answers were right:\n{done.stdout}")
    return _Rate(float(per_s.group(1)), int(total.group(1)) / max(used_s, 0.01))


@contextmanager
def _nginx(folder: Path) -> Iterator[_Server]:
    port = 8000 + os.getpid() % 1000
    config = folder / "nginx.conf"
    mask = format(1 << SERVER_CORE, "b")
    config.write_text(NGINX.format(folder=folder, port=port, mask=mask))
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config)])
    try:
        time.sleep(0.5)
        if process.poll() is not None:
            sys.exit("nginx did not start")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        yield _Server(port, int(children.split()[0]))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [5, 4][len(given) :]))
