"""One region in a network of its own, with a witness at the way out.

    python -m reelm.commands.prove.cell JSON

Tells what happens in lines of JSON on standard output: `{"step": ...}`, and last `{"result": ...}`
or `{"unavailable": ...}`.
"""

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from reelm.commands.prove import namespace
from reelm.foundation.egress.confined import Order, confined
from reelm.foundation.egress.outside import MUST_FAIL, MUST_FAIL_6
from reelm.foundation.errors import ReelmError, Unavailable

QUIET_S = 1.0
START_S = 120.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a cell is to do."""

    home: str
    clip: str
    pcap: str
    leaks: tuple[str, ...] = ()
    is_held: bool = True


class Attempt(msgspec.Struct, frozen=True):
    """One planted attempt and what became of it."""

    leak: str
    attempt: str
    outcome: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a cell found."""

    packets: list[str]  # that are not our own check
    checks: int
    layers: dict[str, str]
    attempts: list[Attempt]
    refusals: dict[str, int]  # that were seen, by layer and process


def main() -> None:
    """Do what the plan says."""
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    try:
        way_out = namespace.enter()
        _tell(result=_run(plan, way_out))
    except ReelmError as error:
        _tell(unavailable=error.sentence)


def _run(plan: Plan, way_out: int) -> Result:
    # Only now: what these load begins threads, and a process with threads may not move.
    from reelm.commands.prove import journey  # noqa: PLC0415
    from reelm.commands.prove.witness import Witness  # noqa: PLC0415

    mark = f"reelm check {secrets.token_hex(8)}".encode()
    witness = Witness(way_out, Path(plan.pcap), mark)
    time.sleep(QUIET_S)
    if witness.packets:
        raise Unavailable(f"This network is not quiet by itself: {witness.packets[0].words}")
    expected = _check(mark)
    if not witness.wait_for_checks(expected):
        raise Unavailable("The witness does not see the packets of its own check.")
    _say(f"the witness sees: {expected} packets of its check")
    with _serving(plan) as port:
        _say("served")
        journey.walk(port, Path(plan.home), Path(plan.clip), _say)
        attempts = _wait_for_attempts(plan) if plan.leaks else []
        layers = _layers(plan)
        refusals = _refusals(plan)
    expected += _check(mark)
    if not witness.wait_for_checks(expected):
        raise Unavailable("The witness did not see the packets of its check at the end.")
    handed_out, dropped = namespace.sent()
    if dropped or handed_out != len(witness.packets):
        raise Unavailable(
            f"The device has handed out {handed_out} packets and dropped {dropped}, and the "
            f"witness has read {len(witness.packets)}."
        )
    _say(f"the witness still sees, and has read each of {handed_out} packets")
    packets = [packet.words for packet in witness.leaked]
    return Result(
        packets=packets, checks=expected, layers=layers, attempts=attempts, refusals=refusals
    )


def _check(mark: bytes) -> int:
    """Send a packet of each version from this process, which nothing holds; return how many."""
    sent = 0
    for family, address in ((socket.AF_INET, MUST_FAIL), (socket.AF_INET6, MUST_FAIL_6)):
        # No IPv6 on this machine: then nothing can leave by it either.
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.sendto(mark, (address, 9))
            sent += 1
    return sent


@contextmanager
def _serving(plan: Plan) -> Iterator[int]:
    if plan.leaks:
        state = "held" if plan.is_held else "free"
        planted = "reelm.commands.prove.planted"
        command = [sys.executable, "-m", planted, "serve", plan.home, ",".join(plan.leaks), state]
    else:
        command = [str(Path(sys.executable).with_name("reelm")), "serve", "--region", plan.home]
    environment = {**os.environ, "REELM_HTTP_PORT": "0", "PYTHONUNBUFFERED": "1"}
    log = Path(plan.home).with_suffix(".log")
    with log.open("wb") as file:
        # Killed in the middle, this leaves no region behind that goes on.
        ordered = confined(command, Order())
        process = subprocess.Popen(ordered, stdout=file, stderr=file, env=environment)
    try:
        yield _port(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r" is at http://127\.0\.0\.1:(\d+)", log.read_text("utf-8")):
            return int(found[1])
        time.sleep(0.1)
    raise Unavailable(f"`reelm serve` did not start: {log.read_text('utf-8')[-2000:]}")


def _wait_for_attempts(plan: Plan) -> list[Attempt]:
    from reelm.commands.prove import planted  # noqa: PLC0415 - as above

    path = Path(plan.home) / planted.OUTCOMES
    count = sum(planted.COUNT[leak] for leak in plan.leaks)
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        lines = path.read_bytes().splitlines() if path.exists() else []
        if len(lines) >= count:
            _say("each planted leak was tried")
            return [msgspec.json.decode(line, type=Attempt) for line in lines]
        time.sleep(0.1)
    raise Unavailable("The planted leak was not tried.")


def _layers(plan: Plan) -> dict[str, str]:
    from reelm.foundation.config import load  # noqa: PLC0415 - as above
    from reelm.regions.egress import active_layers  # noqa: PLC0415

    home = Path(plan.home)
    return {layer.letter: layer.state for layer in active_layers(home, load(home))}


def _refusals(plan: Plan) -> dict[str, int]:
    from reelm.regions.egress import COLLECT_EVERY_S, refusal_counts  # noqa: PLC0415 - as above

    if plan.leaks:
        time.sleep(2 * COLLECT_EVERY_S)  # they are written, and then collected
    counts = refusal_counts(Path(plan.home))
    return {f"{layer} {process}": count for (layer, process), count in sorted(counts.items())}


def _say(step: str) -> None:
    _tell(step=step)


def _tell(**words: object) -> None:
    print(msgspec.json.encode(words).decode(), flush=True)  # noqa: T201 - read by residency.py


if __name__ == "__main__":
    main()
