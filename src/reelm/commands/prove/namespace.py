"""A network of its own for this process, whose every way out leads to a witness.

Default routes of both versions and the resolver lead into a TUN device, so that a packet which
anything here tries to send is there to be read: none seen means that none was sent.
"""

import ctypes
import fcntl
import os
import socket
import struct
import tempfile
from contextlib import suppress
from pathlib import Path

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from reelm.foundation.errors import Unavailable

DEVICE = "reelm0"
ADDRESS, ADDRESS_6 = "198.18.0.2", "fd72:6565:6c6d::2"  # RFC 2544, RFC 4193
RESOLVER, GATEWAY = "198.18.0.53", "198.18.0.1"
# linux/sched.h, linux/if_tun.h, linux/mount.h, linux/if.h, linux/if_addr.h
_NEWNS, _NEWUSER, _NEWNET = 0x20000, 0x10000000, 0x40000000
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 1, 0x1000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_IFF_UP, _IFF_MULTICAST = 1, 0x1000
_IFA_F_NODAD = 2
# Programs that look names up, or begin others, for whoever asks over a local socket: they are
# outside of this network, and what they sent would be sent for real.
_HELPERS = ("/run/systemd/resolve", "/run/nscd", "/run/avahi-daemon", "/run/dbus")
NEEDS = (
    "It needs Linux with network, mount and user namespaces and /dev/net/tun: as root, or as a "
    "user who may make user namespaces (sysctls kernel.unprivileged_userns_clone, "
    "user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns); in a container with "
    "--cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun."
)

_libc = ctypes.CDLL(None, use_errno=True)


def enter() -> int:
    """Move this process into a network of its own; return the descriptor of its way out.

    To be called while the process has one thread.

    Raises:
        Unavailable: this machine does not allow it; says what is needed.
    """
    try:
        _unshare()
        _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
        way_out = _open_device()
        _configure()
        _answer_names()
    except OSError as error:
        what = f" ({error.filename})" if error.filename else ""
        raise Unavailable(f"A network of its own: {error.strerror}{what}. {NEEDS}") from error
    except NetlinkError as error:
        raise Unavailable(f"A network of its own cannot be set up: {error}. {NEEDS}") from error
    return way_out


def sent() -> tuple[int, int]:
    """Return how many packets the device has handed out, and how many it has dropped."""
    with IPRoute() as route:
        (link,) = route.get_links(route.link_lookup(ifname=DEVICE)[0])
        statistics = link.get_attr("IFLA_STATS64")
    return int(statistics["tx_packets"]), int(statistics["tx_dropped"])


def _unshare() -> None:
    uid, gid = os.geteuid(), os.getegid()
    flags = _NEWNS | _NEWNET | (_NEWUSER if uid != 0 else 0)
    _call(_libc.unshare(flags), "unshare")
    if uid != 0:
        # The same numbers inside: what is started here is this user, without any power.
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            Path(f"/proc/self/{name}").write_text(text, "ascii")


def _open_device() -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    request = struct.pack("16sH22x", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI)
    fcntl.ioctl(device, _TUNSETIFF, request)
    return device


def _configure() -> None:
    # No chatter of the kernel's own: no link-local address, so no router is asked for.
    conf = Path("/proc/sys/net/ipv6/conf") / DEVICE
    for name, value in (
        ("disable_ipv6", 0),
        ("autoconf", 0),
        ("accept_ra", 0),
        ("router_solicitations", 0),
        ("addr_gen_mode", 1),
        ("dad_transmits", 0),
    ):
        with suppress(OSError):  # no IPv6 here, or /proc/sys is not to be written
            (conf / name).write_text(str(value), "ascii")
    with IPRoute() as route:
        loopback, device = 1, route.link_lookup(ifname=DEVICE)[0]
        route.link("set", index=loopback, state="up")
        route.link("set", index=device, flags=_IFF_UP, change=_IFF_UP | _IFF_MULTICAST)
        route.addr("add", index=device, address=ADDRESS, prefixlen=24)
        route.route("add", family=socket.AF_INET, dst="0.0.0.0/0", gateway=GATEWAY)
        if conf.exists():
            route.addr("add", index=device, address=ADDRESS_6, prefixlen=64, flags=_IFA_F_NODAD)
            route.route("add", family=socket.AF_INET6, dst="::/0", oif=device)


def _answer_names() -> None:
    for helper in _HELPERS:
        if Path(helper).is_dir():
            _mount("none", helper, "tmpfs", 0)
    folder = Path(tempfile.mkdtemp(prefix="reelm-names-"))
    for path, text in (
        ("/etc/resolv.conf", f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n"),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ):
        target = Path(os.path.realpath(path))
        if not target.exists() and not _made(target):
            continue
        ours = folder / target.name
        ours.write_text(text, "ascii")
        _mount(str(ours), str(target), None, _MS_BIND)
        ours.unlink()  # the mount keeps it
    folder.rmdir()


def _made(target: Path) -> bool:
    """Make an empty file to mount on, below a helper's folder that is hidden now."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    except OSError:
        return False
    return True


def _mount(source: str | None, target: str, kind: str | None, flags: int) -> None:
    arguments = [None if text is None else text.encode() for text in (source, target, kind)]
    _call(_libc.mount(*arguments, ctypes.c_ulong(flags), None), f"mount {target}")


def _call(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
