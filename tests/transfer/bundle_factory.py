"""A region with edge values in every column, and a buyer to whom it goes."""

import hashlib
import json
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pyrage
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from tests.audit.factory import integrate

from reelm import regions
from reelm.accounts import Wrapping
from reelm.foundation.classes import Transfer
from reelm.foundation.database import Base
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.proofs.closing import ClosedAsset
from reelm.transfer.bundle import Expected, Sale, SellerKeys, import_, seal, verify

if TYPE_CHECKING:
    from tests.transfer.conftest import Buyer

SCOPE = "5c" * 32
FFMPEG = ClosedAsset("ffmpeg", "ffmpeg", "ff" * 32, "transfer")
TEXTS = (
    "", " ", "\\", "\\N", "\\.", "\t", "\n", "\r\n", "a\\tb\tc\nd", "NULL", "'; --", "é", "😀 नमस्ते",
    "\u2028", "\x01\x7f", "x" * 5000,
)  # fmt: skip
BYTES = (b"", b"\x00", bytes(range(256)), b"\\x00\n\t")
NUMBERS = (0, 1, -1, 2**63 - 1, -(2**63), 10**18)
SMALL = (0, 1, -1, 2**15 - 1, -(2**15))
MIDDLE = (0, 1, -1, 2**31 - 1, -(2**31))
FLOATS = (0.0, -0.0, 0.1, 1 / 3, 5e-324, 1.7976931348623157e308, float("inf"), float("nan"))
TIMES = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 11, 23, 7, 0, 0, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)
DAYS = (date(2020, 2, 29), date(2026, 11, 20), date(2026, 11, 21), date(2031, 1, 1))
JSONS: tuple[Any, ...] = ({}, [], {"a": "\\\t\n\u2028", "b": [1, None, 1.5e300, {}]}, "text", 0)
LISTS: tuple[list[str], ...] = ([], ["", "a,b", '"', "NULL", "\\", "{}"], ["\t\n"])
EDGES: tuple[tuple[type, tuple[Any, ...]], ...] = (
    (ARRAY, LISTS), (LargeBinary, BYTES), (DateTime, TIMES), (Date, DAYS), (Float, FLOATS),
    (BigInteger, NUMBERS), (SmallInteger, SMALL), (Integer, MIDDLE),
)  # fmt: skip
# What the region itself writes, by rules that a test may not break.
OWN = {"tenure", "account_key"}


@dataclass(frozen=True)
class Sold:
    """A sealed region: where the bundle lies, and what the buyer knows."""

    folder: Path
    identity: pyrage.x25519.Identity
    expected: Expected
    keys: SellerKeys
    sale: Sale
    owner: str
    notes: Path


def fill(owner: str, parts: Parts, rows: int, seed: int, but: frozenset[str] = frozenset()) -> None:
    """Write rows with edge values into every table that goes along, as far as its keys allow.

    Tables in `but` are left as they are, and so are those that refer to them.
    """
    chosen = random.Random(seed)
    kept = {kind: _objects(parts, kind, chosen) for kind in ("renditions", "posters", "avatars")}
    made: dict[str, list[Any]] = {}
    with psycopg.connect(owner) as connection:
        for table in Base.metadata.sorted_tables:
            is_moved = table.info["data"].transfer is Transfer.TRANSFER
            if not is_moved or table.name in OWN or table.name.startswith("audit_"):
                continue
            refers_to = {key.column.table.name for key in table.foreign_keys}
            if table.name in but or refers_to - made.keys() - {table.name}:
                continue
            name = sql.Identifier(table.name)
            connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
            made[table.name] = [_insert(connection, table, chosen, made, kept) for _ in range(rows)]
            connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(name))
        wrapping = Wrapping(parts.region_key)
        for account_id in {*filter(None, made["account"]), new_id()}:
            connection.execute(
                "INSERT INTO account_key VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                [account_id, wrapping.wrap(account_id, os.urandom(32)), wrapping.version],
            )
    integrate(parts)


def _objects(parts: Parts, kind: str, chosen: random.Random) -> list[str]:
    return [
        parts.store.put_bytes(kind, chosen.randbytes(size)).key for size in (0, 1, 70_000, 300_000)
    ]


def _insert(connection, table: Table, chosen: random.Random, made, kept) -> Any:
    values = {column.name: _value(table, column, chosen, made, kept) for column in table.columns}
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
        sql.Identifier(table.name),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )
    wrote = connection.execute(statement, list(values.values())).rowcount
    return values.get("id", values.get("video_id")) if wrote else None


def _value(table: Table, column: Column[Any], chosen: random.Random, made, kept) -> Any:
    for key in column.foreign_keys:
        there = [one for one in made[key.column.table.name] if one is not None]
        return chosen.choice(there)
    if column.nullable and chosen.random() < 0.3:
        return None
    if column.name == "object" or column.name.endswith("_object"):
        return chosen.choice(kept["avatars" if table.name == "account" else "renditions"])
    if column.primary_key and column.type.python_type is int and chosen.random() < 0.7:
        return new_id() if "small" not in str(column.type).lower() else chosen.choice(SMALL)
    return _edge(column, chosen)


def _edge(column: Column[Any], chosen: random.Random) -> Any:
    if isinstance(column.type, Boolean):
        return chosen.random() < 0.5
    if isinstance(column.type, JSONB):
        return Jsonb(chosen.choice(JSONS), dumps=json.dumps)
    if isinstance(column.type, Text):
        return chosen.choice(TEXTS) + chosen.choice(("", str(chosen.random())))
    for kind, values in EDGES:
        if isinstance(column.type, kind):
            return chosen.choice(values)
    raise AssertionError(f"{column} is of a type that this factory does not know")


def sold(owner: str, parts: Parts, folder: Path, *, has_model: bool = False) -> Sold:
    """What a sale of this region needs; nothing is sealed yet. A model is bytes to a bundle."""
    identity = pyrage.x25519.Identity.generate()
    with parts.transaction() as session:
        region, tenure = regions.region_id(session), regions.current_tenure(session)
    keys = SellerKeys(parts.home.operator_key(), [parts.region_key])
    sale = Sale(SCOPE, region, tenure.epoch, str(identity.to_public()), [FFMPEG])
    if has_model:
        data, path = random.Random(5).randbytes(200_000), folder.with_name("plain-model")
        path.write_bytes(data)
        asset = ClosedAsset("model", "model", hashlib.sha256(data).hexdigest(), "license")
        sale = replace(sale, model=path, assets=[FFMPEG, asset])
    expected = Expected(SCOPE, region, tenure.public_key, tenure.epoch)
    return Sold(folder, identity, expected, keys, sale, owner, folder.with_name("notes"))


def sealed(made: Sold, parts: Parts):
    """Seal it."""
    return seal(made.owner, parts.store, made.folder, made.notes, made.sale, made.keys)


def bought(made: Sold, buyer: "Buyer", **choices: Any):
    """Verify it, and import it at the buyer's."""
    opened = verify(made.folder, made.identity, made.expected)
    return import_(opened, buyer.owner, buyer.store, buyer.region_key, buyer.home.work, **choices)


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of a bundle."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def copied_to(made: Sold, folder: Path) -> Path:
    """Return a copy of the bundle, to be tampered with."""
    return Path(shutil.copytree(made.folder, folder))
