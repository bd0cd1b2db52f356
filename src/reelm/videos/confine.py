"""Lock this process down, then become the given program.

Run as a script, never imported: `python -I -S confine.py '{"cpu_s": …}' program arguments…`. It is
a program of its own because a server with threads must not run Python between fork and exec.
Whatever cannot be locked ends the child before it has read a byte of the upload; Landlock alone is
optional, as kernels before 5.13 lack it.
"""

import ctypes
import json
import os
import platform
import resource
import signal
import stat
import struct
import sys

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
_EPERM = 1

# AUDIT_ARCH_* of linux/audit.h, and the system calls a media parser never needs: sockets (io_uring
# can open them too), reading other processes, keys, mounts and namespaces, kernel code.
_ARCHES = {
    "x86_64": (
        0xC000003E,
        (41, 53, 101, 165, 246, 248, 249, 250, 272, 298, 308, 310, 311, 321, 323, 425, 438),
    ),
    "aarch64": (
        0xC00000B7,
        (198, 199, 117, 40, 104, 217, 218, 219, 97, 241, 268, 270, 271, 280, 282, 425, 438),
    ),
}
_X32_BIT = 0x40000000

# linux/landlock.h
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 2, 1 << 3, 1 << 14
_FILE_ONLY = 0b111 | _TRUNCATE
_SCOPE_SOCKETS_AND_SIGNALS = 0b11

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Apply the limits given as JSON and replace this process by the program."""
    limits = json.loads(sys.argv[1])
    program = sys.argv[2:]
    _die_with(limits["parent"])
    _limit(limits)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _confine_files(limits["read"], limits["write"])
    _refuse_system_calls()
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them; its successor must not
        signal.signal(ignored, signal.SIG_DFL)
    os.execv(program[0], program)  # noqa: S606 - a shell is what it must not be


def _die_with(parent: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)


def _limit(limits: dict[str, int]) -> None:
    _yield_to_others(limits["nice"])
    os.umask(0o077)
    for name, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CPU, limits["cpu_s"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
    ):
        hard = resource.getrlimit(name)[1]
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # SIGXCPU a little before the kill, so that the parent can tell why the child ended.
        soft = max(allowed - 1, 1) if name == resource.RLIMIT_CPU else allowed
        resource.setrlimit(name, (soft, allowed))


def _yield_to_others(nice: int) -> None:
    """Lower the priority; also of the session, as with autogroups nice counts only inside one.

    This child has a session of its own, so without it a ladder at nice 10 takes as much of the
    processor as the web and the database together (man 7 sched, "The autogroup feature").
    """
    level = os.nice(nice)
    try:
        with open("/proc/self/autogroup", "w") as autogroup:  # noqa: PTH123 - starts faster
            autogroup.write(str(level))
    except OSError:
        return  # the kernel has none


def _refuse_system_calls() -> None:
    """Load a seccomp filter (man 2 seccomp) that answers EPERM to the listed calls."""
    arch, refused = _ARCHES[platform.machine()]
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    numbers = [(at_least, _X32_BIT), *((equal, number) for number in refused)]
    to_refusal = len(numbers)
    program = [
        (load, 0, 0, 4),  # seccomp_data.arch
        (equal, 1, 0, arch),
        (answer, 0, 0, 0x80000000),  # SECCOMP_RET_KILL_PROCESS
        (load, 0, 0, 0),  # seccomp_data.nr
        *((code, to_refusal - i, 0, value) for i, (code, value) in enumerate(numbers)),
        (answer, 0, 0, 0x7FFF0000),  # SECCOMP_RET_ALLOW
        (answer, 0, 0, 0x00050000 | _EPERM),  # SECCOMP_RET_ERRNO
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    header = ctypes.create_string_buffer(
        struct.pack("@HxxxxxxP", len(program), ctypes.addressof(code))
    )
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header))


def _confine_files(read: list[str], write: list[str]) -> None:
    """Leave only these trees open (Landlock): the upload itself comes as an open descriptor."""
    version = _libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return
    every = (1 << (13 + min(version - 1, 2))) - 1
    attributes = struct.pack("=Q", every)
    if version >= 6:
        attributes = struct.pack("=QQQ", every, 0, _SCOPE_SOCKETS_AND_SIGNALS)
    rules = _libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        sys.exit("Landlock refused its rules")
    for path in read:
        _allow(rules, path, _EXECUTE | _READ_FILE | _READ_DIR)
    for path in write:
        _allow(rules, path, every & ~_EXECUTE)
    if _libc.syscall(_RESTRICT_SELF, rules, 0) != 0:
        sys.exit("Landlock could not be applied")
    os.close(rules)


def _allow(rules: int, path: str, access: int) -> None:
    try:
        folder = os.open(path, os.O_PATH)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(os.fstat(folder).st_mode):
        access &= _FILE_ONLY
    rule = struct.pack("=Qi", access, folder)
    if _libc.syscall(_ADD_RULE, rules, 1, rule, 0) != 0:
        sys.exit(f"Landlock refused the rule for {path}")
    os.close(folder)


def _prctl(option: int, value: int, address: int = 0) -> None:
    arguments = [ctypes.c_ulong(number) for number in (value, address, 0, 0)]
    if _libc.prctl(option, *arguments) != 0:
        sys.exit(f"prctl {option} failed: {os.strerror(ctypes.get_errno())}")


main()
