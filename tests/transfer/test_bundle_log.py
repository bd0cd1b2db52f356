"""The audit log that comes with a bundle is checked from its entries on, by its own keys.

The seller itself writes here what it should not: rows, roots and manifest fit one another, and only
the log's own leaves and signatures tell.
"""

import msgspec
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.audit.factory import add, integrate
from tests.transfer.attack import opened, rewritten
from tests.transfer.bundle_factory import bought, sealed, sold

from reelm import audit
from reelm.foundation.errors import Invalid
from reelm.proofs.closing import read_closing, sign_closing
from reelm.proofs.note import Checkpoint, Note, sign
from reelm.transfer.bundle import seal


@pytest.fixture
def made(owner, parts, tmp_path):
    """A region whose log has a stored node and several checkpoints."""
    for count in (300, 2):
        add(parts, count)
        integrate(parts)
    return sold(owner, parts, tmp_path / "bundle")


def wrote(owner, statement, values=()):
    """Write as a seller can who is superuser of its own database; return what it returns."""
    with psycopg.connect(owner) as connection:
        tables = ("audit_entry", "audit_leaf", "audit_node", "audit_checkpoint")
        for table in tables:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        row = connection.execute(statement + " RETURNING *", values).fetchone()
        for table in tables:
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    assert row is not None
    return row


def refused(made, parts, buyer, words):
    sealed(made, parts)
    with pytest.raises(Invalid, match=words) as error:
        bought(made, buyer)
    with psycopg.connect(buyer.owner) as connection:
        assert connection.execute("SELECT count(*) FROM audit_entry").fetchone() == (0,)
    return str(error.value)


AT = "WHERE id = (SELECT entry_id FROM audit_leaf WHERE index = 270)"


@pytest.mark.parametrize(
    "change",
    [
        'UPDATE audit_entry SET body = \'{"account_id": "666"}\' ' + AT,
        "UPDATE audit_entry SET kind = 'accounts.erased' " + AT,
        "UPDATE audit_entry SET at = at + interval '1 us' " + AT,
        "UPDATE audit_entry SET body = '[1.5]' " + AT,
    ],
)
def test_an_entry_that_was_altered_alone_is_named(made, parts, buyer, change):
    row = wrote(made.owner, change)
    assert f"(id {row[0]})" in refused(made, parts, buyer, "Entry 270 ")


def test_an_entry_that_was_altered_with_its_leaf_is_refused_at_the_seal(made, parts):
    wrote(made.owner, "UPDATE audit_leaf SET hash = sha256('x') WHERE index = 270")
    with pytest.raises(Invalid, match="have not the root of its checkpoint"):
        sealed(made, parts)


def test_an_entry_that_was_deleted_is_named(made, parts, buyer):
    wrote(made.owner, "DELETE FROM audit_entry " + AT)
    seal(made.owner, parts.store, made.folder, made.notes, made.sale, made.keys, is_frozen=False)
    with pytest.raises(Invalid, match="Entry 270 is missing"):
        bought(made, buyer)


def test_two_entries_that_changed_places_are_named(made, parts, buyer):
    with psycopg.connect(made.owner) as connection:
        [(one,), (other,)] = connection.execute(
            "SELECT entry_id FROM audit_leaf WHERE index IN (20, 30) ORDER BY index"
        ).fetchall()
    for index, entry_id in ((20, -1), (30, one), (20, other)):
        query = "UPDATE audit_leaf SET entry_id = %s WHERE index = %s"
        wrote(made.owner, query, (entry_id, index))
    refused(made, parts, buyer, "Entry 20 ")


def test_a_stored_node_that_is_wrong_is_named(made, parts, buyer):
    wrote(made.owner, "UPDATE audit_node SET hash = sha256('x')")
    refused(made, parts, buyer, "Node 0 of level 8")


def test_a_checkpoint_that_another_key_signed_is_refused(made, parts, buyer):
    signer = Ed25519PrivateKey.generate()
    with psycopg.connect(made.owner) as connection:
        rows = connection.execute("SELECT size, note FROM audit_checkpoint").fetchall()
    size, note = max(rows)
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    signature = sign(checkpoint.text, checkpoint.origin, signer)
    forged = str(Note(checkpoint.text, (signature,)))
    wrote(made.owner, "UPDATE audit_checkpoint SET note = %s WHERE size = %s", (forged, size))
    refused(made, parts, buyer, f"checkpoint of size {size} is not signed by the log's key")


def test_the_manifest_may_not_name_another_checkpoint_than_the_log_has(made, parts, buyer):
    sealed(made, parts)
    with psycopg.connect(made.owner) as connection:
        rows = connection.execute("SELECT size, note FROM audit_checkpoint ORDER BY size")
        size, note = rows.fetchall()[0]
    _, contents, envelope = opened(made)
    manifest = read_closing(envelope, made.expected.seller_key)
    older = msgspec.structs.replace(manifest.log, size=size, checkpoint=note)
    bad = msgspec.structs.replace(manifest, log=older)
    rewritten(made, contents, sign_closing(bad, made.keys.operator))
    with pytest.raises(Invalid, match="audit log"):
        bought(made, buyer)


def test_a_log_that_goes_on_after_a_rehearsal_has_its_entries_waiting(made, parts, buyer):
    with parts.transaction() as session:
        entry_id = audit.record(session, "accounts.reset", account_id="1")
    seal(made.owner, parts.store, made.folder, made.notes, made.sale, made.keys, is_frozen=False)
    bought(made, buyer)
    with psycopg.connect(buyer.owner) as connection:
        assert connection.execute("SELECT entry_id FROM audit_pending").fetchall() == [(entry_id,)]
