"""Two operators' regions, as their own servers run them, and people's way in."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from tests.s3 import s3_settings
from tests.transfer.shows.browser import COUNTRY

from reelm import app
from reelm.foundation import ids
from reelm.foundation.config import Settings, load
from reelm.foundation.database import Database, roles
from reelm.foundation.home import Home
from reelm.foundation.parts import Parts
from reelm.foundation.storage import open_store


@dataclass(frozen=True)
class Server:
    """A PostgreSQL with a fresh database, and where objects go: a folder, or a bucket."""

    owner: str
    s3: str = ""


@dataclass
class Side:
    """One operator: its home, and its region as its owner sees it."""

    home: Home
    settings: Settings
    server: Server
    owner: Parts
    source: ids.Snowflakes | None = None

    @contextmanager
    def parts(self) -> Iterator[Parts]:
        """The region as it serves."""
        epoch = app.prepare(self.home, self.settings, self.server.owner)
        # As of a process of its own: what this one makes, no process of the other side does.
        self.source = ids.Snowflakes(region=7, process=epoch)
        ids.use(self.source)
        password = self.home.secret("database-app")
        conninfo = roles.app_conninfo(self.server.owner, epoch, password)
        database = Database(conninfo, pool_size=8, info={"subscribers": app.EVENTS})
        with closing(database):
            yield replace(self.owner, database=database)


@contextmanager
def side(folder: Path, operator: str, server: Server) -> Iterator[Side]:
    """A home of a region, whose viewers' countries a proxy tells."""
    home = app.make_region(folder, jurisdiction="neutral", operator=operator, name="Test", number=7)
    loaded = load(home.path, {})
    http = msgspec.structs.replace(
        loaded.http, trusted_proxies=["testclient"], country_header=COUNTRY, rate_limits=False
    )
    notice = msgspec.structs.replace(loaded.transfer, notice_days=0)
    storage = s3_settings(server.s3) if server.s3 else loaded.storage
    settings = msgspec.structs.replace(loaded, http=http, transfer=notice, storage=storage)
    database = Database(server.owner, pool_size=3, info={"subscribers": app.EVENTS})
    parts = Parts(home, settings, database, open_store(storage, home))
    with closing(database):
        yield Side(home, settings, server, parts)
