"""`reelm prove residency`: two regions at work, each in a network where every packet is seen."""

import os
import secrets
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from reelm import app
from reelm.commands.prove.cell import Plan, Result
from reelm.commands.prove.journey import make_clip
from reelm.foundation.egress.confined import Order, confined
from reelm.foundation.errors import Conflict, Unavailable

Say = Callable[[str], None]
REGIONS = ("a", "b")


def prove(leaks: Sequence[str], pcap: Path | None, say: Say, *, as_json: bool) -> int:
    """Run both regions through all that people do, and count what left.

    Args:
        leaks: where real leaks are planted: region a keeps its layers, and in region b the
            processes of the leaks are without them.
        pcap: where to write every packet that was seen.
        say: is told the progress.
        as_json: whether the outcome is printed as JSON.

    Returns:
        0 if no packet left but those of the witness's own check, else 1.

    Raises:
        Conflict: `pcap` is there already, or cannot be written.
        Unavailable: it cannot run here, or the show itself does not work; says why.
    """
    if pcap is not None:
        _refuse_target(pcap)
    with _folder() as folder:
        plans = {name: _plan(folder, name, leaks) for name in REGIONS}
        with ThreadPoolExecutor(len(plans)) as pool:
            started = {name: pool.submit(_run, name, plans[name], say) for name in plans}
            results = {name: future.result() for name, future in started.items()}
        if pcap is not None:
            _merge([Path(plan.pcap) for plan in plans.values()], pcap)
    if leaks and not results["b"].packets:
        raise Unavailable("The planted leak was not seen: the witness cannot be believed.")
    leaked = sum(len(result.packets) for result in results.values())
    if as_json:
        _print_json(leaks, leaked, results)
    else:
        _print(leaks, leaked, results)
    return 1 if leaked else 0


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="reelm-prove-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _plan(folder: Path, name: str, leaks: Sequence[str]) -> Plan:
    home, clips = folder / name, folder / f"clip-{name}"
    app.make_region(
        home,
        jurisdiction="neutral",
        operator=f"Operator of region {name} (a show)",
        name=f"Region {name}",
        number=secrets.randbelow(1024),
    )
    clips.mkdir()
    return Plan(
        home=str(home),
        clip=str(make_clip(clips)),
        pcap=str(folder / f"{name}.pcap"),
        leaks=tuple(leaks),
        is_held=name == "a",
    )


def _run(name: str, plan: Plan, say: Say) -> Result:
    command = [
        sys.executable,
        "-m",
        "reelm.commands.prove.cell",
        msgspec.json.encode(plan).decode(),
    ]
    with subprocess.Popen(confined(command, Order()), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - asked for as a pipe
        for line in process.stdout:
            words: dict[str, Any] = msgspec.json.decode(line)
            if "step" in words:
                say(f"region {name}: {words['step']}")
            elif "unavailable" in words:
                raise Unavailable(words["unavailable"])
            else:
                return msgspec.convert(words["result"], Result)
    raise Unavailable(f"Region {name} ended with status {process.returncode}.")


def _refuse_target(pcap: Path) -> None:
    if pcap.exists():
        raise Conflict(f"{pcap} is there already: choose a new file.")
    if not os.access(pcap.parent, os.W_OK | os.X_OK):
        raise Conflict(f"No file can be made in {pcap.parent}: choose another folder.")


def _merge(sources: list[Path], target: Path) -> None:
    """Write the packets of several pcap files into one, in the order of their times."""
    packets = []
    header = b""
    for source in sources:
        data = source.read_bytes()
        header, place = data[:24], 24
        while place < len(data):
            seconds, micros, length, _ = struct.unpack_from("=IIII", data, place)
            packets.append(((seconds, micros), data[place : place + 16 + length]))
            place += 16 + length
    packets.sort(key=lambda one: one[0])
    target.write_bytes(header + b"".join(packet for _, packet in packets))


def _print(leaks: Sequence[str], leaked: int, results: dict[str, Result]) -> None:
    for name, result in results.items():
        layers = ", ".join(f"{letter} {state}" for letter, state in result.layers.items())
        seen = ", ".join(f"{count} by {who}" for who, count in result.refusals.items()) or "none"
        print(f"region {name}: {len(result.packets)} packets left; layers: {layers};")  # noqa: T201
        print(f"  refusals seen: {seen}")  # noqa: T201
        for attempt in result.attempts:
            print(f"  planted as {attempt.leak}: {attempt.attempt}: {attempt.outcome}")  # noqa: T201
        for packet in result.packets:
            print(f"  {packet}")  # noqa: T201
    checks = sum(result.checks for result in results.values())
    if leaked:
        where = f", planted as {' and '.join(leaks)} in region b" if leaks else ""
        print(f"{leaked} packets left{where}.")  # noqa: T201
    else:
        print(f"No packet left but the {checks} of the witness's own check.")  # noqa: T201


def _print_json(leaks: Sequence[str], leaked: int, results: dict[str, Result]) -> None:
    words = {"is_sealed": not leaked, "leaks": leaks, "packets": leaked, "regions": results}
    print(msgspec.json.encode(words).decode())  # noqa: T201 - the output of the command
