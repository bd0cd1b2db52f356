"""Entries get gapless places and are signed for, whatever happens meanwhile."""

import signal
import subprocess
import sys
import threading
import time

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymerkle import InmemoryTree
from sqlalchemy import text
from tests.audit.factory import add, exported, integrate, rows, size_of, verified

from reelm import audit, regions
from reelm.foundation.errors import Invalid, Unavailable
from reelm.proofs.keys import endorse
from reelm.proofs.note import Checkpoint, Note, public_bytes

TABLES = ("audit_entry", "audit_leaf", "audit_node", "audit_checkpoint", "audit_opening")


def as_owner(owner, statement):
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(statement)


def test_entries_are_in_the_tree_that_is_signed_and_verified(parts):
    ids = add(parts, 7)
    before = size_of(parts)
    assert integrate(parts) >= 7
    assert size_of(parts) == before + integrate(parts) + len(rows(parts, "TABLE audit_entry"))
    report = verified(parts)
    assert report.faults == []
    assert report.size == size_of(parts)
    placed = dict(tuple(row) for row in rows(parts, 'SELECT entry_id, "index" FROM audit_leaf'))
    assert [placed[entry_id] for entry_id in ids] == sorted(placed[entry_id] for entry_id in ids)
    assert sorted(placed.values()) == list(range(len(placed)))


def test_batches_make_the_same_tree_as_one_run_and_as_pymerkle(parts):
    add(parts, 300)
    integrate(parts, batch=7)
    leaves = [line[:-1] for line in exported(parts) if line.startswith(b'{"at"')]
    tree = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf)
    signed = rows(parts, "SELECT size, root FROM audit_checkpoint ORDER BY size")
    assert len(signed) > 40
    assert [bytes(root) for _, root in signed] == [tree.get_root(size) for size, _ in signed]
    assert len(rows(parts, "SELECT FROM audit_node WHERE level = 8")) == len(leaves) // 256
    with parts.transaction() as session:
        for index in (0, 5, 255, 256, len(leaves) - 1):
            path = audit.inclusion_proof(session, index, len(leaves))
            theirs = tree.prove_inclusion(index + 1, len(leaves)).serialize()["path"][1:]
            assert [node.hex() for node in path] == theirs


def test_nothing_new_signs_nothing_new(parts):
    add(parts)
    integrate(parts)
    signed = rows(parts, "SELECT note FROM audit_checkpoint")
    assert integrate(parts) == 0
    assert rows(parts, "SELECT note FROM audit_checkpoint") == signed


def test_an_entry_of_an_act_that_is_rolled_back_is_nowhere(parts):
    with pytest.raises(ZeroDivisionError), parts.transaction() as session:
        audit.record(session, "accounts.reset", account_id="1")
        session.flush()
        raise ZeroDivisionError
    integrate(parts)
    assert rows(parts, "SELECT FROM audit_entry WHERE kind = 'accounts.reset'") == []


def test_whoever_writes_an_entry_by_hand_has_it_in_the_tree(parts):
    with psycopg.connect(parts.database.conninfo) as connection:
        connection.execute(
            "INSERT INTO audit_entry (id, kind, body, at)"
            ' VALUES (77, \'by.hand\', \'{"n": 1e3, "t": "\\b"}\', now())'
        )
    integrate(parts)
    assert verified(parts).faults == []
    assert rows(parts, "SELECT FROM audit_leaf WHERE entry_id = 77") != []


def test_recording_and_integrating_at_once_leaves_no_gap(parts):
    stop = threading.Event()
    errors: list[BaseException] = []

    def run(work) -> None:
        try:
            while not stop.is_set():
                work()
        except BaseException as error:  # noqa: BLE001 - it is looked for below
            errors.append(error)

    threads = [
        threading.Thread(target=run, args=(work,))
        for work in (
            lambda: add(parts, 3),
            lambda: add(parts, 3),
            lambda: integrate(parts, batch=5),
            lambda: integrate(parts, batch=3),
        )
    ]
    for thread in threads:
        thread.start()
    while len(rows(parts, "TABLE audit_entry")) < 150 and not errors:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    integrate(parts)
    assert errors == []
    assert verified(parts).faults == []
    assert size_of(parts) == len(rows(parts, "TABLE audit_entry"))


def test_a_process_that_is_killed_while_it_integrates_leaves_a_sound_log(parts, owner):
    add(parts, 60)
    code = (
        "import sys; from pathlib import Path; from reelm import audit;"
        "from reelm.foundation.database import Database; from reelm.foundation.home import Home;"
        "database = Database(sys.argv[1]); home = Home(Path(sys.argv[2]));"
        "signer = audit.Signer(sys.argv[3], sys.argv[4], home.operator_key(), Path(sys.argv[5]));"
        "print('ready', flush=True); audit.integrate(database, signer, batch=1)"
    )
    signer = regions.audit_signer(parts)
    arguments = [
        parts.database.conninfo, str(parts.home.path), signer.origin, signer.first_key,
        str(signer.kept),
    ]  # fmt: skip
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            size = size_of(parts)
            while size_of(parts) < size + 3 and child.poll() is None:
                time.sleep(0.002)
            child.send_signal(signal.SIGKILL)
        assert verified(parts).faults == []
        add(parts, 3)
    integrate(parts)
    found, report = audit.check_log(parts.database, regions.audit_signer(parts))
    assert (found.outside, found.wrong, found.pending, report.faults) == ([], [], 0, [])


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"]
)
def test_the_serving_role_can_change_nothing_that_was_signed(parts, table, statement):
    column = {"audit_leaf": '"index"', "audit_node": '"index"', "audit_checkpoint": "size"}
    name = column.get(table, "entry_id" if table == "audit_opening" else "id")
    with (
        pytest.raises(Exception, match="permission denied"),
        parts.transaction() as session,
    ):
        session.execute(text(statement.format(table, name)))


def test_the_serving_role_can_change_nothing_that_witnesses_signed(parts):
    for statement in ("UPDATE audit_cosignature SET line = ''", "DELETE FROM audit_cosignature"):
        with pytest.raises(Exception, match="permission denied"), parts.transaction() as session:
            session.execute(text(statement))


# What the owner of the database can do, and what is not signed then.


@pytest.mark.parametrize(
    "statement",
    [
        'DELETE FROM audit_leaf WHERE "index" = (SELECT max("index") FROM audit_leaf)',
        "UPDATE audit_leaf SET hash = sha256('x') WHERE \"index\" = 2",
        "DELETE FROM audit_checkpoint WHERE size = (SELECT max(size) FROM audit_checkpoint)",
        "UPDATE audit_checkpoint SET root = sha256('x')",
    ],
)
def test_nothing_is_signed_that_contradicts_what_was_signed(parts, owner, statement):
    add(parts, 6)
    integrate(parts)
    as_owner(owner, statement)
    add(parts)
    count = len(rows(parts, "TABLE audit_checkpoint"))
    with pytest.raises(Unavailable, match=r"not what was signed|damaged"):
        integrate(parts)
    assert len(rows(parts, "TABLE audit_checkpoint")) == count
    with parts.transaction() as session:
        assert not audit.check_tables(session, regions.audit_signer(parts)).is_sound


def test_a_database_that_went_back_is_not_signed(parts, owner):
    add(parts, 3)
    integrate(parts)
    size = size_of(parts)
    add(parts, 3)
    integrate(parts)
    as_owner(
        owner,
        f'DELETE FROM audit_leaf WHERE "index" >= {size};'
        f"DELETE FROM audit_checkpoint WHERE size > {size}",
    )
    add(parts)
    with pytest.raises(Unavailable, match="has gone back"):
        integrate(parts)


def test_a_database_that_was_written_anew_is_not_signed(parts, owner):
    add(parts, 3)
    integrate(parts)
    kept = regions.audit_signer(parts).kept.read_text("utf-8")
    as_owner(
        owner,
        "DELETE FROM audit_leaf; DELETE FROM audit_checkpoint;"
        "UPDATE audit_entry SET body = '{\"account_id\": \"9\"}' WHERE kind = 'accounts.reset';"
        "INSERT INTO audit_pending SELECT id FROM audit_entry",
    )
    regions.audit_signer(parts).kept.unlink()
    integrate(parts)
    regions.audit_signer(parts).kept.write_text(kept, "utf-8")
    add(parts)
    with pytest.raises(Unavailable, match="has forked"):
        integrate(parts)
    assert "forked" in [f.name for f in verified(parts, previous=[Note.parse(kept)]).faults]


# Keys.


def test_another_key_signs_nothing(parts):
    add(parts)
    integrate(parts)
    stranger = Ed25519PrivateKey.generate()
    signer = regions.audit_signer(parts)
    add(parts)
    with pytest.raises(Unavailable, match="endorse"):
        audit.integrate(
            parts.database, audit.Signer(signer.origin, signer.first_key, stranger, signer.kept)
        )


def test_a_key_that_the_old_one_endorses_signs_from_there_on(parts):
    add(parts, 2)
    integrate(parts)
    signer, new = regions.audit_signer(parts), Ed25519PrivateKey.generate()
    with parts.transaction() as session:
        audit.record_key_change(
            session,
            signer.origin,
            old_key=public_bytes(signer.key).hex(),
            new_key=public_bytes(new).hex(),
            epoch=2,
            endorsement=endorse(signer.key, signer.origin, public_bytes(new), 2),
        )
    with pytest.raises(Unavailable, match="endorse"):
        integrate(parts)
    following = audit.Signer(signer.origin, signer.first_key, new, signer.kept)
    assert audit.integrate(parts.database, following) == 1
    report = verified(parts)
    assert (report.faults, report.key) == ([], public_bytes(new).hex())


def test_a_key_that_the_old_one_does_not_endorse_is_not_recorded(parts):
    signer, new = regions.audit_signer(parts), Ed25519PrivateKey.generate()
    with parts.transaction() as session, pytest.raises(Invalid, match="not endorsed"):
        audit.record_key_change(
            session,
            signer.origin,
            old_key=public_bytes(signer.key).hex(),
            new_key=public_bytes(new).hex(),
            epoch=2,
            endorsement=endorse(new, signer.origin, public_bytes(new), 2),
        )


# The check of the live log.


def test_a_recorded_entry_that_is_not_in_the_tree_is_found(parts, owner):
    (lost,) = add(parts)
    as_owner(owner, f"DELETE FROM audit_pending WHERE entry_id = {lost}")
    integrate(parts)
    assert verified(parts).faults == []
    with parts.transaction() as session:
        found = audit.check_tables(session, regions.audit_signer(parts))
    assert found.outside == [str(lost)]
    assert not found.is_sound


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ('UPDATE audit_entry SET body = \'{"account_id": "9"}\' WHERE id = %', "edited"),
        ("UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE id = %", "edited"),
        ("DELETE FROM audit_entry WHERE id = %", "missing"),
    ],
)
def test_what_was_done_to_an_entry_is_named_with_its_place(parts, owner, statement, name):
    ids = add(parts, 5)
    integrate(parts)
    as_owner(owner, statement.replace("%", str(ids[2])))
    _, report = audit.check_log(parts.database, regions.audit_signer(parts))
    (place,) = [
        row[0] for row in rows(parts, f'SELECT "index" FROM audit_leaf WHERE entry_id = {ids[2]}')
    ]
    assert report.first is not None
    assert (report.first.name, report.first.index) == (name, place)


def test_a_stored_node_that_was_changed_is_found(parts, owner):
    add(parts, 300)
    integrate(parts)
    as_owner(owner, "UPDATE audit_node SET hash = sha256('x')")
    found, _ = audit.check_log(parts.database, regions.audit_signer(parts))
    assert any("Node 0 of level 8" in sentence for sentence in found.wrong)


def test_the_kept_checkpoint_is_the_newest_and_for_its_owner_only(parts):
    add(parts)
    integrate(parts)
    kept = regions.audit_signer(parts).kept
    assert Checkpoint.parse(Note.parse(kept.read_text("utf-8")).text).size == size_of(parts)
    assert sorted(path.name for path in kept.parent.glob("audit-checkpoint*")) == [
        "audit-checkpoint",
        "audit-checkpoint.lock",
    ]


def test_entries_are_integrated_as_they_are_committed(parts):
    integrating = audit.Integrating(parts, regions.audit_signer)
    integrating.start()
    (entry_id,) = add(parts)
    query = f"SELECT FROM audit_leaf WHERE entry_id = {entry_id}"
    while not rows(parts, query):
        time.sleep(0.05)
    (later,) = add(parts)
    while not rows(parts, query.replace(str(entry_id), str(later))):
        time.sleep(0.05)
    integrating.stop()
    assert verified(parts).faults == []
