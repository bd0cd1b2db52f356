"""The audit log: `python benchmarks/audit.py [ENTRIES] [SECONDS]`.

Runs on an embedded PostgreSQL of its own, with fsync. Measures how many entries a second are
recorded (one by one, each its own commit, and a thousand in a commit) beside plain INSERTs of the
same rows into a table without tree or trigger; how many are integrated; then fills the log to
ENTRIES (1,000,000 unless told) by COPY and measures proofs, export and verification there. The root
of the first entries is compared with pymerkle's, which computes it in the same run.
Prints one JSON line.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
import psycopg
from benchmarks.rig.figures import finish, say
from benchmarks.rig.scratch import scratch_postgres
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymerkle import InmemoryTree
from sqlalchemy import text

from reelm import audit
from reelm.audit.integrate import BATCH
from reelm.foundation import ids
from reelm.foundation.clock import now
from reelm.foundation.database import Database
from reelm.foundation.database.migrate import migrate
from reelm.proofs.keys import origin_of
from reelm.proofs.leaf import leaf_bytes
from reelm.proofs.merkle import (
    Frontier,
    check_consistency,
    leaf_hash,
    root_by_inclusion,
)
from reelm.proofs.note import Checkpoint, Note, public_bytes, sign
from reelm.proofs.verify import verify_export

KIND = "accounts.reset"
AT_ONCE = 1000
PROOFS = 500
COMPARED = 100_000
PART = 200_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = "CREATE TABLE plain_entry (id bigint PRIMARY KEY, kind text, body jsonb, at timestamptz)"
INSERT = text(
    "INSERT INTO plain_entry (id, kind, body, at) VALUES (:id, :kind, CAST(:body AS jsonb), :at)"
)


def main(entries: int, seconds: float) -> None:
    ids.use(ids.Snowflakes(region=1, process=1))
    with scratch_postgres() as conninfo, tempfile.TemporaryDirectory() as folder:
        migrate(conninfo)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(PLAIN)
        database = Database(conninfo, pool_size=4)
        key = Ed25519PrivateKey.generate()
        signer = audit.Signer(
            origin_of(public_bytes(key)), public_bytes(key).hex(), key, Path(folder) / "kept"
        )
        report = {"entries": entries, **_append(database, seconds)}
        report |= _integrate(database, signer)
        report["fill_s"] = _fill(conninfo, signer, entries)
        report |= _prove(database)
        report |= _verify(database, signer, entries)
        report |= _compare()
        report |= _sizes(conninfo)
        database.close()
        finish("audit", report)


def _append(database: Database, seconds: float) -> dict[str, Any]:
    """Record in alternating rounds with plain INSERTs."""

    def record(count: int) -> None:
        with database.transaction() as session:
            for _ in range(count):
                audit.record(session, KIND, account_id="1")

    def insert(count: int) -> None:
        with database.transaction() as session:
            for _ in range(count):
                values = {"id": ids.new_id(), "kind": KIND, "at": now()}
                session.execute(INSERT, {**values, "body": '{"account_id": "1"}'})

    def insert_many(count: int) -> None:
        rows = [
            {"id": ids.new_id(), "kind": KIND, "at": now(), "body": '{"account_id": "1"}'}
            for _ in range(count)
        ]
        with database.transaction() as session:
            session.execute(INSERT, rows)

    say("recording")
    found = {}
    for name, count, ways in (
        ("one_by_one", 1, {"record": record, "insert": insert}),
        ("a_thousand", AT_ONCE, {"record": record, "insert": insert_many}),
    ):
        done = dict.fromkeys(ways, 0)
        spent = dict.fromkeys(ways, 0.0)
        while min(spent.values()) < seconds:
            for way, act in ways.items():
                begin = time.perf_counter()
                act(count)
                spent[way] += time.perf_counter() - begin
                done[way] += count
        rates = {way: round(done[way] / spent[way]) for way in ways}
        found[name] = {
            "recorded_per_s": rates["record"],
            "plain_inserts_per_s": rates["insert"],
            "ratio": round(rates["record"] / rates["insert"], 2),
        }
    return found


def _integrate(database: Database, signer: audit.Signer) -> dict[str, Any]:
    say("integrating")
    begin = time.perf_counter()
    count = audit.integrate(database, signer)
    return {"integrated": count, "integrated_per_s": round(count / _since(begin))}


def _fill(conninfo: str, signer: audit.Signer, entries: int) -> float:
    """Write entries, leaves, nodes and checkpoints as integration would, by COPY."""
    begin = time.perf_counter()
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET session_replication_role = replica")  # without the trigger
        row = connection.execute("SELECT max(index) + 1 FROM audit_leaf").fetchone()
        size = int(row[0]) if row else 0
        tree = _tree(connection, size)
        for start in range(size, entries, PART):
            _copy(connection, signer, tree, range(start, min(start + PART, entries)))
            connection.commit()
            say(f"filled {tree.size:,}")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return round(_since(begin), 1)


def _tree(connection: psycopg.Connection[Any], size: int) -> Frontier:
    tree = Frontier()
    query = "SELECT hash FROM audit_leaf ORDER BY index"
    tree.extend(bytes(hashed) for (hashed,) in connection.execute(query))
    if tree.size != size:
        raise AssertionError("places have gaps")
    return tree


def _copy(
    connection: psycopg.Connection[Any],
    signer: audit.Signer,
    tree: Frontier,
    part: range,
) -> None:
    entries, leaves, nodes, signed = [], [], [], []
    for index in part:
        entry_id, at = index + 1, BEGAN + timedelta(seconds=index)
        body = {"account_id": str(10**15 + index)}
        hashed = leaf_hash(leaf_bytes(entry_id, KIND, at, body))
        entries.append((entry_id, KIND, msgspec.json.encode(body).decode(), at))
        leaves.append((index, entry_id, hashed))
        nodes += [(level, n, node) for level, n, node in tree.append(hashed) if level % 8 == 0]
        if tree.size % BATCH == 0 or index == part[-1]:
            checkpoint = Checkpoint(signer.origin, tree.size, tree.root())
            line = sign(checkpoint.text, signer.origin, signer.key)
            note = str(Note(checkpoint.text, (line,)))
            signed.append((tree.size, checkpoint.root, signer.first_key, note, at))
    for table, columns, rows in (
        ("audit_entry", "id, kind, body, at", entries),
        ("audit_leaf", '"index", entry_id, hash', leaves),
        ("audit_node", 'level, "index", hash', nodes),
        ("audit_checkpoint", "size, root, key, note, signed_at", signed),
    ):
        with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def _prove(database: Database) -> dict[str, Any]:
    say("proving")
    chance = random.Random(1)
    with database.transaction() as session:
        size = audit.leaf_count(session)
        sizes = [one.size for one in audit.checkpoints(session, limit=min(5000, 1 + size // BATCH))]
        roots = {
            one.size: bytes.fromhex(one.root) for one in audit.checkpoints(session, limit=5000)
        }
    newest = sizes[0]
    one_by_one: dict[str, list[float]] = {"inclusion": [], "consistency": []}
    checked = []
    for _ in range(PROOFS):
        index, first = chance.randrange(newest), chance.choice(sizes)
        with database.transaction() as session:
            took, path = _timed(lambda: audit.inclusion_proof(session, index, newest))  # noqa: B023
            one_by_one["inclusion"].append(took)
            took, grown = _timed(lambda: audit.consistency_proof(session, first, newest))  # noqa: B023
            one_by_one["consistency"].append(took)
            entry = audit.entries(session, start=index, limit=1)[0]
        begin = time.perf_counter()
        root = root_by_inclusion(leaf_hash(entry.leaf.encode()), index, newest, path)
        check_consistency(first, roots[first], newest, roots[newest], grown)
        checked.append(time.perf_counter() - begin)
        if root != roots[newest]:
            raise AssertionError("a proof is wrong")
    return {
        "proofs_at": newest,
        **{f"{name}_proof_ms": _spread(times) for name, times in one_by_one.items()},
        "both_checked_ms": _spread(checked),
    }


def _verify(database: Database, signer: audit.Signer, entries: int) -> dict[str, Any]:
    say("exporting")
    with tempfile.NamedTemporaryFile() as file:
        begin = time.perf_counter()
        for page in audit.export(database, signer.origin, signer.first_key):
            file.write(page)
        file.flush()
        exported_s, size_bytes = _since(begin), file.tell()
        say("verifying")
        file.seek(0)
        begin = time.perf_counter()
        report = verify_export(iter(file))
        verified_s = _since(begin)
    if report.faults:
        raise AssertionError(report.faults[0].sentence)
    return {
        "export_s": round(exported_s, 1),
        "export_bytes_per_entry": round(size_bytes / report.size),
        "exported_per_s": round(report.size / exported_s),
        "verify_s": round(verified_s, 1),
        "verified_per_s": round(report.size / verified_s),
        "verified": report.size >= entries,
    }


def _compare() -> dict[str, Any]:
    """Compute one root by pymerkle and here."""
    leaves = [leaf_bytes(n + 1, KIND, BEGAN, {"account_id": "1"}) for n in range(COMPARED)]
    theirs = InmemoryTree(algorithm="sha256")

    def by_pymerkle() -> bytes:
        for leaf in leaves:
            theirs.append_entry(leaf)
        return bytes(theirs.get_root())

    def here() -> bytes:
        tree = Frontier()
        tree.extend(map(leaf_hash, leaves))
        return tree.root()

    pymerkle_s, theirs_root = _timed(by_pymerkle)
    own_s, own_root = _timed(here)
    if theirs_root != own_root:
        raise AssertionError("the roots differ")
    return {
        "root_of": COMPARED,
        "root_s": round(own_s, 2),
        "root_by_pymerkle_s": round(pymerkle_s, 2),
    }


def _sizes(conninfo: str) -> dict[str, Any]:
    query = (
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
        " WHERE relname IN ('audit_entry', 'audit_leaf', 'audit_node', 'audit_checkpoint')"
    )
    with psycopg.connect(conninfo) as connection:
        return {"bytes": dict(connection.execute(query).fetchall())}


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = act()
    return time.perf_counter() - begin, result


def _since(begin: float) -> float:
    return time.perf_counter() - begin


def _spread(times: list[float]) -> dict[str, float]:
    times = sorted(times)
    return {
        "p50": round(times[len(times) // 2] * 1000, 2),
        "p99": round(times[int(len(times) * 0.99)] * 1000, 2),
    }


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000,
        float(sys.argv[2]) if len(sys.argv) > 2 else 5.0,
    )
