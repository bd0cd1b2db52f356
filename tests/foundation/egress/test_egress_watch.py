"""What the filter of web and worker refuses is seen, and refused whoever is there to see it."""

import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from reelm.foundation.config import RegionSettings, Settings
from reelm.foundation.egress.confined import confined
from reelm.foundation.egress.notified import Watch
from reelm.foundation.egress.serving import serving_order

REGION = RegionSettings(number=1, name="T", jurisdiction="neutral", operator="T")
TRY = """
import ctypes, errno, os, socket, subprocess, sys
input()
def tried(make):
    try:
        make()
        print("LEAKED")
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
BY_C = """
libc = ctypes.CDLL(None, use_errno=True)
def by_c():
    if libc.socket(10, 2, 0) < 0:
        raise OSError(ctypes.get_errno(), "")
tried(by_c)
"""
BY_CHILD = """
print(subprocess.run([sys.executable, "-c", "import socket; socket.socket(socket.AF_PACKET)"],
    capture_output=True, text=True).stderr.splitlines()[-1])
"""


class Seen:
    """A watch, and what it was told."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.watch = Watch(lambda name, what: self.counts.update([(name, what)]))
        self.watch.start()


@pytest.fixture
def seen() -> Seen:
    return Seen()


def run(code: str, door: socket.socket, before: Callable[[], None] = lambda: None) -> list[str]:
    """Run a program under the lock of web and worker; return its lines."""
    order = serving_order(Settings(region=REGION), door.fileno())
    argv = confined([sys.executable, "-c", TRY + code], order)
    with (
        door,
        subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[door.fileno()],
        ) as process,
    ):
        before()
        out, _ = process.communicate("\n")
    return out.splitlines()


def test_refusals_of_each_language_are_seen(seen: Seen) -> None:
    lines = run("tried(socket.socket)\n" + BY_C + BY_CHILD, seen.watch.door("web"))
    assert lines[:2] == ["EPERM", "EPERM"]
    assert "PermissionError" in lines[2]
    assert seen.counts == {("web", "AF_INET"): 1, ("web", "AF_INET6"): 1, ("web", "AF_PACKET"): 1}


def test_two_processes_are_told_apart(seen: Seen) -> None:
    for name in ("web", "worker"):
        assert run("tried(socket.socket)", seen.watch.door(name)) == ["EPERM"]
    assert seen.counts == {("web", "AF_INET"): 1, ("worker", "AF_INET"): 1}


def test_to_try_whether_the_filter_is_there_is_not_counted(seen: Seen) -> None:
    code = (
        "from reelm.foundation.egress.serving import refuses_other_families\n"
        "print(refuses_other_families())"
    )
    assert run(code, seen.watch.door("web")) == ["True"]
    assert not seen.counts


def test_a_send_that_connects_is_seen(seen: Seen) -> None:
    code = "tried(lambda: socket.socketpair()[0].send(b'x', 0x20000000))"
    assert run(code, seen.watch.door("web")) == ["EPERM"]
    assert seen.counts == {("web", "a send that connects"): 1}


def test_where_nobody_is_left_to_answer_the_kernel_refuses() -> None:
    ours, theirs = socket.socketpair()

    def lose() -> None:
        _, listeners, _, _ = socket.recv_fds(ours, 1, 1)
        assert listeners
        for listener in listeners:
            socket.close(listener)
        ours.close()

    assert run("tried(socket.socket)\n" + BY_C, theirs, lose) == ["ENOSYS", "ENOSYS"]


def test_where_the_kernel_gives_no_listener_it_refuses_by_itself(seen: Seen) -> None:
    """Below a filter that has a listener there can be no second one."""
    inner = (
        "from reelm.foundation.config import RegionSettings, Settings\n"
        "from reelm.foundation.egress.confined import confined\n"
        "from reelm.foundation.egress.serving import serving_order\n"
        "region = RegionSettings(number=1, name='T', jurisdiction='neutral', operator='T')\n"
        "ours, theirs = socket.socketpair()\n"
        "order = serving_order(Settings(region=region), theirs.fileno())\n"
        "code = 'import os, socket; print(os.environ.get(IS_SEEN)); socket.socket()'\n"
        "code = code.replace('IS_SEEN', repr('REELM_EGRESS_IS_SEEN'))\n"
        "ran = subprocess.run(confined([sys.executable, '-c', code], order), text=True,\n"
        "    pass_fds=[theirs.fileno()], capture_output=True, env={'PATH': '/bin'})\n"
        "print(ran.stdout.strip(), ran.stderr.splitlines()[-1])"
    )
    (line,) = run(inner, seen.watch.door("web"))
    assert line.startswith("None PermissionError")


def test_a_thousand_refusals_are_all_answered(seen: Seen) -> None:
    code = (
        "import threading, time\n"
        "def many():\n"
        "    for _ in range(125):\n"
        "        try:\n"
        "            socket.socket()\n"
        "        except PermissionError:\n"
        "            pass\n"
        "threads = [threading.Thread(target=many) for _ in range(8)]\n"
        "began = time.perf_counter()\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print('each', round((time.perf_counter() - began) * 1000, 1), 'us')"
    )
    (line,) = run(code, seen.watch.door("web"))
    print(line)
    assert seen.counts == {("web", "AF_INET"): 1000}
