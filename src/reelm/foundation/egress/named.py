"""What the settings name: the only hosts that a region may ever talk to."""

import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from reelm.foundation.config import Settings

POSTGRES_PORT, HTTPS_PORT, HTTP_PORT = 5432, 443, 80


@dataclass(frozen=True)
class Peer:
    """A host that settings name, by name or address."""

    setting: str
    host: str
    port: int

    @property
    def address(self) -> str | None:
        """The address, where the setting gives one and not a name."""
        return address_of(self.host)


def peers(settings: Settings) -> tuple[Peer, ...]:
    """Return the hosts outside of this machine's sockets that database and store are at."""
    return (*_database(settings), *_store(settings))


def address_of(host: str) -> str | None:
    """Return `host` in its usual form if it is an address of version 4 or 6, else None."""
    try:
        return str(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        return None


def _database(settings: Settings) -> list[Peer]:
    if not settings.database.url:
        return []
    words = conninfo_to_dict(settings.database.url)
    # libpq takes lists, and its variables where the address says nothing.
    hosts = str(words.get("hostaddr") or words.get("host") or os.environ.get("PGHOST", ""))
    ports = str(words.get("port") or os.environ.get("PGPORT") or POSTGRES_PORT).split(",")
    found = []
    for place, host in enumerate(hosts.split(",")):
        if host and not host.startswith(("/", "@")):  # a folder, or an abstract socket
            port = ports[place] if place < len(ports) else ports[-1]
            found.append(Peer("database.url", host, int(port or POSTGRES_PORT)))
    return found


def _store(settings: Settings) -> list[Peer]:
    if not settings.storage.url:
        return []
    if settings.storage.s3_endpoint:
        parts = urlsplit(settings.storage.s3_endpoint)
        port = parts.port or (HTTP_PORT if parts.scheme == "http" else HTTPS_PORT)
        return [Peer("storage.s3_endpoint", parts.hostname or "", port)]
    host = f"s3.{settings.storage.s3_region or 'us-east-1'}.amazonaws.com"
    return [Peer("storage.url", host, HTTPS_PORT)]
