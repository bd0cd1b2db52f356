"""Memory of the idle service: supervisor, web, worker and embedded database.

PSS (proportional set size) of each process from /proc/PID/smaps_rollup: memory that processes
share is counted once in the sum. Taken after a clip was published, its ladder made and the feed
read, so that everything that is loaded on first use is loaded, and then some quiet seconds.

    python benchmarks/memory.py [QUIET_SECONDS]

Needs the right to read smaps_rollup of the database's processes: as root the embedded database
runs as another user, which root may read.
"""

import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rig.clip import phone_clip
from benchmarks.rig.figures import finish, say
from benchmarks.rig.serving import Served, served

GOAL_MIB = 400
LOOKS = 5


def main(quiet_s: int) -> None:
    """Measure, and print one line of JSON."""
    with tempfile.TemporaryDirectory(prefix="reelm-memory-") as name, served() as region:
        fresh = _pss_mib(region)
        _use(region, Path(name) / "clip.mp4")
        say(f"Waiting {quiet_s} s")
        time.sleep(quiet_s)
        looks = []
        for _ in range(LOOKS):
            looks.append(_pss_mib(region))
            time.sleep(1)
        counts = {role: len(pids) for role, pids in region.processes().items()}
    totals = sorted(sum(look.values()) for look in looks)
    by_role = {role: round(mib, 1) for role, mib in looks[-1].items()}
    figures = {
        "pss_mib": {"median": round(totals[LOOKS // 2], 1), "most": round(totals[-1], 1)},
        "pss_mib_by_role": by_role,
        "processes_by_role": counts,
        "pss_mib_before_any_request": round(sum(fresh.values()), 1),
        "goal": f"< {GOAL_MIB} MiB in all",
        "met": totals[LOOKS // 2] < GOAL_MIB,
    }
    finish("memory", figures)


def _use(region: Served, clip: Path) -> None:
    phone_clip(clip, duration_s=3)
    client = region.client()
    client.sign_up("bench_memory")
    video_id = client.upload(clip.read_bytes(), "A clip")
    client.wait_until_ready(video_id)
    client.wait_for_ladder(video_id, 4)
    for path in ("/", "/api/feed", "/@bench_memory", "/settings", "/api/openapi.json"):
        reply = client.get(path)
        if reply.status != 200:
            sys.exit(f"{path} answers {reply.status}")


def _pss_mib(region: Served) -> dict[str, float]:
    by_role = {}
    for role, pids in region.processes().items():
        total_kib = 0
        for pid in pids:
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                lines = (line.split() for line in rollup.splitlines())
                total_kib += next(int(words[1]) for words in lines if words[0] == "Pss:")
        by_role[role] = total_kib / 1024
    return by_role


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
