"""Answer what filters ask: every refused socket of a locked process is seen here, and refused.

A process under an asking filter waits in its forbidden call until its parent answers. There is one
answer, EPERM, whatever else happens here; should this thread or process be gone, the kernel
answers ENOSYS instead. Nothing here can let a call through.
"""

import fcntl
import os
import select
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from reelm.foundation.egress.filters import family_name, socket_calls
from reelm.foundation.egress.serving import NO_FAMILY

# linux/seccomp.h: struct seccomp_notif {id, pid, flags, {nr, arch, ip, args[6]}}, its answer, and
# the numbers _IOWR('!', 0, …) and _IOWR('!', 1, …) of their sizes.
_QUESTION, _ANSWER = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_EPERM = 1

OnRefusal = Callable[[str, str], None]  # name of the process, what was refused


class Watch:
    """One thread that answers for all locked children of this process."""

    def __init__(self, on_refusal: OnRefusal) -> None:
        self._on_refusal = on_refusal
        self._poll = select.epoll()
        self._names: dict[int, str] = {}
        self._doors: dict[int, socket.socket] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to answer, until this process ends."""
        threading.Thread(target=self._run, name="egress-watch", daemon=True).start()

    def door(self, name: str) -> socket.socket:
        """Return the socket to hand to a new child, over which its listener comes back."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with self._lock:
            self._doors[ours.fileno()] = ours
            self._names[ours.fileno()] = name
        self._poll.register(ours.fileno(), select.EPOLLIN)
        return theirs

    def _run(self) -> None:
        while True:
            for descriptor, events in self._poll.poll():
                # An error here must never leave a child without its answer.
                with suppress(OSError):
                    if descriptor in self._doors:
                        self._welcome(descriptor)
                    elif events & select.EPOLLIN:
                        self._answer(descriptor)
                    else:
                        self._leave(descriptor)  # the last process under this filter has ended

    def _welcome(self, descriptor: int) -> None:
        with self._lock:
            door, name = self._doors.pop(descriptor), self._names.pop(descriptor)
        self._poll.unregister(descriptor)
        with door:
            _, listeners, _, _ = socket.recv_fds(door, 1, 1)
        for listener in listeners:
            self._names[listener] = name
            self._poll.register(listener, select.EPOLLIN)

    def _answer(self, listener: int) -> None:
        question = bytearray(_QUESTION.size)
        fcntl.ioctl(listener, _RECEIVE, question)
        number, _, _, call, _, _, *arguments = _QUESTION.unpack(question)
        # ENOENT: the one who asked was killed meanwhile.
        with suppress(FileNotFoundError):
            fcntl.ioctl(listener, _SEND, _ANSWER.pack(number, 0, -_EPERM, 0))
        if arguments[0] != NO_FAMILY:
            self._on_refusal(self._names[listener], _words(call, arguments[0]))

    def _leave(self, listener: int) -> None:
        self._poll.unregister(listener)
        del self._names[listener]
        os.close(listener)


def _words(call: int, first: int) -> str:
    if call in socket_calls():
        return family_name(first & 0xFFFFFFFF)
    return "a send that connects"
