"""The bundle of a sale: `python benchmarks/transfer.py [ACCOUNTS] [ROWS] [OBJECTS]`.

Runs on an embedded PostgreSQL of its own, with fsync. Fills a region with ACCOUNTS accounts (each
with a handle and a wrapped key), ROWS rows in all, most of them of the log of signals over 30 days,
and OBJECTS objects of 256 KiB. Then it is moved twice: as `reelm transfer seal` and `verify` do it,
and by `pg_dump -Fc`, `pg_restore` and a plain copy of the objects with an fsync at the end.
Prints one JSON line; `times` is the whole of ours against the whole of the plain way. The buyer
opens the bundle and imports it in one pass, in which everything is verified; how long it takes
only to verify it is measured beside it (`verify_s`). The freeze takes seal and import
(`freeze_s`), as objects are copied ahead of it.
"""

import os
import resource
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg
import pyrage
from benchmarks.rig.figures import finish, say
from benchmarks.rig.scratch import scratch_postgres
from psycopg.conninfo import make_conninfo

from reelm import app, audit, regions
from reelm.accounts import Wrapping
from reelm.commands.backup.dump import dump, load
from reelm.foundation import ids
from reelm.foundation.config import load as load_settings
from reelm.foundation.database import Database
from reelm.foundation.database.migrate import migrate
from reelm.foundation.home import Home
from reelm.foundation.parts import Parts
from reelm.foundation.storage import ObjectStore, open_store
from reelm.regions.audit_log import audit_signer
from reelm.transfer.bundle import (
    Expected,
    Sale,
    SellerKeys,
    copy_objects,
    import_,
    open_bundle,
    seal,
    verify,
)

SCOPE = "ab" * 32
OBJECT_BYTES = 256 << 10
DAYS = 30
_ACCOUNTS = """
    INSERT INTO account (id, handle, display_name, bio, links, is_private, state, created_at)
    SELECT i, 'person_' || i, 'Person ' || i, 'I like ' || md5(i::text), '[]', false, 'active',
        now() - i * interval '1 second' FROM generate_series(1, %(accounts)s) AS i
"""
_HANDLES = "INSERT INTO handle SELECT handle, id FROM account"
_SIGNALS = """
    INSERT INTO signal SELECT (hashint8(i) & 2147483647) %% %(accounts)s + 1, i,
        '2026-10-01'::date + (i %% %(days)s)::int,
        '2026-10-01'::timestamptz + (i %% %(days)s) * interval '1 day' + i * interval '1 ms',
        1900000000000000000 + (hashint8(i + 7) & 65535), 1, (hashint8(i + 1) & 32767), 15000, 0,
        i %% 3 = 0, 1, 1800000000000000000 + i, i %% 20, 'popular', (i %% 997) / 997.0, '', i
    FROM generate_series(1, %(signals)s) AS i
"""


def main(accounts: int, rows: int, objects: int) -> None:
    """Measure both ways, and print one line of JSON."""
    ids.use(ids.Snowflakes(region=1, process=1))
    with scratch_postgres() as superuser, tempfile.TemporaryDirectory(dir="/tmp") as folder:
        top = Path(folder)
        home, owner, sale, expected, identity, keys = _region(superuser, top, accounts)
        store = open_store(load_settings(home.path, {}).storage, home)
        total = _fill(owner, home, store, accounts, rows, objects)
        report: dict[str, Any] = {"accounts": accounts, "rows": total, "objects": objects}
        ours = _ours(superuser, top, owner, store, sale, expected, identity, keys, report)
        # Asked before the plain way: its programs are children, and not counted here.
        report["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        plain = _plain(superuser, top, owner, home, report)
        report |= {"ours_s": round(ours, 2), "plain_s": round(plain, 2)}
        report["times"] = round(ours / plain, 3)
        report["freeze_s"] = round(ours - report["copy_objects_s"], 2)
        finish("transfer", report)


def _region(superuser: str, top: Path, accounts: int) -> Any:
    home = app.make_region(
        top / "region", jurisdiction="neutral", operator="Seller", name="Bench", number=1
    )
    settings = load_settings(home.path, {})
    owner = _database(superuser, "seller")
    migrate(owner)
    app.prepare(home, settings, owner)
    identity = pyrage.x25519.Identity.generate()
    region_key = bytes.fromhex(home.secret("region-key"))
    database = Database(owner, pool_size=2)
    with database.transaction() as session:
        region, tenure = regions.region_id(session), regions.current_tenure(session)
    database.close()
    sale = Sale(SCOPE, region, tenure.epoch, str(identity.to_public()))
    expected = Expected(SCOPE, region, tenure.public_key, tenure.epoch)
    say(f"A region of {accounts:,} accounts.")
    return home, owner, sale, expected, identity, SellerKeys(home.operator_key(), [region_key])


def _database(superuser: str, name: str) -> str:
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return make_conninfo(superuser, dbname=name)


def _fill(
    owner: str, home: Home, store: ObjectStore, accounts: int, rows: int, objects: int
) -> int:
    region_key = bytes.fromhex(home.secret("region-key"))
    wrapping = Wrapping(region_key)
    keys = [store.put_bytes("avatars", os.urandom(OBJECT_BYTES)).key for _ in range(objects)]
    signals = max(0, rows - 3 * accounts)
    values = {"accounts": accounts, "signals": signals, "days": DAYS}
    with psycopg.connect(owner) as connection:
        for day in range(DAYS):
            connection.execute(
                f"CREATE TABLE signal_2026_10_{day + 1:02d} PARTITION OF signal"
                f" FOR VALUES FROM ('2026-10-01'::date + {day}) TO ('2026-10-01'::date + {day + 1})"
            )
        for statement in (_ACCOUNTS, _HANDLES, _SIGNALS):
            connection.execute(statement, values if "%(" in statement else None)
        with connection.cursor().copy("COPY account_key FROM STDIN") as copy:
            for account_id in range(1, accounts + 1):
                wrapped = wrapping.wrap(account_id, os.urandom(32))
                copy.write_row([account_id, wrapped, wrapping.version])
        for number, key in enumerate(keys):
            connection.execute(
                "UPDATE account SET avatar_object = %s WHERE id = %s", [key, number + 1]
            )
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    database = Database(owner, pool_size=2)
    _integrate(home, database)
    database.close()
    return signals + 3 * accounts


def _integrate(home: Home, database: Database) -> None:
    settings = load_settings(home.path, {})
    parts = Parts(home, settings, database, open_store(settings.storage, home))
    audit.integrate(database, audit_signer(parts))


def _ours(
    superuser: str, top: Path, owner: str, store: ObjectStore, sale: Sale, expected: Expected,
    identity: pyrage.x25519.Identity, keys: SellerKeys, report: dict[str, Any],
) -> float:  # fmt: skip
    bundle, parts = top / "bundle", dict[str, float]()
    with _timed(parts, "copy_objects"):
        copy_objects(owner, store, bundle, sale.recipient)
    with _timed(parts, "seal"):
        manifest = seal(owner, store, bundle, top / "notes", sale, keys)
    beside = dict[str, float]()
    with _timed(beside, "verify"):
        verify(bundle, identity, expected)
    bought = app.make_region(
        top / "bought", jurisdiction="neutral", operator="Buyer", name="Bench", number=1
    )
    target = _database(superuser, "buyer")
    migrate(target)
    store = open_store(load_settings(bought.path, {}).storage, bought)
    with _timed(parts, "import"):
        opened = open_bundle(bundle, identity, expected)
        import_(opened, target, store, secrets.token_bytes(32), bought.work)
    with psycopg.connect(owner) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    rows = sum(table.rows for table in manifest.tables)
    sizes = {"database_mib": (int(found[0]) if found else 0) >> 20, "bundle_mib": _mib(bundle)}
    every = parts | beside
    report |= sizes | {f"{name}_s": round(took, 2) for name, took in every.items()}
    for name in ("seal", "verify", "import"):
        report[f"{name}_rows_per_s"] = round(rows / every[name])
        report[f"{name}_mib_per_s"] = round(sizes["database_mib"] / every[name], 1)
    return sum(parts.values())


def _plain(superuser: str, top: Path, owner: str, home: Home, report: dict[str, Any]) -> float:
    parts, file = dict[str, float](), top / "plain.dump"
    with psycopg.connect(owner) as connection, _timed(parts, "dump"):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = connection.execute("SELECT pg_export_snapshot()").fetchone()
        file.touch()
        dump(owner, 18, str(found[0]) if found else "", file)
    with _timed(parts, "restore"):
        load(_database(superuser, "plain"), 18, file)
    with _timed(parts, "plain_objects"):
        # Twice, as a bundle is written and then taken in.
        for name in ("carried", "arrived"):
            shutil.copytree(home.objects, top / name)
            os.sync()
    report |= {f"{name}_s": round(took, 2) for name, took in parts.items()}
    report["dump_mib"] = file.stat().st_size >> 20
    return sum(parts.values())


@contextmanager
def _timed(parts: dict[str, float], name: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    parts[name] = time.perf_counter() - begin
    say(f"{name}: {parts[name]:.1f} s")


def _mib(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) >> 20


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:]] + [20_000, 300_000, 200][len(sys.argv) - 1 :]
    main(*numbers[:3])
