# ruff: noqa: A005 - the name says what it measures; nothing imports it
"""Feed requests and signals per second: the web process on one core, PostgreSQL on the other.

wrk asks over 32 connections, as nobody in particular and signed in, a region that has VIDEOS
published videos of CREATORS accounts (one clip, posted again by its rows: what the feed reads is
rows; it is served anew once they are there). wrk shares the database's core and takes little of it.

`anonymous` asks for /api/feed?limit=10 and sends no cookie: each request is a new viewer who gets a
new cookie. `signed_in` takes turns among VIEWERS accounts, as many people swipe at once. Each
request writes ten impressions to the log before it is answered. `one_at_a_time` is a single
connection, the same accounts.

`one_watch` and `ten_watches` send so many watches in each POST /api/watches, of those accounts and
of any videos. `signals_per_s` counts the watches found in the log afterwards; those that were
acknowledged are there, written, committed and learned from (and a few whose answer wrk did not
wait for at its end).

With --profile, py-spy (if it is on the PATH) samples the web process during a round of feed
requests and one of watches, and `shares` says what part of the samples that hold the GIL or wait
in a request was spent where.

    python benchmarks/http.py [--profile] [ROUNDS] [SECONDS] [VIDEOS]

Needs wrk (Debian package) and two cores.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg
from benchmarks.rig.client import Client
from benchmarks.rig.figures import finish, say, summary
from benchmarks.rig.serving import Served, cpu_s, made, serving
from sqlalchemy import text

from reelm import app
from reelm.commands.demo_clips import clips, make_clip
from reelm.feed.signals import Kind
from reelm.foundation.config import load
from reelm.foundation.home import Home

WEB_CORE, OTHER_CORE = 0, 1
CONNECTIONS = 32
# Watches in one request.
WATCHES = {"one_watch": 1, "ten_watches": 10}
# So many that nobody sees all videos within the rounds.
VIEWERS = 200
CREATORS = 200
PEOPLE = """
INSERT INTO account (id, handle, display_name, bio, links, is_private, state, created_at)
SELECT n, 'maker_' || n, 'Maker ' || n, '', '[]', false, 'active', now()
FROM generate_series(1, :creators) n
"""
FEED = "/api/feed?limit=10"
TAKE_TURNS = """
local cookies = {{ {cookies} }}
local turn = 0
request = function()
  turn = turn % #cookies + 1
  return wrk.format("GET", "{path}", {{ ["Cookie"] = cookies[turn] }})
end
"""
WATCH = """
local cookies = {{ {cookies} }}
local turn = 0
math.randomseed(os.time())
request = function()
  turn = turn % #cookies + 1
  local watches = {{}}
  for n = 1, {count} do
    local video = math.random(0, {videos} - 1)
    local id = tostring({first}LL + video):gsub("LL", "")
    local told = '{{"video_id":"%s","watched_ms":%d,"duration_ms":10000}}'
    watches[n] = told:format(id, video * 37 % 12000)
  end
  local body = '{{"watches":[' .. table.concat(watches, ",") .. "]}}"
  local headers = {{ ["Cookie"] = cookies[turn], ["Content-Type"] = "application/json" }}
  return wrk.format("POST", "/api/watches", headers, body)
end
"""
NOBODY = 'request = function() return wrk.format("GET", "{path}") end'
# Where a sample belongs: the innermost frame that matches decides.
PLACES = (
    ("waiting for a request", r"concurrent/futures/thread.py:\d+|selectors.py|threading.py"),
    ("waiting for PostgreSQL", r"psycopg/(connection|waiting|generators)"),
    ("SQL: driver and ORM", r"psycopg|sqlalchemy"),
    ("viewer and session", r"reelm/web/viewer|reelm/accounts"),
    ("ranker", r"reelm/feed/ranker"),
    ("log of signals", r"reelm/feed/(log|live|holder|remote|given)"),
    ("feed and cards", r"reelm/feed|reelm/social|reelm/videos"),
    ("JSON and shapes", r"reelm/web/api|msgspec|_encoded"),
    ("HTTP: routing, headers, metrics", r"starlette|reelm/web|prometheus|granian"),
    ("event loop and threads", r"asyncio|threading|concurrent"),
)


def main(rounds: int, seconds: int, videos: int, *, profile: bool) -> None:
    """Measure, and print one line of JSON."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="reelm-http-") as name, made() as home:
        folder = Path(name)
        with serving(home) as region:
            clients = [region.client() for _ in range(VIEWERS)]
            for number, client in enumerate(clients):
                client.sign_up(f"bench_http_{number}")
            first = _fill(region, clients[0], folder, videos)
        cookies = ", ".join(f'"{client.cookie}"' for client in clients)
        scripts = {
            "anonymous": NOBODY.format(path=FEED),
            "signed_in": TAKE_TURNS.format(cookies=cookies, path=FEED),
        }
        for kind, count in WATCHES.items():
            scripts[kind] = WATCH.format(cookies=cookies, count=count, videos=videos, first=first)
        for kind, script in scripts.items():
            (folder / kind).write_text(script)
        with serving(home) as region:
            region.pin("web", WEB_CORE)
            region.pin("database", OTHER_CORE)
            figures: dict[str, object] = {"videos": videos, "connections": CONNECTIONS}
            for kind in scripts:
                figures[kind] = _rounds(region, kind, folder / kind, rounds, seconds)
            figures["one_at_a_time_ms"] = _alone(region, folder / "signed_in", seconds)
            if profile:
                figures["shares"] = {
                    kind: _shares(region, folder / kind, folder, seconds)
                    for kind in ("signed_in", "one_watch")
                }
    finish("http", figures)


def _fill(region: Served, client: Client, folder: Path, videos: int) -> int:
    """Publish one clip, copy its rows, with accounts of their own, and return the first id."""
    content = make_clip(clips()[0], folder, font=None).read_bytes()
    video_id = client.upload(content, "A clip #bench")
    client.wait_until_ready(video_id)
    with app.join_region(region.home) as parts, parts.transaction() as session:
        known = {"video_id": int(video_id), "videos": videos, "creators": CREATORS}
        session.execute(text(PEOPLE), known)
        of_copy = {
            "id": "id + n",
            "video_id": "video_id + n",
            "account_id": "1 + n % :creators",
            "tag": "'bench' || n % 30",
            "caption": "'A clip #bench' || n % 30",
        }
        for table, key in (
            ("video", "id"),
            ("rendition", "video_id"),
            ("video_hashtag", "video_id"),
        ):
            names = session.execute(
                text(
                    "SELECT column_name FROM information_schema.columns"
                    " WHERE table_name = :table AND is_generated = 'NEVER'"
                ),
                {"table": table},
            ).scalars()
            columns = [str(name) for name in names]
            values = [of_copy.get(name, name) for name in columns]
            copy = (
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"  # noqa: S608
                f" FROM {table}, generate_series(1, :videos - 1) n WHERE {key} = :video_id"
            )
            session.execute(text(copy), known)
    # As autovacuum does within a minute; a region does not gain all its videos in one second.
    with (
        app.owner_connection(Home(region.home), load(region.home), None) as owner,
        psycopg.connect(owner, autocommit=True) as connection,
    ):
        connection.execute("VACUUM ANALYZE")
    return int(video_id)


def _rounds(
    region: Served, name: str, script: Path, rounds: int, seconds: int
) -> dict[str, object]:
    web = region.processes()["web"][0]
    per_s, p50, p99, cpu_ms, logged = [], [], [], [], []
    for _ in range(rounds):
        in_log = _watches_in_log(region)
        before_s = cpu_s(web)
        out = _wrk(region.port, script, seconds)
        total = int(_found(r"(\d+) requests in", out))
        cpu_ms.append((cpu_s(web) - before_s) / max(total, 1) * 1000)
        per_s.append(float(_found(r"Requests/sec:\s*([\d.]+)", out)))
        p50.append(_ms(_found(r"50%\s+([\d.]+\w+)", out)))
        p99.append(_ms(_found(r"99%\s+([\d.]+\w+)", out)))
        logged.append((_watches_in_log(region) - in_log) / seconds)
        say(f"{name}: {per_s[-1]:,.0f}/s, p50 {p50[-1]:.0f} ms, p99 {p99[-1]:.0f} ms")
    more = {}
    if name in WATCHES:
        more["signals_per_s"] = summary(logged, 0)
    return {
        **more,
        "per_s": summary(per_s, 0),
        "p50_ms": summary(p50, 1),
        "p99_ms": summary(p99, 1),
        "web_cpu_ms_per_request": summary(cpu_ms, 2),
    }


def _watches_in_log(region: Served) -> int:
    query = text("SELECT count(*) FROM signal WHERE kind = :kind")
    with app.join_region(region.home) as parts, parts.transaction() as session:
        return int(session.execute(query, {"kind": int(Kind.WATCH)}).scalar_one())


def _alone(region: Served, script: Path, seconds: int) -> dict[str, object]:
    out = _wrk(region.port, script, seconds, connections=1)
    return {
        "p50": _ms(_found(r"50%\s+([\d.]+\w+)", out)),
        "p99": _ms(_found(r"99%\s+([\d.]+\w+)", out)),
    }


def _shares(region: Served, script: Path, folder: Path, seconds: int) -> dict[str, float] | str:
    spy = shutil.which("py-spy")
    if spy is None:
        return "py-spy is not on the PATH"
    web = region.processes()["web"][0]
    target = folder / "samples"
    sampler = subprocess.Popen(
        [
            *(spy, "record", "--pid", str(web), "--duration", str(seconds), "--rate", "200"),
            *("--gil", "--format", "raw", "--output", str(target)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wrk(region.port, script, seconds + 1)
    sampler.wait(60)
    counts: Counter[str] = Counter()
    for line in target.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        counts[_place(stack)] += int(count)
    whole = max(sum(counts.values()), 1)
    return {place: round(count / whole, 3) for place, count in counts.most_common()}


def _place(stack: str) -> str:
    for frame in reversed(stack.split(";")):
        for place, pattern in PLACES:
            if re.search(pattern, frame):
                return place
    return "other"


def _wrk(port: int, script: Path, seconds: int, connections: int = CONNECTIONS) -> str:
    done = subprocess.run(
        [
            *("taskset", "-c", str(OTHER_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"),
            *("--latency", "-s", str(script), f"http://127.0.0.1:{port}"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(f"Not all answers were right:\n{done.stdout}")
    return done.stdout


def _found(pattern: str, out: str) -> str:
    match = re.search(pattern, out)
    if match is None:
        sys.exit(f"wrk printed something else than expected:\n{out}")
    return match.group(1)


def _ms(words: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", words).groups()  # type: ignore[union-attr]
    return round(float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit], 2)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(*(numbers + [3, 5, 10_000][len(numbers) :]), profile="--profile" in sys.argv)
