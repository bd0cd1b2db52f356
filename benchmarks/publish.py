"""From the last byte of an upload to a playable video, and what its ladder costs.

A phone-like clip (15 s, 1080x1920, H.264/AAC, about 14 Mbit/s) is uploaded by tus to a real
`reelm serve`. `seconds_to_playable` runs from the answer to the last byte until the video says
that it is ready and its manifest, playlist and first segment have been fetched.

The ladder's CPU is that of the worker process and all its children from then until the last
rendition is listed: ffmpeg, probing, packaging and storing. It is compared with one plain ffmpeg
command that makes the same four rungs with the same settings from one decode, run right after.

    python benchmarks/publish.py [RUNS]
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urljoin

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rig.client import Client
from benchmarks.rig.clip import phone_clip
from benchmarks.rig.figures import finish, say, summary
from benchmarks.rig.serving import cpu_s, served

from reelm.videos.sandbox import ffmpeg_path

# Short edges, and the caps in bits per second of src/reelm/videos/ladder.py.
RUNGS = {360: 900_000, 540: 1_800_000, 720: 3_000_000, 1080: 5_500_000}
GOAL_S, GOAL_RATIO = 1.0, 1.10


def main(runs: int) -> None:
    """Measure, and print one line of JSON."""
    with tempfile.TemporaryDirectory(prefix="reelm-publish-") as name:
        folder = Path(name)
        say("Making the clip")
        phone_clip(folder / "clip.mp4")
        content = (folder / "clip.mp4").read_bytes()
        playable, ladders, plains, waits = (list[float]() for _ in range(4))
        with served() as region:
            client = region.client()
            client.sign_up("bench_publish")
            worker = region.processes()["worker"][0]
            for number in range(runs):
                # A few bytes after the end make each upload an object of its own.
                own = content + f"\0\0\0\x10free{number:08d}".encode()
                before_s, began = _publish(client, worker, own, playable)
                ladders.append(cpu_s(worker) - before_s)
                waits.append(time.monotonic() - began)
                plains.append(_plain(folder))
                ours = f"playable after {playable[-1]:.2f} s, ladder {ladders[-1]:.1f} CPU s"
                say(f"{ours}, plain ffmpeg {plains[-1]:.1f} CPU s")
    ratios = [a / b for a, b in zip(ladders, plains, strict=True)]
    figures = {
        "clip_bytes": len(content),
        "seconds_to_playable": summary(playable),
        "seconds_to_ladder": summary(waits),
        "ladder_cpu_s": summary(ladders),
        "plain_ffmpeg_cpu_s": summary(plains),
        "ladder_to_plain": summary(ratios),
        "goal": f"playable <= {GOAL_S} s, ladder <= {GOAL_RATIO} of plain ffmpeg",
    }
    met = figures["seconds_to_playable"]["median"] <= GOAL_S  # type: ignore[index]
    cheap = figures["ladder_to_plain"]["median"] <= GOAL_RATIO  # type: ignore[index]
    finish("publish", {**figures, "met": {"playable": met, "ladder": cheap}})


def _publish(
    client: Client, worker: int, content: bytes, playable: list[float]
) -> tuple[float, float]:
    """Upload, wait until playable and until the ladder is made; return CPU and time before it."""
    video_id = client.upload(content, "A clip #bench")
    began = time.monotonic()
    video = client.wait_until_ready(video_id)
    before_s = cpu_s(worker)
    _fetch_first_segment(client, video["manifest_url"])
    playable.append(time.monotonic() - began)
    client.wait_for_ladder(video_id, len(RUNGS))
    time.sleep(0.5)  # the worker reaps its last child and reports
    return before_s, began


def _fetch_first_segment(client: Client, master: str) -> None:
    listed = client.get(master).body.decode().splitlines()
    media = urljoin(master, next(line for line in listed if line and not line.startswith("#")))
    playlist = client.get(media).body.decode()
    found = re.search(r"#EXT-X-BYTERANGE:(\d+)@(\d+)", playlist)
    source = re.search(r'#EXT-X-MAP:URI="([^"]+)"', playlist)
    if found is None or source is None:
        sys.exit(f"{media} is not a playlist of byte ranges")
    length, start = int(found.group(1)), int(found.group(2))
    address = urljoin(media, source.group(1))
    reply = client.get(address, Range=f"bytes={start}-{start + length - 1}")
    if reply.status != 206 or len(reply.body) != length:
        sys.exit(f"{address} answers {reply.status} with {len(reply.body)} bytes")


def _plain(folder: Path) -> float:
    """Return the CPU seconds of one ffmpeg command for the same rungs."""
    names = "".join(f"[s{i}]" for i in range(len(RUNGS)))
    graph = [f"[0:v]split={len(RUNGS)}{names}"]
    outputs: list[str] = []
    for i, (edge, cap) in enumerate(RUNGS.items()):
        graph.append(f"[s{i}]scale={edge}:{edge * 16 // 9}:flags=bicubic[v{i}]")
        outputs += [
            *("-map", f"[v{i}]", "-map", "0:a", "-c:v", "libx264", "-preset", "veryfast"),
            *("-crf", "23", "-maxrate", str(cap), "-bufsize", str(2 * cap)),
            *("-profile:v", "high", "-pix_fmt", "yuv420p", "-sc_threshold", "0"),
            *("-force_key_frames", "expr:gte(t,n_forced*2)", "-g", "100000"),
            *("-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"),
            str(folder / f"plain-{edge}.mp4"),
        ]
    command = [ffmpeg_path(), "-loglevel", "error", "-y", "-i", str(folder / "clip.mp4")]
    process = subprocess.Popen([*command, "-filter_complex", ";".join(graph), *outputs])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit("the plain ffmpeg command failed")
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
