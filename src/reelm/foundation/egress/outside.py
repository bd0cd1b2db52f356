"""Layer c: what rules outside of this process do with a packet to an address that must fail."""

import errno
import ipaddress
import socket
from collections.abc import Collection
from typing import Literal

from reelm.foundation.egress.named import Peer

# RFC 5737 and RFC 3849: for documentation; nobody has them, and no rule of ours allows them.
MUST_FAIL = "192.0.2.1"
MUST_FAIL_6 = "2001:db8::1"
_DISCARD_PORT = 9
_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}

Outcome = Literal["refused", "left", "no route"]


def needs_rules(peers: Collection[Peer]) -> bool:
    """Whether settings name a host elsewhere, so that the kernel has to be told which."""
    return any(peer.address is None or not _is_loopback(peer.address) for peer in peers)


def try_outside() -> Outcome:
    """Send one byte to each address that must fail, and say what became of it.

    A rule of nftables or systemd answers a datagram with EPERM at once; a firewall further out
    cannot be told from no firewall, so that counts as left.
    """
    outcomes = {
        _send(socket.AF_INET, MUST_FAIL),
        _send(socket.AF_INET6, MUST_FAIL_6),
    }
    if "left" in outcomes:
        return "left"
    return "refused" if "refused" in outcomes else "no route"


def _send(family: socket.AddressFamily, address: str) -> Outcome:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.sendto(b"\0", (address, _DISCARD_PORT))
    except PermissionError:
        return "refused"
    except OSError as error:
        if error.errno in _NO_ROUTE:
            return "no route"
        raise
    return "left"


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
