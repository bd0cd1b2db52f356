"""A `reelm serve` with a leak planted into one of its processes, with its layers or without.

    python -m reelm.commands.prove.planted serve HOME LEAK,... held|free

Only `reelm prove residency --leak` starts it. The processes it starts are this module too; what
becomes of each attempt is a line of `planted.jsonl` in the region home.
"""

import ctypes
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.store import HTTPStore

from reelm.commands import child
from reelm.commands.serve import Supervisor
from reelm.foundation.config import load
from reelm.foundation.egress import hook
from reelm.foundation.egress.confined import Order
from reelm.foundation.home import Home
from reelm.videos import sandbox

LEAKS = ("web", "worker", "ffmpeg", "dns")
# In which process each is planted.
WHERE = {"web": "web", "worker": "worker", "ffmpeg": "worker", "dns": "web"}
OUTCOMES = "planted.jsonl"
# RFC 5737 and RFC 6761: nobody has this address and this name.
TARGET, NAME = "192.0.2.7", "leak.reelm.example"
PLANTED = "REELM_PLANTED"
WAIT_S = 3.0
LONGEST = 200
COUNT = {"web": 2, "worker": 2, "ffmpeg": 1, "dns": 2}  # attempts of each

Attempts = dict[str, Callable[[], object]]


@dataclass
class PlantedSupervisor(Supervisor):
    """The supervisor, whose processes with a leak may be without their layers."""

    module: str = "reelm.commands.prove.planted"
    leaks: tuple[str, ...] = ()
    is_held: bool = True

    def _order(self, role: str, door: int) -> Order:
        if role in {WHERE[leak] for leak in self.leaks} and not self.is_held:
            return Order()
        return super()._order(role, door)


def serve(path: str, leaks: str, state: str) -> None:
    """Serve the region at `path` with the leaks in it."""
    os.environ[PLANTED] = f"{leaks} {state}"
    settings = load(Path(path))
    supervisor = PlantedSupervisor(
        Home(Path(path).resolve()),
        settings,
        lambda sentence: print(sentence, file=sys.stderr),  # noqa: T201 - as `reelm serve` does
        leaks=tuple(leaks.split(",")),
        is_held=state == "held",
    )
    supervisor.run(lambda port: print(f" is at http://127.0.0.1:{port}", flush=True))  # noqa: T201


def be_child(role: str, home: str, parent: str, listener: str = "") -> None:
    """Be web or worker as ever, and beside it do what was planted."""
    leaks, state = os.environ[PLANTED].split()
    ours = [leak for leak in leaks.split(",") if role == WHERE[leak]]
    if ours:
        is_held = state == "held"
        if not is_held:
            hook.install = lambda *_: None
        threading.Thread(
            target=_leak, args=(ours, Path(home), is_held), name="planted", daemon=True
        ).start()
    child.main(role, home, parent, listener)


def _leak(leaks: Sequence[str], home: Path, is_held: bool) -> None:
    time.sleep(WAIT_S)  # until the process does what it is there for
    for leak in leaks:
        for name, outcome in _tried(_attempts(leak, home, is_held=is_held)):
            # One write each: web and worker share the file.
            with (home / OUTCOMES).open("a") as file:
                words = {"leak": leak, "attempt": name, "outcome": outcome}
                file.write(json.dumps(words) + "\n")


def _tried(attempts: Attempts) -> Iterator[tuple[str, str]]:
    for name, attempt in attempts.items():
        try:
            yield name, f"ended: {attempt()}"
        except Exception as error:  # noqa: BLE001 - whatever became of it is the outcome
            yield name, " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]


def _attempts(leak: str, home: Path, *, is_held: bool) -> Attempts:
    if leak == "ffmpeg":
        return {"ffmpeg with a remote input": lambda: _ffmpeg(home, is_held=is_held)}
    if leak == "dns":
        return {"a look-up by Python": _look_up, "a look-up by C": _look_up_by_c}
    return {"HTTP by Python": _http, "HTTP by Rust": _http_by_rust}


def _http() -> object:
    return urllib.request.urlopen(f"http://{TARGET}/leak", timeout=WAIT_S).status


def _http_by_rust() -> object:
    store = HTTPStore(
        f"http://{TARGET}",
        client_options={"allow_http": True, "timeout": "3s"},
        retry_config={"max_retries": 0},
    )
    return obstore.get(store, "leak").meta


def _look_up() -> object:
    import socket  # noqa: PLC0415 - the leak's own

    return socket.getaddrinfo(NAME, 80)


def _look_up_by_c() -> object:
    found = ctypes.c_void_p()
    libc = ctypes.CDLL(None)
    libc.gai_strerror.restype = ctypes.c_char_p
    status = libc.getaddrinfo(NAME.encode(), b"80", None, ctypes.byref(found))
    return libc.gai_strerror(status).decode()


def _ffmpeg(home: Path, *, is_held: bool) -> object:
    argv: Sequence[str] = (
        sandbox.ffmpeg_path(),
        *("-nostdin", "-hide_banner", "-i", f"http://{TARGET}/leak.mp4", "-f", "null", "-"),
    )
    if is_held:
        said = sandbox.run(argv, work=home / "work").errors
    else:
        try:
            ran = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=WAIT_S)
            said = ran.stderr
        except subprocess.TimeoutExpired:
            said = "no answer"
    return said.strip().splitlines()[-1]


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        be_child(*sys.argv[1:])
