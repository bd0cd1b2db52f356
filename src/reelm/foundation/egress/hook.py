"""Layer a: turn a mistake in Python into a clear error, before any packet.

An audit hook (PEP 578) hears what Python's own `socket` module is asked to do. It hears nothing of
libpq, of Rust, of ctypes or of child processes, and whoever runs Python code can avoid it; it is
there so that a mistake names itself.
"""

import socket
import sys
from collections.abc import Callable, Collection

from reelm.foundation.egress.named import Peer, address_of

OnRefusal = Callable[[str, str], None]  # kind, and to where

# Place of the host or address among the event's arguments.
_CONNECTS = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}
_LOOKS_UP = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.gethostbyaddr": 0}
_KINDS = {"socket.connect": "connect", "socket.sendto": "send", "socket.sendmsg": "send"}
A_NAME = "a name"


class EgressRefused(PermissionError):
    """Something in Python wanted to talk to a host that no setting names."""


def install(peers: Collection[Peer], on_refusal: OnRefusal) -> None:
    """Refuse what no setting names, in this process, for good."""
    hosts = {peer.host for peer in peers}
    addresses = {(peer.address, peer.port) for peer in peers if peer.address}

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        """Look at an event of the interpreter, and refuse it by raising an error."""
        if not event.startswith("socket."):
            return
        if event in _CONNECTS:
            address = arguments[_CONNECTS[event]]
            place = _place(arguments[0], address)
            if place is not None and place not in addresses and not _was_named(place, hosts):
                _refuse(_KINDS[event], place, on_refusal)
        elif event in _LOOKS_UP:
            host = _text(arguments[_LOOKS_UP[event]])
            if host is not None and host not in hosts and address_of(host) is None:
                _refuse("look up", (host, None), on_refusal)

    sys.addaudithook(hear)


def _place(given: object, address: object) -> tuple[str, object] | None:
    """Return host and port of a packet, or None where it stays on this machine's sockets."""
    family = getattr(given, "family", None)
    if family == socket.AF_UNIX or address is None:  # None: on a connection that is there already
        return None
    if isinstance(address, tuple) and len(address) >= 2:
        host = _text(address[0]) or str(address[0])
        return address_of(host) or host, address[1]
    return str(family), None


def _was_named(place: tuple[str, object], hosts: set[str]) -> bool:
    return place[0] in hosts


def _text(host: object) -> str | None:
    if isinstance(host, bytes | bytearray):
        return bytes(host).decode("ascii", "replace")
    return host if isinstance(host, str) else None


def _refuse(kind: str, place: tuple[str, object], on_refusal: OnRefusal) -> None:
    host, port = place
    # A name may hold anything, such as what somebody wants to bring out by asking for it.
    where = address_of(host) or A_NAME
    shown = f"[{where}]" if ":" in where else where
    shown = shown if port is None else f"{shown}:{port}"
    on_refusal(kind, shown)
    raise EgressRefused(
        1,
        f"{kind} {shown} was refused: no setting of this region names it, and a region talks to "
        "nothing else",
    )
