"""Whether the region is being served, and whether it answers."""

import http.client
import socket

from reelm.commands.doctor.check import Check, fail, ok, warn
from reelm.commands.serve import is_served, served_at
from reelm.foundation.config import Settings
from reelm.foundation.home import Home

NAME = "service"
ANSWER_S = 5.0
REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound


def check_service(home: Home, settings: Settings) -> Check:
    """A served region answers at its port; of one that is not, the port is free."""
    address = REACHED_AT.get(settings.http.address, settings.http.address)
    port = settings.http.port
    if not is_served(home):
        if port and _is_taken(address, port):
            sentence = f"The region is not being served, and another program has port {port}."
            return warn(NAME, sentence, "End that program, or choose another http.port.")
        return ok(NAME, "The region is not being served now.")
    address, port = served_at(home) or (address, port)
    try:
        status = _status(address, port)
    except (OSError, http.client.HTTPException) as error:
        return fail(
            NAME,
            f"The region is being served, and {address}:{port} does not answer: {error}.",
            "Look at what `reelm serve` prints; it may just be starting.",
        )
    if status != http.client.OK:
        sentence = f"The region is being served, and /healthz answers with status {status}."
        return fail(NAME, sentence, "Look at what `reelm serve` prints.")
    return ok(NAME, f"The region is being served and answers at {address}:{port}.")


def _status(address: str, port: int) -> int:
    connection = http.client.HTTPConnection(address, port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def _is_taken(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True
