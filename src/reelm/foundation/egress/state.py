"""Which layers hold in which process, written by each process about itself when it starts."""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from reelm.foundation.egress.tally import FOLDER


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a process found to hold for itself, by trying it."""

    process: str
    pid: int
    started_at: int  # of /proc/PID/stat: with the pid it names one process
    hook: bool
    is_filtered: bool
    is_local: bool  # only sockets of this machine may be made
    is_seen: bool  # the supervisor sees and counts what the filter refuses
    outside: str = ""  # of a remote region: what became of a packet to an address that must fail


def write(home: Path, held: Held) -> None:
    """Keep what this process says about itself."""
    folder = home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    part = folder / f".{held.process}-{held.pid}"
    part.write_bytes(msgspec.json.encode(held))
    part.replace(folder / f"held-{held.process}-{held.pid}.json")


def read(home: Path) -> list[Held]:
    """Return what the processes that still run have said; files of ended ones are removed."""
    found = []
    for path in sorted((home / FOLDER).glob("held-*.json")):
        with suppress(OSError, msgspec.DecodeError):
            held = msgspec.json.decode(path.read_bytes(), type=Held)
            if started_at(held.pid) == held.started_at:
                found.append(held)
            else:
                path.unlink()
    return found


def started_at(pid: int | None = None) -> int:
    """Return when a process began, in ticks since the machine's start, or 0 if there is none."""
    try:
        text = Path(f"/proc/{pid or os.getpid()}/stat").read_text("ascii", "replace")
    except OSError:
        return 0
    return int(text.rpartition(")")[2].split()[19])
