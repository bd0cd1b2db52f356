"""Take entries into the tree as they are committed, in a thread of the worker."""

import logging
import threading
from collections.abc import Callable

import psycopg

from reelm.audit.integrate import Signer, integrate
from reelm.foundation.database.listen import Listener
from reelm.foundation.errors import ReelmError
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts

log = logging.getLogger(__name__)
NOT_INTEGRATED = Line("the audit log is not integrated: {error}")

CHANNEL = "audit"
# Entries of a busy moment are one batch and one checkpoint.
GATHER_S = 0.3
# Looks anyway, so that a notice that was lost costs no more than this.
AT_LEAST_EVERY_S = 30.0


class Integrating:
    """Integrates whenever an entry is committed, until it is stopped."""

    def __init__(self, parts: Parts, signer_of: Callable[[Parts], Signer]) -> None:
        self._parts, self._signer_of = parts, signer_of
        self._stop = threading.Event()
        self._added = threading.Event()
        self._told = ""
        conninfo = parts.database.conninfo
        self._listener = Listener(conninfo, CHANNEL, lambda _: self._added.set(), self._added.set)
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        """Begin, with what is pending already."""
        self._listener.start()
        self._thread.start()

    def stop(self) -> None:
        """End; what is pending then waits for the next start."""
        self._stop.set()
        self._added.set()
        self._listener.stop()
        self._thread.join(timeout=3)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._added.wait(AT_LEAST_EVERY_S)
            self._stop.wait(GATHER_S)
            self._added.clear()
            try:
                integrate(self._parts.database, self._signer_of(self._parts))
                self._told = ""
            except (psycopg.Error, ReelmError, OSError) as error:
                self._tell(error)

    def _tell(self, error: Exception) -> None:
        # A refusal lasts until somebody mends it; once in the log is enough.
        if str(error) != self._told:
            log.error(NOT_INTEGRATED(error=error))
            self._told = str(error)
