"""A wire between browser and server that a test makes slow or cuts."""

import socket
import threading
import time
from contextlib import suppress

PIECE = 16 * 1024


class Wire:
    """Forwards a port of this machine; `cut` ends every connection until `mend`."""

    def __init__(self, port: int, bytes_per_s: float) -> None:
        self.target = port
        self.bytes_per_s = bytes_per_s
        self.sent_up = 0
        self.is_cut = False
        self._open: set[socket.socket] = set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self.is_cut = True
        for end in list(self._open):
            self._close(end)

    def mend(self) -> None:
        self.is_cut = False

    def close(self) -> None:
        self.cut()
        self._close(self._door)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.target))
            # What the kernel takes in would otherwise count as sent.
            near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * PIECE)
            self._open |= {near, far}
            for source, drain, rate in ((near, far, self.bytes_per_s), (far, near, None)):
                threading.Thread(target=self._pump, args=(source, drain, rate), daemon=True).start()

    def _pump(self, source: socket.socket, drain: socket.socket, rate: float | None) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                if rate is not None:
                    self.sent_up += len(piece)
                    time.sleep(len(piece) / rate)
                drain.sendall(piece)
        for end in (source, drain):
            self._close(end)

    def _close(self, end: socket.socket) -> None:
        self._open.discard(end)
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
