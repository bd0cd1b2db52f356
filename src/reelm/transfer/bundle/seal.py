"""Seal a region: rows as one snapshot shows them, objects, and the manifest that the seller signs.

A seal that was killed is begun again. What it wrote before is used where the rows still have the
leaves that were noted and the files are as they were written; the rest is written anew.
"""

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import Connection, sql

from reelm.accounts import Wrapping
from reelm.foundation.clock import now, utc_text
from reelm.foundation.database import Base
from reelm.foundation.database.schema import revision
from reelm.foundation.storage import ObjectStore
from reelm.proofs.closing import (
    OBJECTS,
    ClosedAsset,
    ClosedObjects,
    ClosedTable,
    Closing,
    Excluded,
    TableTree,
    commitment_of,
    object_line,
    salt_of,
    sign_closing,
)
from reelm.transfer.bundle.contents import LABEL, Contents, Slice, Stored, write_contents
from reelm.transfer.bundle.files import inside
from reelm.transfer.bundle.log import closed_log
from reelm.transfer.bundle.model import seal_model
from reelm.transfer.bundle.objects import Copies, Digests, kind_and_digest, named_keys, strays
from reelm.transfer.bundle.rows import gathered, pinned
from reelm.transfer.bundle.seal_table import (
    LIST,
    TABLES,
    Sealing,
    seal_table,
    write_leaves,
    write_parts,
)
from reelm.transfer.bundle.stays import what_stays
from reelm.transfer.bundle.tables import check_catalogue, moved_tables
from reelm.transfer.scope import COLUMN, TABLE

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sale:
    """What is sealed and for whom; the digest is that of the scope document.

    `model` is the model's file where it goes along, of the digest that its asset has.
    """

    scope_digest: str
    region: str
    epoch: int
    recipient: str
    assets: list[ClosedAsset] = field(default_factory=list)
    model: Path | None = None


@dataclass(frozen=True)
class SellerKeys:
    """The operator's key, which signs, and the region keys, the current one first."""

    operator: Ed25519PrivateKey
    region: list[bytes]

    def secret(self, scope_digest: str) -> bytes:
        """Return the secret of a bundle; it follows from the region key, so no file keeps it."""
        text = b"reelm bundle secret " + scope_digest.encode()
        return hmac.digest(self.region[0], text, "sha256")


def seal(
    owner: str,
    store: ObjectStore,
    folder: Path,
    notes: Path,
    sale: Sale,
    keys: SellerKeys,
    *,
    is_frozen: bool = True,
    objects: bool = True,
    say: Say = lambda _: None,
) -> Closing:
    """Write the bundle of a region into `folder` and return its closing manifest.

    Args:
        owner: how the owner's role connects.
        store: the region's objects.
        folder: where the bundle is made, or was begun.
        notes: a private folder for what a seal that is cut off needs to go on.
        sale: what is sold, to whom.
        keys: the seller's.
        is_frozen: no writes come any more; a rehearsal may find the audit log still growing.
        objects: objects are copied; a rehearsal may only list them.
        say: is told of progress.
    """
    with begun(owner, folder, notes, sale, keys) as sealing:
        copies = Copies(store, folder, sealing.recipient, is_copying=objects)
        manifest, contents = _sealed(sealing, sale, copies, is_frozen=is_frozen, say=say)
    envelope = sign_closing(manifest, keys.operator)
    write_contents(folder, contents, envelope, region=sale.region, recipient=sale.recipient)
    return manifest


@contextmanager
def begun(owner: str, folder: Path, notes: Path, sale: Sale, keys: SellerKeys) -> Iterator[Sealing]:
    """Yield a seal that begins, with the region as it is now; the bundle is not whole until then.

    Its folders are made where they are not there.
    """
    for one in (folder, notes):
        one.mkdir(mode=0o700, parents=True, exist_ok=True)
    inside(folder, LABEL).unlink(missing_ok=True)
    wrappings = [Wrapping(key) for key in keys.region]
    with pinned(owner, is_snapshot=True) as connection:
        yield Sealing(
            connection, folder, notes, sale.scope_digest, keys.secret(sale.scope_digest),
            pyrage.x25519.Recipient.from_str(sale.recipient),
            {one.version: one for one in wrappings},
        )  # fmt: skip


def _sealed(
    sealing: Sealing, sale: Sale, copies: Copies, *, is_frozen: bool, say: Say
) -> tuple[Closing, Contents]:
    connection = sealing.connection
    tables = moved_tables(Base.metadata)
    check_catalogue(connection, tables)
    log = closed_log(connection, is_frozen=is_frozen)
    closed, stored = list[ClosedTable](), dict[str, Stored]()
    for table in tables:
        say(f"Sealing {table.name}.")
        one, stored[table.name] = seal_table(sealing, table)
        closed.append(one)
    say("Sealing objects.")
    objects, stored_objects = _seal_objects(sealing, copies)
    model = seal_model(sealing, sale.model)
    contents = Contents(
        "reelm-bundle/1", sale.scope_digest, sealing.secret.hex(), stored, stored_objects, model
    )
    _sweep_tables(sealing.folder, contents)
    manifest = Closing(
        form="reelm-closing/1",
        scope_digest=sale.scope_digest,
        region=sale.region,
        epoch=sale.epoch,
        made_at=utc_text(now()),
        schema=revision(connection) or "",
        postgresql=connection.info.server_version // 10_000,
        tables=closed,
        excluded=[*_excluded(connection, copies.store, closed), *copies.missing],
        objects=objects,
        log=log,
        assets=sale.assets,
    )
    return manifest, contents


def _seal_objects(sealing: Sealing, copies: Copies) -> tuple[ClosedObjects, Stored]:
    """Copy what is not copied yet, write the list, and remove copies of what no row names."""
    known, totals = Digests(), [0, 0]

    def lines() -> Iterator[bytes]:
        for key, size_bytes in copies.add_all(named_keys(sealing.connection, Base.metadata)):
            known.add(kind_and_digest(key)[1])
            totals[0], totals[1] = totals[0] + 1, totals[1] + size_bytes
            yield object_line(key, size_bytes)

    salt = salt_of(sealing.secret, OBJECTS)
    tree = TableTree(salt)
    files = write_parts(sealing, LIST, "", gathered(lines()), None, tree)
    tree.end_slice()
    for path in strays(sealing.folder, known):
        path.unlink()
    closed = ClosedObjects(totals[0], totals[1], tree.root(), commitment_of(salt))
    return closed, Stored(write_leaves(sealing, LIST, tree), [Slice("", files)])


def _excluded(
    connection: Connection[Any], store: ObjectStore, closed: list[ClosedTable]
) -> Iterator[Excluded]:
    rows = {one.name: one.rows for one in closed}
    for one in what_stays(Base.metadata):
        if one.place == TABLE:
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", one.name))
            row = connection.execute(count).fetchone()
            there = int(row[0]) if row else 0
        elif one.place == COLUMN:
            there = rows[one.name.partition(".")[0]]
        else:
            there = sum(1 for _ in store.list(one.name))
        yield Excluded(*one, there)


def _sweep_tables(folder: Path, contents: Contents) -> None:
    """Remove files of an earlier seal that are no part of this one."""
    named = {fact.name for fact in contents.facts}
    for path in (folder / TABLES).rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in named:
            path.unlink()
