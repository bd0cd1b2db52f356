"""`reelm prove residency`: nothing leaves, and each planted leak is seen to."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from tests.commands.served import REELM

ALLOWED = """
from reelm.commands.prove import namespace
from reelm.foundation.errors import ReelmError
try:
    namespace.enter()
except ReelmError as error:
    print(error.sentence)
"""


def _why_not() -> str:
    """Say why this machine cannot run it, by the sentence of the command itself."""
    return subprocess.run(
        [sys.executable, "-c", ALLOWED], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def able() -> None:
    if why := _why_not():
        pytest.skip(why)


def prove(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*REELM, "prove", "residency", "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_nothing_leaves_two_regions_at_work(tmp_path: Path) -> None:
    pcap = tmp_path / "seen.pcap"
    ran = prove("--pcap", str(pcap))
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["is_sealed"]
    assert found["packets"] == 0
    for region in found["regions"].values():
        assert region["layers"] == {"a": "on", "b": "on", "c": "not needed"}
        assert region["checks"] in (2, 4), "before and after, of one version or both"
    steps = ("signed up", "uploaded", "encoded", "watched", "an order", "exported")
    for name in ("a", "b"):
        said = [line for line in ran.stderr.splitlines() if line.startswith(f"region {name}: ")]
        assert all(any(step in line for line in said) for step in steps), said
    assert packets_of(pcap) == sum(region["checks"] for region in found["regions"].values())


def test_each_planted_leak_is_seen_and_with_its_layers_refused() -> None:
    leaks = ("web", "worker", "ffmpeg", "dns")
    ran = prove(*(word for leak in leaks for word in ("--leak", leak)))
    assert ran.returncode == 1, ran.stderr
    held, free = (json.loads(ran.stdout)["regions"][name] for name in ("a", "b"))
    assert held["packets"] == []
    assert {attempt["leak"] for attempt in held["attempts"]} == set(leaks)
    assert held["layers"]["b"] == "on"
    assert free["layers"]["b"] == "off"
    for protocol, target, process in (
        ("TCP", "192.0.2.7:80", "web"),
        ("TCP", "192.0.2.7:80", "worker"),
        ("TCP", "192.0.2.7:80", "ffmpeg"),
        ("UDP", "198.18.0.53:53", "web"),
    ):
        assert any(
            packet.startswith(f"{protocol}  ")
            and f"-> {target}  " in packet
            and f"by {process}" in packet
            for packet in free["packets"]
        ), (protocol, process, free["packets"])
    # The hook's and the filter's: docs/egress.md says which process is seen by which.
    assert held["refusals"]["a web"] > 0
    assert held["refusals"]["b web"] > 0
    assert held["refusals"]["b worker"] > 0


def test_where_it_cannot_run_it_says_what_it_needs() -> None:
    """In a user namespace of its own, whose limit of networks is nought."""
    code = (
        "import ctypes, os, sys\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "assert libc.unshare(0x10000000) == 0\n"
        "open('/proc/self/setgroups', 'w').write('deny')\n"
        f"open('/proc/self/uid_map', 'w').write('{os.geteuid()} {os.geteuid()} 1')\n"
        "open('/proc/sys/user/max_net_namespaces', 'w').write('0')\n"
    )
    code += ALLOWED
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "(unshare)" in ran.stdout
    assert "/dev/net/tun" in ran.stdout


def packets_of(path: Path) -> int:
    """Count the packets of a pcap file, each an IP packet of raw link type."""
    data = path.read_bytes()
    magic, *_, link = struct.unpack_from("=IHHiIII", data)
    assert (magic, link) == (0xA1B2C3D4, 101)
    place, count = 24, 0
    while place < len(data):
        length = struct.unpack_from("=I", data, place + 8)[0]
        assert data[place + 16] >> 4 in (4, 6)
        place, count = place + 16 + length, count + 1
    return count


def test_a_file_of_packets_that_cannot_be_made_is_told_before_the_run(tmp_path):
    there = tmp_path / "seen.pcap"
    there.touch()
    for target, words in ((there, "there already"), (tmp_path / "no/seen.pcap", "No file can be")):
        ran = prove("--pcap", str(target))
        assert (ran.returncode, words in ran.stderr) == (2, True), ran.stderr
