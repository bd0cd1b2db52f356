"""What is withheld, kept in memory and dropped at the moment it changes.

The database tells of each change by NOTIFY at its commit (migrations 0001 and 0003). While the
listener is not connected nothing is taken from memory: each request asks the database.
"""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from reelm import regions
from reelm.foundation.database.listen import Listener
from reelm.foundation.errors import LegallyWithheld, Unavailable
from reelm.foundation.parts import Parts
from reelm.regions import SERVICE, Withheld

WITHHELD = "This service is withheld by a legal order."


class Hearer(NamedTuple):
    """Who is told of changes: of one as kind and id, and of having missed some."""

    on_change: Callable[[str, int], None]
    forget: Callable[[], None]


class Changes:
    """One listener for all in this process that keep in memory what may be seen."""

    def __init__(self, parts: Parts) -> None:
        self._hearers: list[Hearer] = []
        self._listener = Listener(
            parts.database.conninfo, "visibility", self._on_payload, self._on_connect
        )

    @property
    def connected(self) -> bool:
        """Whether memory may be believed: every change since it was filled was heard."""
        return self._listener.connected

    def tell(self, hearer: Hearer) -> None:
        """Tell a hearer of every change from now on."""
        self._hearers.append(hearer)

    def start(self) -> None:
        """Begin to hear of changes."""
        self._listener.start()

    def stop(self) -> None:
        """Stop hearing."""
        self._listener.stop()

    def _on_payload(self, payload: str) -> None:
        kind, _, number = payload.partition(":")
        for hearer in self._hearers:
            hearer.on_change(kind, int(number))

    def _on_connect(self) -> None:
        for hearer in self._hearers:
            hearer.forget()


class ServiceBlock:
    """Whether the whole service is withheld, and by whom."""

    def __init__(self, parts: Parts, changes: Changes) -> None:
        self._parts, self._changes = parts, changes
        self._lock = threading.Lock()
        # Counts changes heard of, so that what was read before one is not kept after it.
        self._heard = 0
        self._known: list[Withheld] | None = None
        self._last: list[Withheld] = []
        changes.tell(Hearer(self._on_change, self._forget))

    def from_memory(self) -> list[Withheld] | None:
        """Return what withholds the service, or None where the database has to be asked."""
        return self._known if self._changes.connected else None

    def load(self) -> list[Withheld]:
        """Ask the database what withholds the service.

        While it is away what it said last holds: no order comes in without it.
        """
        heard = self._heard
        try:
            with self._parts.transaction() as session:
                found = regions.restrictions_on(session, [SERVICE])
        except Unavailable:
            return self._last
        with self._lock:
            self._last = found
            if heard == self._heard:
                self._known = found
        return found

    def _on_change(self, kind: str, number: int) -> None:
        if (kind, number) == ("subject", SERVICE):
            self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._heard += 1
            self._known = None


def refuse_service(by: Sequence[Withheld], country: str | None) -> None:
    """Refuse a request from where the service is withheld.

    Raises:
        LegallyWithheld: it is.
    """
    reaching = [one for one in by if regions.holds(one.countries, country)]
    if reaching:
        raise LegallyWithheld(WITHHELD, reaching)


# What answers while the service is withheld: signing in, taking one's data along or erasing it,
# the legal pages, the authorities' channel, the staff, and what watches over the process.
STAYS_OPEN: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (path, frozenset(methods.split()))
    for path, methods in (
        ("/sign-in", "GET POST"),
        ("/sign-in/code", "GET POST"),
        ("/sign-out", "POST"),
        ("/recover", "GET POST"),
        ("/settings", "GET"),
        ("/terms", "GET"),
        ("/privacy", "GET"),
        ("/region", "GET"),
        ("/transfer", "GET"),
        ("/transparency", "GET"),
        ("/audit", "GET"),
        ("/notices", "GET"),
        ("/notices/read", "POST"),
        ("/objection", "GET POST"),
        ("/report", "GET POST"),
        ("/.well-known/security.txt", "GET"),
        ("/api/region", "GET"),
        ("/api/openapi.json", "GET"),
        ("/api/me", "GET DELETE"),
        ("/api/me/export", "GET"),
        ("/api/me/notices", "GET"),
        ("/api/objections", "POST"),
        ("/api/reports", "POST"),
        ("/healthz", "GET"),
        ("/metrics", "GET"),
    )
)
STAYS_OPEN_BELOW = (
    "/assets/",
    "/api/audit/",
    "/api/authorities",
    "/api/grievances",
    "/api/me/notices/",
    "/api/orders",
    "/api/sessions",
    "/api/staff/",
    "/api/transfers",
    "/api/transparency",
    "/audit/",
    "/console",
    "/grievances",
    "/staff",
    "/transparency/",
)


def stays_open(method: str, path: str) -> bool:
    """Return whether a request is answered while the service is withheld."""
    if path.startswith(STAYS_OPEN_BELOW):
        return True
    asked = "GET" if method == "HEAD" else method
    return any(path == known and asked in methods for known, methods in STAYS_OPEN)
