"""How web, worker and the embedded database are locked, and how each shows that it is."""

import errno
import socket

from reelm.foundation.config import Settings
from reelm.foundation.egress.confined import Landlock, Order
from reelm.foundation.egress.filters import CLIENT_FAMILIES, LOCAL_FAMILIES
from reelm.foundation.egress.named import peers

DNS_PORT = 53
# No family has this number. Under our filter to ask for it is refused like every other family, and
# nobody counts it; elsewhere the kernel says that there is no such family.
NO_FAMILY = 29285


def serving_order(settings: Settings, listener_to: int | None = None) -> Order:
    """Return what web and worker are locked to: no IP sockets where database and store are local.

    Otherwise they may be clients, and Landlock allows only the ports that settings name; which
    addresses they may reach is for rules outside of them (`reelm egress rules`).
    """
    named = peers(settings)
    ports = {peer.port for peer in named}
    if any(peer.address is None for peer in named):
        ports.add(DNS_PORT)
    return Order(
        families=CLIENT_FAMILIES if named else LOCAL_FAMILIES,
        landlock=Landlock(ports=sorted(ports)),
        drops_capabilities=True,
        listener_to=listener_to,
    )


def notice_order(listener_to: int | None = None) -> Order:
    """Return what the notice of a region that has gone is locked to: it is nobody's client."""
    return Order(
        families=LOCAL_FAMILIES,
        landlock=Landlock(ports=[]),
        drops_capabilities=True,
        listener_to=listener_to,
    )


def refuses_other_families() -> bool:
    """Whether this process is under a filter of socket families; tries it."""
    try:
        socket.socket(NO_FAMILY, socket.SOCK_STREAM).close()
    except OSError as error:
        return error.errno == errno.EPERM
    return False
