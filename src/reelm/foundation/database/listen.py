"""Hear NOTIFY: tell this process at once when another has changed something."""

import logging
import os
import select
import threading
from collections.abc import Callable

import psycopg

from reelm.foundation.logs import Line

log = logging.getLogger(__name__)
NOT_LISTENING = Line("not listening on {channel}: {error}")

RECONNECT_S = 1.0


class Listener:
    """A thread that hears one channel, or several (names with a space between).

    `connected` is false while nothing can be heard: whoever caches must then ask the database.
    `on_connect` runs before `connected` turns true, to drop what may have gone stale.
    """

    def __init__(
        self,
        conninfo: str,
        channel: str,
        on_payload: Callable[[str], None],
        on_connect: Callable[[], None],
    ) -> None:
        self._conninfo = conninfo
        self._channel = channel
        self._on_payload = on_payload
        self._on_connect = on_connect
        self._stop = threading.Event()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, name="listen", daemon=True)
        self.connected = False

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        os.eventfd_write(self._wake, 1)
        self._thread.join(timeout=3)
        os.close(self._wake)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.warning(NOT_LISTENING(channel=self._channel, error=error))
            finally:
                self.connected = False
            self._stop.wait(RECONNECT_S)

    def _listen(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True, connect_timeout=5) as connection:
            for channel in self._channel.split():
                connection.execute(f"LISTEN {channel}".encode())
            self._on_connect()
            self.connected = True
            ready = select.poll()
            for descriptor in (connection.fileno(), self._wake):
                ready.register(descriptor, select.POLLIN)
            while not self._stop.is_set():
                ready.poll()
                for notice in connection.notifies(timeout=0):
                    self._on_payload(notice.payload)
