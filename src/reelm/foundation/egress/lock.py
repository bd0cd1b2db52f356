"""Locks that a process puts on itself before it becomes another program; none can be taken off.

Only for the scripts that do that: everything here ends the process where it cannot be done.
"""

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Sequence

PDEATHSIG, SECCOMP, NO_NEW_PRIVILEGES = 1, 22, 38
_BOUNDING_SET_READ, _BOUNDING_SET_DROP = 23, 24
_SECCOMP_MODE_FILTER = 2
# seccomp(2): its number on x86_64 and aarch64, and how it is asked for a listener.
_SECCOMP_CALL = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _NEW_LISTENER = 1, 1 << 3

# linux/landlock.h
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH, _NET_PORT = 1, 2
_EXECUTE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 2, 1 << 3, 1 << 14
_FILE_ONLY = 0b111 | _TRUNCATE
_BIND_AND_CONNECT_TCP, _CONNECT_TCP = 0b11, 0b10
_SCOPE_SOCKETS_AND_SIGNALS = 0b11
_ABI_NET, _ABI_SCOPE = 4, 6

# linux/capability.h: chown, dac_override, dac_read_search, fowner, fsetid, kill, setgid, setuid,
# sys_nice. With cap_net_admin a process could bring packets out by a device, without a socket.
_KEPT_CAPABILITIES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 23})

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: int, address: int = 0) -> None:
    """Ask the kernel something about this process, or end it."""
    arguments = [ctypes.c_ulong(number) for number in (value, address, 0, 0)]
    if _libc.prctl(option, *arguments) != 0:
        sys.exit(f"prctl {option} failed: {os.strerror(ctypes.get_errno())}")


def load_filter(program: bytes) -> None:
    """Load a seccomp program for good, also for every child."""
    prctl(NO_NEW_PRIVILEGES, 1)
    header, keep = _header(program)
    prctl(SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header))
    del keep


def load_filter_with_listener(program: bytes) -> int | None:
    """Load a seccomp program; return the descriptor on which its questions are answered.

    None, with nothing loaded, where the kernel gives no listener: it is older than 5.0, or this
    process is below a filter that has one already, as some container runtimes do.
    """
    prctl(NO_NEW_PRIVILEGES, 1)
    header, keep = _header(program)
    number = _SECCOMP_CALL[os.uname().machine]
    address = ctypes.c_void_p(ctypes.addressof(header))
    listener = int(_libc.syscall(number, _SET_MODE_FILTER, _NEW_LISTENER, address))
    del keep
    return listener if listener >= 0 else None


def drop_capabilities() -> None:
    """Leave of root's powers only those over files and processes of its own."""
    if os.geteuid() != 0:
        return
    with open("/proc/sys/kernel/cap_last_cap") as file:  # noqa: PTH123 - starts faster
        last = int(file.read())
    for number in set(range(last + 1)) - _KEPT_CAPABILITIES:
        # Without cap_setpcap, as below another lock, none can be dropped; nor has any to be.
        if _libc.prctl(_BOUNDING_SET_READ, number, 0, 0, 0) == 1:
            prctl(_BOUNDING_SET_DROP, number)


def restrict(
    *,
    read: Sequence[str] | None = None,
    write: Sequence[str] = (),
    ports: Sequence[int] = (),
) -> None:
    """Apply Landlock as far as this kernel has it (man 7 landlock).

    Args:
        read: trees that stay readable; None leaves files alone.
        write: trees that stay writable, if `read` is given.
        ports: TCP ports that may be connected to; to bind one is always refused.
    """
    version = int(_libc.syscall(_CREATE_RULESET, None, 0, 1))
    if version < 1 or (read is None and version < _ABI_NET):
        return
    files = 0 if read is None else (1 << (13 + min(version - 1, 2))) - 1
    attributes = struct.pack("=Q", files)
    if version >= _ABI_NET:
        attributes += struct.pack("=Q", _BIND_AND_CONNECT_TCP)
    if version >= _ABI_SCOPE:
        attributes += struct.pack("=Q", _SCOPE_SOCKETS_AND_SIGNALS)
    rules = int(_libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0))
    if rules < 0:
        sys.exit("Landlock refused its rules")
    for path in read or ():
        _allow_path(rules, path, _EXECUTE | _READ_FILE | _READ_DIR)
    for path in write if read is not None else ():
        _allow_path(rules, path, files & ~_EXECUTE)
    for port in ports if version >= _ABI_NET else ():
        _add(rules, _NET_PORT, struct.pack("=QQ", _CONNECT_TCP, port), f"port {port}")
    prctl(NO_NEW_PRIVILEGES, 1)
    if _libc.syscall(_RESTRICT_SELF, rules, 0) != 0:
        sys.exit("Landlock could not be applied")
    os.close(rules)


def _header(program: bytes) -> tuple["ctypes.Array[ctypes.c_char]", object]:
    code = ctypes.create_string_buffer(program, len(program))
    length = len(program) // 8
    header = struct.pack("@HxxxxxxP", length, ctypes.addressof(code))
    return ctypes.create_string_buffer(header, len(header)), code


def _allow_path(rules: int, path: str, access: int) -> None:
    try:
        folder = os.open(path, os.O_PATH)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(os.fstat(folder).st_mode):
        access &= _FILE_ONLY
    _add(rules, _PATH_BENEATH, struct.pack("=Qi", access, folder), path)
    os.close(folder)


def _add(rules: int, kind: int, rule: bytes, what: str) -> None:
    if _libc.syscall(_ADD_RULE, rules, kind, rule, 0) != 0:
        sys.exit(f"Landlock refused the rule for {what}")
