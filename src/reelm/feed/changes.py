"""Keep the ranker's videos as the database has them: hear of changes, and read those again.

The database tells at each commit which video or account has changed (channel `visibility`), and
which account's log was erased (channel `feed`). Changes that come together are read together.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from itertools import islice

from sqlalchemy.exc import SQLAlchemyError

from reelm.feed.facts import all_facts, facts_of
from reelm.feed.ranker import VideoFacts
from reelm.foundation.database.listen import Listener
from reelm.foundation.errors import ReelmError
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts

log = logging.getLogger(__name__)
NOT_READ = Line("changed videos could not be read: {error}")

CHANNELS = "visibility feed"
# What changes within this time is read together; nobody sees a video later for it.
GATHER_S = 0.1
RETRY_S = 2.0
MOST_AT_ONCE = 1_000
LONGEST_CONNECT_S = 5.0

Take = Callable[[list[VideoFacts], list[int]], None]


class Changes:
    """Hears of changes from the first `load` on, on threads of its own.

    Args:
        parts: the open region.
        take: is given new or changed videos, and the ids of those not shown any more.
        known: returns the ids of all videos that were taken.
        forget: is told each account whose log was erased.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        take: Take,
        known: Callable[[], Iterable[int]],
        forget: Callable[[int], None],
    ) -> None:
        self._parts, self._take, self._known, self._forget = parts, take, known, forget
        self._lock = threading.Lock()
        self._wake, self._connected, self._stop = (threading.Event() for _ in range(3))
        self._is_hearing = self._is_loaded = False
        self._has_missed = False
        self._videos: set[int] = set()
        self._accounts: set[int] = set()
        self._erased: set[int] = set()
        self._listener = Listener(
            parts.database.conninfo, CHANNELS, self._on_payload, self._on_connect
        )
        self._thread = threading.Thread(target=self._run, name="feed-changes", daemon=True)

    def stop(self) -> None:
        """Stop hearing."""
        self._stop.set()
        self._wake.set()
        if self._is_hearing:
            self._is_hearing = False
            self._listener.stop()
            self._thread.join(timeout=5)

    def load(self) -> int:
        """Hand over every video there is, and return how many; changes are heard from now on."""
        if not self._is_hearing:
            self._is_hearing = True
            self._listener.start()
            self._thread.start()
        self._connected.wait(LONGEST_CONNECT_S)
        with self._lock:
            self._has_missed = False
            self._videos.clear()
            self._accounts.clear()
        there = set[int]()
        with self._parts.transaction() as session:
            for some in all_facts(session):
                there.update(facts.video_id for facts in some)
                self._take(some, [])
        self._take([], [video_id for video_id in self._known() if video_id not in there])
        self._is_loaded = True
        self._wake.set()
        return len(there)

    def _on_connect(self) -> None:
        # What changed while nothing was heard is not known.
        with self._lock:
            self._has_missed = True
        self._connected.set()
        self._wake.set()

    def _on_payload(self, payload: str) -> None:
        kind, _, number = payload.partition(":")
        # A subject that is withheld or free again is the one or the other.
        changed = {
            "video": (self._videos,),
            "account": (self._accounts,),
            "subject": (self._videos, self._accounts),
            "forget": (self._erased,),
        }
        if kind in changed and number.isdigit():
            with self._lock:
                for ids in changed[kind]:
                    ids.add(int(number))
            self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            if self._stop.wait(GATHER_S) or not self._is_loaded:
                self._wake.clear()
                continue
            self._wake.clear()
            try:
                self._catch_up()
            except (ReelmError, SQLAlchemyError) as error:
                log.warning(NOT_READ(error=error))
                with self._lock:
                    self._has_missed = True
                self._stop.wait(RETRY_S)
                self._wake.set()

    def _catch_up(self) -> None:
        with self._lock:
            has_missed = self._has_missed
            erased = [self._erased.pop() for _ in range(len(self._erased))]
        for account_id in erased:
            self._forget(account_id)
        if has_missed:
            self.load()
        while not self._stop.is_set():
            with self._lock:
                videos, accounts = _some(self._videos), _some(self._accounts)
            if not videos and not accounts:
                return
            with self._parts.transaction() as session:
                shown, gone = facts_of(session, videos, accounts)
            self._take(shown, gone)


def _some(ids: set[int]) -> list[int]:
    taken = list(islice(ids, MOST_AT_ONCE))
    ids.difference_update(taken)
    return taken
