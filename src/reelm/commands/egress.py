"""`reelm egress`: which layers hold, and rules for nftables and systemd for what settings name."""

import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from reelm.foundation.config import load
from reelm.foundation.egress.named import Peer, peers
from reelm.foundation.errors import Invalid, Unavailable
from reelm.regions.egress import active_layers


class Rules(msgspec.Struct, frozen=True):
    """What may be talked to, and the two texts that say so to the kernel."""

    allowed: list[tuple[str, int]]  # addresses and ports, one way out each
    nftables: str
    systemd: str


def rules(region: Path, user: str, *, resolve: bool) -> Rules:
    """Return the rules for a region.

    Args:
        region: the region home.
        user: the user that runs `reelm serve`, by name or number.
        resolve: whether names in settings are looked up now.

    Raises:
        Invalid: a setting gives a name, and it is not to be looked up.
        Unavailable: a name has no address now.
    """
    found = [
        (address, peer.port)
        for peer in peers(load(region))
        for address in _addresses(peer, resolve=resolve)
    ]
    allowed = sorted(set(found))
    return Rules(allowed, _nftables(allowed, user), _systemd([address for address, _ in allowed]))


def print_rules(
    region: Path, user: str, kind: str, say: Callable[[str], None], *, resolve: bool, as_json: bool
) -> None:
    """Print the rules of one kind, or both."""
    made = rules(region, user, resolve=resolve)
    if as_json:
        say(msgspec.json.encode(made).decode())
        return
    texts = {"nftables": made.nftables, "systemd": made.systemd}
    say("\n".join(texts[name] for name in texts if kind in (name, "both")).rstrip())


def print_layers(region: Path, say: Callable[[str], None], *, as_json: bool) -> None:
    """Print the state of the three layers."""
    found = active_layers(region.resolve(), load(region))
    if as_json:
        say(msgspec.json.encode(found).decode())
        return
    for layer in found:
        say(f"{layer.letter}  {layer.name:<15}{layer.state:<11}{layer.sentence}")


def running_user() -> str:
    """Return the user that this command runs as."""
    return str(os.geteuid())


def _addresses(peer: Peer, *, resolve: bool) -> Sequence[str]:
    if peer.address is not None:
        return [peer.address]
    if not resolve:
        raise Invalid(
            f"{peer.setting} gives the name {peer.host}, and rules need addresses: write its "
            "address there, or give --resolve to look it up now."
        )
    try:
        found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unavailable(f"{peer.host} has no address now: {error.strerror}.") from None
    return sorted({str(address[4][0]) for address in found})


def _nftables(allowed: Sequence[tuple[str, int]], user: str) -> str:
    ways = []
    for address, port in allowed:
        family = "ip6" if ipaddress.ip_address(address).version == 6 else "ip"
        ways.append(f"    meta skuid {user} {family} daddr {address} tcp dport {port} accept")
    lines = [
        "# Load with: nft -f FILE. All that this user sends elsewhere is refused.",
        "# Run `reelm serve` as a user of its own: rules for root would hold for all of root.",
        "table inet reelm_egress",
        "delete table inet reelm_egress",
        "table inet reelm_egress {",
        "  chain output {",
        "    type filter hook output priority filter; policy accept;",
        # Answers to those who asked: people's browsers, or the proxy.
        f"    meta skuid {user} ct direction reply accept",
        f'    meta skuid {user} oifname "lo" accept',
        *ways,
        f"    meta skuid {user} counter reject with icmpx admin-prohibited",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _systemd(addresses: Sequence[str]) -> str:
    lines = [
        "# For /etc/systemd/system/reelm.service.d/egress.conf, then: systemctl daemon-reload.",
        "# It knows addresses, not who began a connection, so people are served by a proxy on this",
        "# machine.",
        "[Service]",
        "IPAddressDeny=any",
        "IPAddressAllow=localhost",
        *(f"IPAddressAllow={address}" for address in sorted(set(addresses))),
    ]
    return "\n".join(lines) + "\n"
