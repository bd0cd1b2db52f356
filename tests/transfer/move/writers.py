"""People who write through the product, in a process of each side, until they are told to stop."""

import itertools
import logging
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import text
from tests.transfer.move.histories import BUYER, Act

from reelm import accounts, app, audit, regions, social
from reelm.accounts import passwords
from reelm.feed.log.appender import Appender, Position
from reelm.feed.signals import Kind, Signal
from reelm.foundation.errors import Departed, Frozen, ReelmError, Unavailable
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts

PAUSE_S = 0.01
# What is logged in the freeze has to be sealed again: not for ever.
MOST_LOGGED = 6
WRITTEN = {
    "sign-up": "SELECT handle FROM account",
    "comment": "SELECT body FROM comment",
    "long comment": "SELECT body FROM comment",
    "signal": "SELECT viewer_id::text FROM signal",
    "entry": "SELECT body->>'account_id' FROM audit_entry WHERE kind = 'accounts.reset'",
}
_forking = multiprocessing.get_context("forkserver")


class Writers:
    """The process of one side."""

    def __init__(self, side: str, url: str, home: Path, account_id: int, video_id: int) -> None:
        self._stop, self._begun = _forking.Event(), _forking.Event()
        self._pipe, its = _forking.Pipe(duplex=False)
        told = (side, url, home, account_id, video_id)
        self._process = _forking.Process(target=_run, args=(its, self._begun, self._stop, *told))
        self._process.start()
        its.close()

    def wait(self) -> None:
        """Return once each kind was taken in."""
        assert self._begun.wait(60)

    def stop(self) -> list[Act]:
        """Stop, and return what they did."""
        self._stop.set()
        acts: list[Act] = self._pipe.recv()
        self._process.join()
        return acts


def written(parts: Parts) -> set[tuple[str, str]]:
    """Return kind and key of all that a side has."""
    with parts.transaction() as session:
        return {
            (kind, str(key))
            for kind, query in WRITTEN.items()
            for key in session.scalars(text(query))
        }


def _run(pipe: Any, begun: Any, stop: Any, side: str, url: str, home: Path, *about: int) -> None:
    os.environ["REELM_DATABASE_URL"] = url
    logging.disable()  # a refusal is what is looked for
    passwords._hasher = PasswordHasher.from_parameters(CHEAPEST)
    acts: list[Act] = []
    # The buyer's tries to start until it may; the seller's is what `reelm serve` runs already.
    opened = app.open_region if side == BUYER else app.join_region
    while not stop.is_set():
        try:
            with opened(home, connections=8) as parts:
                _write_all(_People(parts, *about), side, acts, begun, stop)
        except (ReelmError, psycopg.OperationalError):
            time.sleep(PAUSE_S)
    pipe.send(acts)


class _People:
    """Who writes what; each returns the key of what it wrote."""

    def __init__(self, parts: Parts, account_id: int, video_id: int) -> None:
        self.parts, self.account_id, self.video_id = parts, account_id, video_id

    def sign_up(self, key: str) -> None:
        new = accounts.NewAccount(
            handle=key, password="a fine long passphrase", birth_date=date(1990, 5, 17),
            terms_version=regions.TERMS_VERSION,
        )  # fmt: skip
        number = int(key[1:])
        address = f"2001:db8:{number >> 16 & 0xFFFF:x}:{number & 0xFFFF:x}::1"
        with self.parts.transaction() as session:
            accounts.sign_up(session, self.parts, new, address=address)

    def comment(self, key: str) -> None:
        with self.parts.transaction() as session:
            social.comment(session, self.account_id, self.video_id, key)

    def comment_long(self, key: str) -> None:
        """Write, and let others wait for the commit."""
        with self.parts.transaction() as session:
            social.comment(session, self.account_id, self.video_id, key)
            time.sleep(0.05)

    def log(self, key: str) -> None:
        with self.parts.transaction() as session:
            audit.record(session, "accounts.reset", account_id=key)
        time.sleep(0.3)

    @contextmanager
    def appending(self) -> Iterator[Callable[[str], None]]:
        """Yield how to append a signal, by the one appender of the side."""
        appender = Appender(
            self.parts.database.conninfo, load=lambda _: Position(0, 0), apply=lambda _: None
        )
        appender.start()
        try:
            yield lambda key: appender.append(
                [Signal(int(key), self.video_id, Kind.WATCH, watched_ms=1, duration_ms=10_000)]
            )
        finally:
            appender.stop()


def _write_all(people: _People, side: str, acts: list[Act], begun: Any, stop: Any) -> None:
    with people.appending() as append:
        kinds = {
            "sign-up": people.sign_up, "comment": people.comment, "signal": append,
            "long comment": people.comment_long, "entry": people.log,
        }  # fmt: skip
        threads = [
            threading.Thread(target=_write, args=(side, kind, write, acts, begun, stop))
            for kind, write in kinds.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _write(
    side: str, kind: str, write: Callable[[str], None], acts: list[Act], begun: Any, stop: Any
) -> None:
    for number in itertools.count(1):
        if stop.is_set() or (kind == "entry" and number > MOST_LOGGED):
            return
        key = f"p{new_id()}"[:30] if kind == "sign-up" else str(new_id())
        began = time.monotonic()
        outcome = _outcome(write, key)
        acts.append(Act(side, kind, key, began, time.monotonic(), outcome))
        if {one.kind for one in acts if one.outcome == "ok"} >= WRITTEN.keys():
            begun.set()
        time.sleep(PAUSE_S if outcome == "ok" else 3 * PAUSE_S)


def _outcome(write: Callable[[str], None], key: str) -> Any:
    try:
        write(key)
    except (Frozen, Departed):
        return "refused"
    except (Unavailable, psycopg.Error):
        return "unknown"
    return "ok"
