"""What is logged by itself: releases, the first tenure, snapshots of the model."""

import subprocess
from pathlib import Path

import numpy as np
import psycopg
from tests.audit.factory import rows

import reelm
from reelm import app, audit, regions
from reelm.feed.log import snapshots
from reelm.feed.ranker import State
from reelm.foundation.config import load

STATE = State({"version": 1}, {"seen": np.zeros(3)})


def test_a_boot_logs_its_release_once(parts, home, owner):
    before = rows(parts, "SELECT body FROM audit_entry WHERE kind = 'region.release'")
    assert [row[0]["digest"] for row in before] == [audit.code_digest()]
    app.prepare(home, load(home.path, {}), owner)
    assert rows(parts, "SELECT body FROM audit_entry WHERE kind = 'region.release'") == before


def test_another_release_is_logged_again(parts, monkeypatch):
    monkeypatch.setattr("reelm.audit.release.code_digest", lambda: "0" * 64)
    with parts.transaction() as session:
        assert audit.record_release(session)
    with parts.transaction() as session:
        assert not audit.record_release(session)


def test_the_digest_of_the_code_is_what_its_docs_say():
    package = Path(reelm.__file__).parent
    command = (
        "find reelm -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z"
        " | xargs -0 sha256sum | sha256sum"
    )
    ran = subprocess.run(
        ["sh", "-c", command], cwd=package.parent, capture_output=True, text=True, check=True
    )
    audit.code_digest.cache_clear()
    assert ran.stdout.split()[0] == audit.code_digest()


def test_the_first_tenure_is_logged(parts):
    (row,) = rows(parts, "SELECT body FROM audit_entry WHERE kind = 'regions.tenure_begun'")
    assert row[0] == {"epoch": 1, "public_key": regions.audit_signer(parts).first_key}


def test_a_snapshot_of_the_model_is_logged_once_a_day(parts):
    query = "SELECT body FROM audit_entry WHERE kind = 'feed.model_snapshot'"
    for seq in (1, 2, 3):
        snapshot = snapshots.save(parts, STATE, seq)
    assert [row[0]["seq"] for row in rows(parts, query)] == [1]
    with psycopg.connect(parts.database.conninfo) as connection:
        connection.execute(
            "INSERT INTO audit_entry (id, kind, body, at) SELECT max(id) + 1,"
            " 'feed.model_snapshot', body || '{\"release\": \"0.0.1\"}', now()"
            " FROM audit_entry WHERE kind = 'feed.model_snapshot' GROUP BY body"
        )
    snapshot = snapshots.save(parts, STATE, 4)
    assert rows(parts, query + " ORDER BY id DESC LIMIT 1")[0][0]["digest"] == snapshot.digest
