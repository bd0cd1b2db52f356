"""Record what was refused, and say which of the three layers hold (docs/egress.md)."""

import logging
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from reelm.audit import record
from reelm.foundation.config import Settings
from reelm.foundation.database import fence
from reelm.foundation.egress import state, tally
from reelm.foundation.egress.named import peers
from reelm.foundation.egress.tally import OTHERS, Refusal
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts

log = logging.getLogger(__name__)
NOT_RECORDED = Line("refusals could not be recorded: {error}")

COLLECT_EVERY_S = 3.0
# The first refusal of a kind is logged at once, later ones together: at most this often.
AGAIN_AFTER_S = 3600.0
MOST_KINDS = 64
COUNTS = "counts.json"


class Layer(msgspec.Struct, frozen=True):
    """One layer, as the doctor and the public page tell of it."""

    letter: Literal["a", "b", "c"]
    name: str
    state: Literal["on", "off", "not needed"]
    sentence: str


class Recorder:
    """Brings refusals of all processes of this machine into the audit log; the worker runs it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._due: Counter[Refusal] = Counter()
        self._recorded_at: dict[Refusal, float] = {}

    def start(self) -> None:
        """Collect every three seconds, until this process ends."""
        threading.Thread(target=self._run, name="egress-recorder", daemon=True).start()

    def collect(self) -> None:
        """Count what was refused since the last time, and log what has to be logged now."""
        home = self._parts.home.path
        taken = tally.take(home)
        if taken:
            _add_counts(home, taken)
        for refusal, count in taken.items():
            known = refusal in self._recorded_at or refusal in self._due
            if not known and len(self._recorded_at.keys() | self._due.keys()) >= MOST_KINDS:
                refusal = msgspec.structs.replace(refusal, to=OTHERS)  # noqa: PLW2901
            self._due[refusal] += count
        now = time.monotonic()
        ripe = [
            one
            for one in self._due
            if one not in self._recorded_at or now - self._recorded_at[one] >= AGAIN_AFTER_S
        ]
        if not ripe or self._is_frozen():
            return  # in a freeze an entry would have the region sealed again: the counts tell
        for refusal in ripe:
            self._record(refusal)
            self._recorded_at[refusal] = now

    def _is_frozen(self) -> bool:
        with self._parts.transaction() as session:
            return fence.is_closed(session)

    def _record(self, refusal: Refusal) -> None:
        with self._parts.transaction() as session:
            record(
                session,
                "egress.refused",
                process=refusal.process,
                layer=refusal.layer,
                attempt=refusal.kind,
                to=refusal.to,
                count=self._due[refusal],
            )
        del self._due[refusal]

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(COLLECT_EVERY_S):
            try:
                self.collect()
            except Exception as error:  # noqa: BLE001 - the database may be away for a while
                log.warning(NOT_RECORDED(error=error))


def refusal_counts(home: Path) -> dict[tuple[str, str], int]:
    """Return how much was refused, by layer and process, since the region was made."""
    counts: Counter[tuple[str, str]] = Counter()
    with suppress(OSError, msgspec.DecodeError):
        text = (home / tally.FOLDER / COUNTS).read_bytes()
        for name, count in msgspec.json.decode(text, type=dict[str, int]).items():
            layer, _, process = name.partition(" ")
            counts[layer, process] += count
    return dict(counts)


def active_layers(home: Path, settings: Settings) -> list[Layer]:
    """Return the three layers with their state, as the running processes found it themselves."""
    held = state.read(home)
    return [_hook(held), _filter(held, settings), _outside(held, settings)]


def _hook(held: list[state.Held]) -> Layer:
    name = "audit hook"
    with_it = [one.process for one in held if one.hook]
    if not with_it:
        return Layer("a", name, "off", "The region is not being served.")
    sentence = f"A mistake in Python names itself in: {_names(with_it)}."
    return Layer("a", name, "on", sentence)


def _filter(held: list[state.Held], settings: Settings) -> Layer:
    name = "seccomp filter"
    always = "ffmpeg and probes never have a network"
    if not held:
        return Layer("b", name, "off", f"The region is not being served; {always}.")
    without = [one.process for one in held if not one.is_filtered]
    if without:
        return Layer("b", name, "off", f"There is no filter in: {_names(without)}; {always}.")
    if peers(settings):
        sentence = (
            "Web and worker may connect only to the ports of database and store; which addresses "
            f"is for layer c; {always}."
        )
        return Layer("b", name, "off", sentence)
    seen = "" if all(one.is_seen for one in held) else " What it refuses is not seen here."
    sentence = f"No socket to another host can be made in: {_names([o.process for o in held])}."
    return Layer("b", name, "on", f"{sentence} {always.capitalize()}.{seen}")


def _outside(held: list[state.Held], settings: Settings) -> Layer:
    name = "rules outside"
    if not peers(settings):
        return Layer("c", name, "not needed", "Database and store are on this machine.")
    answers = {one.outside for one in held}
    if answers == {"refused"}:
        return Layer("c", name, "on", "A packet to an address that must fail was refused.")
    sentence = "No rule outside of the processes was found: `reelm egress rules` prints them."
    return Layer("c", name, "off", sentence)


def _names(processes: list[str]) -> str:
    return ", ".join(sorted(set(processes)))


def _add_counts(home: Path, taken: dict[Refusal, int]) -> None:
    counts = Counter(refusal_counts(home))
    for refusal, count in taken.items():
        counts[refusal.layer, refusal.process] += count
    path = home / tally.FOLDER / COUNTS
    part = path.with_suffix(".new")
    part.write_bytes(msgspec.json.encode({" ".join(key): n for key, n in counts.items()}))
    part.replace(path)
