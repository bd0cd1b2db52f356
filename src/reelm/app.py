"""The one place where parts are chosen and wired together."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast

from sqlalchemy import text

from reelm import accounts, audit, feed, moderation, regions, social, transfer, videos
from reelm.accounts import jobs as account_jobs
from reelm.accounts import tasks as account_tasks
from reelm.audit import tasks as audit_tasks
from reelm.feed import jobs as feed_jobs
from reelm.feed import tasks as feed_tasks
from reelm.foundation import home as homes
from reelm.foundation.classes import NOT_DECLARED, Place, undeclared_names
from reelm.foundation.config import Settings, load
from reelm.foundation.database import Base, Database, Session, embedded
from reelm.foundation.database.classes import undeclared
from reelm.foundation.database.lease import leased_ids
from reelm.foundation.database.roles import app_conninfo, ensure_app, ensure_owner
from reelm.foundation.database.schema import ensure_schema
from reelm.foundation.errors import Conflict, Departed, Unavailable
from reelm.foundation.events import Subscribers
from reelm.foundation.home import Home
from reelm.foundation.jobs import Job, Periodic, Task
from reelm.foundation.parts import Parts
from reelm.foundation.storage import open_store
from reelm.moderation import jobs as moderation_jobs
from reelm.moderation import tasks as moderation_tasks
from reelm.regions import jobs as region_jobs
from reelm.regions import tasks as region_tasks
from reelm.regions.audit_log import integrate_log
from reelm.transfer import jobs as transfer_jobs
from reelm.transfer import tasks as transfer_tasks
from reelm.transfer.departed import has_departed
from reelm.videos import jobs as video_jobs
from reelm.videos import tasks as video_tasks
from reelm.web import metrics

# Rooms are imported for their tables too: the metadata is whole once this module is loaded.
ROOMS = (audit, regions, accounts, videos, social, moderation, feed, transfer)

TAKES_OVER = (
    "This home is to take a region over, and has none yet: `reelm transfer verify` brings it in."
    " What concerns the sale until then is done at the seller's."
)
OWNER = "reelm_owner"
DATABASE = "reelm"

# Who acts on which event.
EVENTS: Subscribers = {
    videos.VideoReady: (),
    videos.VideoFailed: (),
    videos.VideoDeleted: (),
    regions.OrderInForce: (moderation_tasks.TELL_AFFECTED, account_tasks.MAKE_COPIES),
    regions.OrderEnded: (moderation_tasks.TELL_ENDED, account_tasks.DESTROY_COPIES),
    accounts.AccountErased: (
        video_tasks.ERASE_VIDEOS,
        feed_tasks.FORGET_ACCOUNT,
        account_tasks.FINISH_ERASURE,
    ),
}

# Which function does which task.
JOBS: Mapping[Task, Job] = {
    video_tasks.PUBLISH: Job(video_jobs.run_publish, video_jobs.publish_failed),
    video_tasks.MAKE_LADDER: Job(video_jobs.make_ladder, video_jobs.ladder_failed),
    video_tasks.REMOVE_OBJECTS: Job(video_jobs.remove_objects),
    video_tasks.ERASE_VIDEOS: Job(video_jobs.erase_videos),
    video_tasks.SWEEP: Job(video_jobs.run_sweep),
    video_tasks.RESUME_PUBLISHING: Job(video_jobs.resume_publishing),
    account_tasks.ERASE_LATER: Job(account_jobs.erase_later),
    account_tasks.FINISH_ERASURE: Job(account_jobs.finish_erasure),
    account_tasks.MAKE_COPIES: Job(account_jobs.make_copies),
    account_tasks.COPY_BEFORE_ERASURE: Job(account_jobs.copy_before_erasure),
    account_tasks.DESTROY_COPIES: Job(account_jobs.destroy_copies),
    account_tasks.RESUME_COPIES: Job(account_jobs.resume_copies),
    account_tasks.RESUME_ERASURES: Job(account_jobs.resume_erasures),
    account_tasks.SWEEP: Job(account_jobs.sweep),
    region_tasks.LAPSE_ORDERS: Job(region_jobs.lapse_orders),
    region_tasks.RETAIN: Job(region_jobs.retain),
    audit_tasks.INTEGRATE: Job(integrate_log),
    moderation_tasks.TELL_AFFECTED: Job(moderation_jobs.tell_affected),
    moderation_tasks.TELL_ENDED: Job(moderation_jobs.tell_ended),
    moderation_tasks.RESUME_TELLING: Job(moderation_jobs.resume_telling),
    feed_tasks.FORGET_IDLE: Job(feed_jobs.forget_idle_viewers),
    feed_tasks.KEEP_LOG: Job(feed_jobs.keep_log),
    feed_tasks.FORGET_ACCOUNT: Job(feed_jobs.forget_account),
    transfer_tasks.END_GRANTS: Job(transfer_jobs.end_grants),
}

# What the clock defers.
PERIODIC: tuple[Periodic, ...] = (
    Periodic(region_tasks.LAPSE_ORDERS, "* * * * *"),
    Periodic(video_tasks.SWEEP, "17 * * * *"),
    Periodic(account_tasks.SWEEP, "27 * * * *"),
    Periodic(account_tasks.RESUME_COPIES, "7 * * * *"),
    Periodic(account_tasks.RESUME_ERASURES, "37 * * * *"),
    Periodic(audit_tasks.INTEGRATE, "*/5 * * * *"),
    Periodic(feed_tasks.FORGET_IDLE, "47 * * * *"),
    Periodic(feed_tasks.KEEP_LOG, "7 3 * * *"),
    Periodic(region_tasks.RETAIN, "37 3 * * *"),
    Periodic(transfer_tasks.END_GRANTS, "*/5 * * * *"),
)


def queues(settings: Settings) -> dict[str, int]:
    """Return how many jobs of each queue one worker runs at once."""
    return {"publish": 2, "media": settings.media.encoders, "copies": 1, "default": 2}


def make_region(path: Path, *, jurisdiction: str, operator: str, name: str, number: int) -> Home:
    """Make a region home; its database is made when it is first opened."""
    regions.load_pack(jurisdiction)  # an unknown jurisdiction is refused before anything is made
    home = homes.create(
        path, jurisdiction=jurisdiction, operator=operator, name=name, number=number
    )
    accounts.preservation_recipient(home)  # made now, so that its identity can be taken away
    return home


@contextmanager
def open_region(
    path: Path, *, connections: int = 5, on_wait: Callable[[str], None] | None = None
) -> Iterator[Parts]:
    """Open the region at `path`: start its database if need be, migrate, and hold an id lease.

    Args:
        path: the region home.
        connections: size of the connection pool.
        on_wait: is told a sentence when this must wait for another process.
    """
    home, settings = Home(path.resolve()), load(path.resolve())
    with owner_connection(home, settings, on_wait) as owner:
        epoch = prepare(home, settings, owner)
        with _parts(home, settings, owner, epoch, connections) as parts:
            yield parts


@contextmanager
def join_region(path: Path, *, connections: int = 5) -> Iterator[Parts]:
    """Open a region that `reelm serve` has prepared and keeps open."""
    home, settings = Home(path.resolve()), load(path.resolve())
    with owner_connection(home, settings, None) as owner:
        with _owner_database(owner) as database, database.transaction() as session:
            epoch = regions.current_tenure(session).epoch
        with _parts(home, settings, owner, epoch, connections) as parts:
            yield parts


@contextmanager
def open_as_owner(path: Path, *, on_wait: Callable[[str], None] | None = None) -> Iterator[Parts]:
    """Open a home for the steps of a sale: as the owner of its database, in anybody's tenure.

    A buyer's has no tenure yet, and a seller's has none any more; neither can be served.
    """
    home, settings = Home(path.resolve()), load(path.resolve())
    home.check_keys()
    with owner_connection(home, settings, on_wait) as owner:
        ensure_schema(owner)
        with (
            _owner_database(owner) as database,
            leased_ids(database, settings.region.number),
        ):
            yield Parts(home, settings, database, open_store(settings.storage, home))


@contextmanager
def owner_connection(
    home: Home, settings: Settings, on_wait: Callable[[str], None] | None
) -> Iterator[str]:
    """Yield how the owner's role connects, with the database running."""
    if settings.database.url:
        yield settings.database.url
        return
    version = cast("Literal['16', '18']", settings.database.embedded_version)
    password = home.secret("database-owner")
    with embedded.running(home.path, version=version, on_wait=on_wait) as server:
        ensure_owner(server.conninfo(), OWNER, password, DATABASE)
        yield server.conninfo(OWNER, password)


def prepare(home: Home, settings: Settings, owner: str) -> int:
    """Migrate, begin the first tenure, make the serving role; return the active epoch.

    Raises:
        Unavailable: something that holds data declares no data class; names it.
        Departed: the region has gone to another operator.
        Conflict: it has not come to this one yet.
    """
    home.check_keys()
    # Also where the database is an older copy, in which nothing was handed over yet.
    if has_departed(home):
        raise Departed(f"This region has gone to another operator, as {home.path}/departed says.")
    ensure_schema(owner)
    public_key = home.operator_public_key()
    with _owner_database(owner) as database, leased_ids(database, settings.region.number):
        with database.transaction() as session:
            faults = undeclared_parts(home, settings, session)
            if faults:
                raise Unavailable(NOT_DECLARED.format("; ".join(faults)))
            if transfer.move.is_buyers_home(home) and not regions.has_tenure(session):
                raise Conflict(TAKES_OVER)
            epoch = regions.ensure_tenure(session, settings.region.operator, public_key)
            audit.record_release(session)

        def is_due() -> bool:
            """Whether the role has its leave: a freeze takes it, and the cutover for ever."""
            with database.transaction() as session:
                regions.ensure_tenure(session, settings.region.operator, public_key)
                return not transfer.move.is_frozen(session)

        ensure_app(owner, epoch, home.secret("database-app"), Base.metadata, is_due)
    return epoch


def undeclared_parts(home: Home, settings: Settings, session: Session) -> list[str]:
    """Name all that holds data and declares no data class, with what to do.

    Log fields are refused when the module that writes them is loaded (foundation/logs.py).
    """
    try:
        kinds = open_store(settings.storage, home).kinds()
    except Unavailable:
        kinds = set()  # a store that is away is told of where it is used
    return [
        *undeclared(Base.metadata, catalogue(session)),
        *undeclared_names(Place.QUEUE, [*queues(settings), *(task.queue for task in JOBS)]),
        *undeclared_names(Place.OBJECTS, kinds),
        *undeclared_names(Place.LABEL, metrics.labels()),
    ]


def catalogue(session: Session) -> dict[str, set[str]]:
    """Return table name -> column names as the database has them.

    A partition is declared by the table that it is a part of, so it counts under that name.
    """
    tables: dict[str, set[str]] = {}
    for table, column in session.execute(text(_CATALOGUE)):
        tables.setdefault(table, set()).add(column)
    return tables


_CATALOGUE = """
    SELECT CASE WHEN whole.relnamespace = 'public'::regnamespace THEN whole.relname::text
            ELSE whole.oid::regclass::text END,
        attname::text
    FROM pg_class AS part
    JOIN pg_class AS whole ON whole.oid = coalesce(pg_partition_root(part.oid), part.oid)
    JOIN pg_attribute ON attrelid = part.oid AND attnum > 0 AND NOT attisdropped
    WHERE part.relnamespace = 'public'::regnamespace
        AND part.relkind IN ('r', 'p', 'v', 'm', 'f')
"""


@contextmanager
def _owner_database(owner: str) -> Iterator[Database]:
    database = Database(owner, pool_size=2, info={"subscribers": EVENTS})
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _parts(
    home: Home, settings: Settings, owner: str, epoch: int, connections: int
) -> Iterator[Parts]:
    conninfo = app_conninfo(owner, epoch, home.secret("database-app"))
    database = Database(conninfo, pool_size=connections, info={"subscribers": EVENTS})
    try:
        with leased_ids(database, settings.region.number):
            yield Parts(home, settings, database, open_store(settings.storage, home))
    finally:
        database.close()
