"""Rehearse the move while the region serves: copy ahead, seal once for nobody, and read it back.

Objects and the days of the log that are over are copied for the buyer in earnest, and the frozen
seal finds them there. The rows are sealed to a key that is made for this and forgotten, so that
no rehearsal lies about that anybody could open.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pyrage

from reelm import audit, regions
from reelm.foundation.errors import Conflict
from reelm.foundation.parts import Parts
from reelm.foundation.strict_json import canonical
from reelm.foundation.workspace import workspace
from reelm.transfer.approve import refuse_unless_approved
from reelm.transfer.bundle import Expected, copy_closed_days, copy_objects, seal, verify_rows
from reelm.transfer.current import KnownTransfer
from reelm.transfer.move.exchange import Exchange
from reelm.transfer.move.freeze import is_frozen
from reelm.transfer.move.seal_region import notes_folder, sale_of, seller_keys
from reelm.transfer.steps import add_step

Say = Callable[[str], None]


class Rehearsal(msgspec.Struct, frozen=True):
    """What a rehearsal found: sizes, and how long the frozen part would take."""

    rows: int
    row_bytes: int
    objects: int
    object_bytes: int
    objects_copied: int
    missing_objects: int
    seal_s: float
    verify_s: float


def rehearse(parts: Parts, exchange: Exchange, say: Say = lambda _: None) -> Rehearsal:
    """Rehearse the move of the sale that is approved; it may be cut off and run again.

    Args:
        parts: the seller's, with the owner's database.
        exchange: the folder that the buyer reads.
        say: is told of progress.

    Raises:
        Missing: no sale is open.
        Conflict: it is not approved, or stayed, or frozen or handed over already.
        Invalid: what was sealed does not read back; names the table.
    """
    with parts.transaction() as session:
        transfer = refuse_unless_approved(session)
        exchange.refuse_if_handed_over(transfer)
        if is_frozen(session):
            raise Conflict("The region is frozen already: `reelm transfer seal` is next.")
    audit.integrate(parts.database, regions.audit_signer(parts))
    say("Copying objects ahead of the freeze.")
    copied = copy_objects(
        parts.database.conninfo, parts.store, exchange.bundle, transfer.scope.buyer.recipient
    )
    say("Copying closed days ahead of the freeze.")
    copy_closed_days(
        parts.database.conninfo, exchange.bundle, notes_folder(parts), sale_of(parts, transfer),
        seller_keys(parts), say=say,
    )  # fmt: skip
    found = _try(parts, transfer, copied, say)
    with parts.transaction() as session:
        add_step(session, transfer.id, "rehearsed", canonical(found))
    return found


def _try(parts: Parts, transfer: KnownTransfer, copied: int, say: Say) -> Rehearsal:
    nobody = pyrage.x25519.Identity.generate()
    about = replace(sale_of(parts, transfer), recipient=str(nobody.to_public()))
    with workspace(parts.home, "rehearsal") as work:
        folder, notes = work / "bundle", work / "notes"
        begin = time.monotonic()
        manifest = seal(
            parts.database.conninfo, parts.store, folder, notes, about, seller_keys(parts),
            is_frozen=False, objects=False, say=say,
        )  # fmt: skip
        sealed = time.monotonic()
        expected = Expected.of(transfer.scope, transfer.scope_digest)
        verify_rows(folder, nobody, expected, say)
        return Rehearsal(
            rows=sum(table.rows for table in manifest.tables),
            row_bytes=sum(path.stat().st_size for path in folder.rglob("*.age")),
            objects=manifest.objects.count,
            object_bytes=manifest.objects.bytes,
            objects_copied=copied,
            missing_objects=sum(1 for one in manifest.excluded if one.place == "object"),
            seal_s=round(sealed - begin, 3),
            verify_s=round(time.monotonic() - sealed, 3),
        )
