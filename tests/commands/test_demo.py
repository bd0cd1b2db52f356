"""The demo: a few of its clips are made, imported, served and looked at, for real."""

import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reelm import app
from reelm.commands import demo
from reelm.foundation.errors import Conflict

TRY = """
import sys
from pathlib import Path
from reelm.commands import demo
from reelm.commands.demo_clips import clips
wanted = clips()[:3]
sys.argv[0] = str(Path(sys.executable).with_name("reelm"))
sys.exit(demo.run(Path(sys.argv[1]), once="once" in sys.argv, port=int(sys.argv[2]), wanted=wanted))
"""
NUMBERS = {
    "videos",
    "seconds_to_first_playable",
    "seconds_to_all_playable",
    "feed_ms",
    "first_segment_ms",
}


@pytest.fixture
def region(scratch: Path, request: pytest.FixtureRequest) -> Path:
    return scratch / f"demo-{abs(hash(request.node.name)) % 10_000}"


def _start(region: Path, port: int, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TRY, str(region), str(port), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("REELM_")},
    )


def test_once_prints_one_line_of_numbers_and_a_second_run_keeps_what_is_there(region):
    first = _start(region, 0, "once")
    out, errors = first.communicate(timeout=120)
    assert first.returncode == 0, errors
    (line,) = out.splitlines()
    numbers = json.loads(line)
    assert set(numbers) == NUMBERS
    assert numbers["videos"] == 3
    assert 0 < numbers["seconds_to_first_playable"] <= numbers["seconds_to_all_playable"]
    note = region / "demo.json"
    (command,) = [line for line in errors.splitlines() if "demo --code" in line]
    coded = subprocess.run(  # as it was printed
        shlex.split(command),
        capture_output=True,
        text=True,
        check=True,
    )
    assert coded.stdout.strip().isdigit()
    assert len(coded.stdout.strip()) == 6
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    before = json.loads(note.read_text())
    assert len(before["videos"]) == 3

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        second = _start(region, port, "once")
        _, errors = second.communicate(timeout=120)
    assert second.returncode == 0, errors
    assert f"Port {port} cannot be used" in errors
    assert before["passwords"]["demo_viewer"] in errors
    assert json.loads(note.read_text()) == before


def test_an_interrupt_in_the_middle_stops_it_in_bounded_time(region):
    process = _start(region, 0)
    assert process.stderr is not None
    while "sign in as" not in process.stderr.readline():
        assert process.poll() is None
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert time.monotonic() - began < 20
    assert out == ""
    assert "Traceback" not in errors


def test_a_region_that_is_no_demo_is_left_alone(tmp_path):
    app.make_region(
        tmp_path / "real", jurisdiction="neutral", operator="Real", name="Real", number=1
    )
    with pytest.raises(Conflict, match="not a demo"):
        demo.run(tmp_path / "real", once=True, port=0)
