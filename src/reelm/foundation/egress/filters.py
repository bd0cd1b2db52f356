"""Seccomp programs (man 2 seccomp): which sockets a process may make, as classic BPF.

Built here by the parent and loaded by `lock.py` in the child. A filter sees numbers, not memory:
the family of a new socket and the flags of a send, but never the address of a `connect`.
"""

import platform
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from reelm.foundation.errors import Unavailable


@dataclass(frozen=True)
class _Arch:
    """Numbers of one processor's system calls."""

    audit: int  # AUDIT_ARCH_* of linux/audit.h
    socket: int
    socketpair: int
    clone: int
    sends: tuple[tuple[int, int], ...]  # call, and which of its arguments holds the flags
    never: tuple[int, ...]


# Since Linux 5.1 a call has the same number on every processor. Mounting step by step, descriptors
# of other processes, attributes of mounts.
_NEW_CALLS = (428, 429, 430, 431, 432, 433, 438, 442)
# clone3() has its flags in memory, where no filter sees them: a libc goes back to clone() where the
# kernel does not know it.
_CLONE3 = 435
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET of linux/sched.h.
_NAMESPACES = 0x7E020000
# What no process of ours needs: io_uring (it opens sockets past this filter), reading and writing
# other processes, taking their descriptors, keys, mounts and namespaces, kernel code.
_ARCHES = {
    "x86_64": _Arch(
        0xC000003E,
        41,
        53,
        56,
        ((44, 3), (46, 2), (307, 3)),
        (101, 165, 246, 248, 249, 250, 272, 298, 308, 310, 311, 321, 323, 425, *_NEW_CALLS),
    ),
    "aarch64": _Arch(
        0xC00000B7,
        198,
        199,
        220,
        ((206, 3), (211, 2), (269, 3)),
        (117, 40, 104, 217, 218, 219, 97, 241, 268, 270, 271, 280, 282, 425, *_NEW_CALLS),
    ),
}
_X32_BIT = 0x40000000
# sendto() with it connects without asking connect(), and so past Landlock too.
_MSG_FASTOPEN = 0x20000000
_EPERM = 1

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _ALLOW = 0x80000000, 0x7FFF0000
_REFUSE, _ASK = 0x00050000 | _EPERM, 0x7FC00000
_UNKNOWN = 0x00050000 | 38  # ENOSYS

_Line = tuple[int, int, int, int]

# Everything between processes of one machine.
LOCAL_FAMILIES = (int(socket.AF_UNIX),)
# What a client of a database or store elsewhere needs; glibc asks AF_NETLINK for its addresses.
CLIENT_FAMILIES = (*LOCAL_FAMILIES, int(socket.AF_INET), int(socket.AF_INET6), 16)


def program(families: Iterable[int], *, asks: bool = False) -> bytes:
    """Return a filter under which only sockets of these families can be made.

    Args:
        families: numbers of `AF_*`; with none, no socket at all and no pair of sockets.
        asks: whether a refusal goes to the listener of the filter, which sees and answers it,
            instead of being answered with EPERM by the kernel itself.

    Raises:
        Unavailable: this processor's system calls are not known here.
    """
    arch = _arch()
    refusal = _ASK if asks else _REFUSE
    lines: list[_Line] = [
        (_LOAD, 0, 0, 4),  # seccomp_data.arch
        (_EQUAL, 1, 0, arch.audit),
        (_ANSWER, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # seccomp_data.nr
        *_when(_AT_LEAST, _X32_BIT, [(_ANSWER, 0, 0, _REFUSE)]),
    ]
    for number in arch.never:
        lines += _when(_EQUAL, number, [(_ANSWER, 0, 0, _REFUSE)])
    lines += _when(_EQUAL, _CLONE3, [(_ANSWER, 0, 0, _UNKNOWN)])
    lines += _when(_EQUAL, arch.clone, _without(0, _NAMESPACES, _REFUSE))
    for number in (arch.socket, arch.socketpair):
        lines += _when(_EQUAL, number, _only(0, tuple(families), refusal))
    for number, argument in arch.sends:
        lines += _when(_EQUAL, number, _without(argument, _MSG_FASTOPEN, refusal))
    lines.append((_ANSWER, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def family_name(number: int) -> str:
    """Return the name of a socket family, such as AF_INET."""
    try:
        return socket.AddressFamily(number).name
    except ValueError:
        return f"family {number}"


def socket_calls() -> frozenset[int]:
    """Return the numbers of `socket` and `socketpair` here."""
    arch = _arch()
    return frozenset({arch.socket, arch.socketpair})


def _arch() -> _Arch:
    machine = platform.machine()
    if machine not in _ARCHES:
        raise Unavailable(f"There is no filter of system calls for a {machine} processor.")
    return _ARCHES[machine]


def _when(test: int, value: int, block: list[_Line]) -> list[_Line]:
    return [(test, 0, len(block), value), *block]


def _only(argument: int, allowed: tuple[int, ...], refusal: int) -> list[_Line]:
    # The kernel looks at the lower half of the argument alone, and so does this.
    tests = [
        (_EQUAL, len(allowed) - place, 0, value & 0xFFFFFFFF) for place, value in enumerate(allowed)
    ]
    return [
        (_LOAD, 0, 0, _low(argument)),
        *tests,
        (_ANSWER, 0, 0, refusal),
        (_ANSWER, 0, 0, _ALLOW),
    ]


def _without(argument: int, flag: int, refusal: int) -> list[_Line]:
    return [
        (_LOAD, 0, 0, _low(argument)),
        (_ANY_BIT, 0, 1, flag),
        (_ANSWER, 0, 0, refusal),
        (_ANSWER, 0, 0, _ALLOW),
    ]


def _low(argument: int) -> int:
    # seccomp_data.args begin at 16, eight bytes each; both processors put the lower half first.
    return 16 + 8 * argument
