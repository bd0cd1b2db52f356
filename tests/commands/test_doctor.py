import fcntl
import http.server
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.commands.factory import owner_of, reelm

from reelm.foundation.database import embedded
from reelm.foundation.database.schema import newest_revision
from reelm.foundation.ids import EPOCH_MS


def examined(region):
    """Return what is not well: name -> (state, sentence, mend)."""
    ran = reelm("doctor", "--region", region, "--json")
    assert ran.status in (0, 1), ran.err
    found = ran.json()
    assert found["is_well"] == (ran.status == 0)
    return {
        one["name"]: (one["state"], one["sentence"], one["mend"])
        for one in found["checks"]
        if one["state"] != "ok"
    }


def test_a_whole_region_is_well_and_each_part_says_so(region):
    ran = reelm("doctor", "--region", region)
    assert ran.status == 0, ran.out
    lines = ran.out.splitlines()
    assert all(line.startswith("✓ ") for line in lines[:-1])
    assert lines[-1] == "All 24 checks are well."
    assert examined(region) == {}


def test_a_new_region_is_made_whole_by_its_first_look(tmp_path):
    path = tmp_path / "new"
    reelm("init", path, "--jurisdiction", "neutral", "--operator", "X")
    assert examined(path) == {}


@contextmanager
def changed_mode(path: Path, mode: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    yield
    path.chmod(before)


@contextmanager
def moved(path: Path) -> Iterator[None]:
    away = path.with_name(path.name + ".away")
    path.rename(away)
    yield
    if path.is_dir():
        path.rmdir()
    away.rename(path)


@contextmanager
def placed(path: Path) -> Iterator[None]:
    path.touch(0o600)
    yield
    path.unlink()


@contextmanager
def rewritten(path: Path, data: bytes) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(data)
    yield
    path.write_bytes(before)


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        yield


@contextmanager
def statements(region: Path, do: str, undo: str) -> Iterator[None]:
    with owner_of(region) as connection:
        connection.execute(do)
    yield
    with owner_of(region) as connection:
        connection.execute(undo)


@contextmanager
def as_superuser(region: Path, do: str, undo: str) -> Iterator[None]:
    with embedded.running(region) as server:
        info = make_conninfo(server.conninfo(), dbname="reelm")
        with psycopg.connect(info, autocommit=True) as connection:
            connection.execute(do)
        yield
        with psycopg.connect(info, autocommit=True) as connection:
            connection.execute(undo)


@contextmanager
def orphan(region: Path) -> Iterator[None]:
    path = region / "objects/posters/00" / ("00" * 32)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"nobody's")
    os.utime(path, (time.time() - 86_400,) * 2)
    yield
    path.unlink()


def an_object(region: Path) -> Path:
    return next(path for path in (region / "objects/renditions").rglob("*") if path.is_file())


def granted(right: str) -> tuple[str, str]:
    return f"GRANT {right} TO reelm_app_1", f"REVOKE {right} FROM reelm_app_1"


ID_OF_2090 = (3_786_912_000_000 - EPOCH_MS) << 22
A_JOB = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('media', 't');"
    "UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 't';"
)
FAILED = A_JOB + "UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name = 't'"
STALLED = A_JOB + "UPDATE procrastinate_events SET at = now() - interval '1 h'"
NO_JOB = "DELETE FROM procrastinate_jobs WHERE task_name = 't'"
UPLOAD = (
    "INSERT INTO upload (account_id, id, size_bytes, offset_bytes, draft, created_at, expires_at)"
    " VALUES (1, 2, 3, {}, '', now(), now() + interval '{} hours')"
)
NO_UPLOAD = "DELETE FROM upload"
NO_FFMPEG = "#!/bin/sh\necho 'ffmpeg version 0'\n"

# part, state, what breaks it, and words that the sentence or its mend must have
BROKEN = {
    "key others read": (
        "keys",
        "fail",
        lambda r: changed_mode(r / "keys/region-key", 0o644),
        "region-key chmod 600",
    ),
    "key lost": (
        "keys",
        "fail",
        lambda r: moved(r / "keys/region-key"),
        "region-key missing backup",
    ),
    "key damaged": ("keys", "fail", lambda r: rewritten(r / "keys/region-key", b"zz\n"), "damaged"),
    "key beside copies": (
        "preservation",
        "warn",
        lambda r: placed(r / "keys/preservation.age"),
        "opens 1 preserved copies safe",
    ),
    "open folder": (
        "folders",
        "fail",
        lambda r: changed_mode(r / "uploads", 0o755),
        "uploads 0755 chmod 700",
    ),
    "lost folder": ("folders", "fail", lambda r: moved(r / "logs"), "logs mkdir"),
    "small disk": (
        "disk",
        "fail",
        lambda _: variable("REELM_UPLOAD_MAX_BYTES", "9" * 15),
        "upload.max_bytes",
    ),
    "no setting": (
        "settings",
        "warn",
        lambda _: variable("REELM_HTTP_PROT", "1"),
        "REELM_HTTP_PROT",
    ),
    "object lost": ("objects", "fail", lambda r: moved(an_object(r)), "missing backup"),
    "object cut": ("objects", "fail", lambda r: rewritten(an_object(r), b"x"), "1 bytes instead"),
    "orphan": ("objects", "warn", orphan, "1 more (8 bytes)"),
    "audit log editable": (
        "serving role",
        "fail",
        lambda r: statements(r, *granted("UPDATE ON audit_entry")),
        "UPDATE audit_entry REVOKE",
    ),
    "audit entry lost": (
        "audit log",
        "fail",
        lambda r: statements(
            r,
            "INSERT INTO audit_entry (id, kind, body, at) VALUES (77, 'by.hand', '{}', now());"
            "DELETE FROM audit_pending WHERE entry_id = 77",
            "INSERT INTO audit_pending VALUES (77)",
        ),
        "such as 77 check",
    ),
    "schema changeable": (
        "serving role",
        "fail",
        lambda r: as_superuser(r, *granted("CREATE ON SCHEMA public")),
        "CREATE TABLE",
    ),
    "serving superuser": (
        "serving role",
        "fail",
        lambda r: as_superuser(
            r, "ALTER ROLE reelm_app_1 SUPERUSER", "ALTER ROLE reelm_app_1 NOSUPERUSER"
        ),
        "SUPERUSER",
    ),
    "right revoked": (
        "serving role",
        "fail",
        lambda r: statements(r, *reversed(granted("SELECT ON video"))),
        "SELECT video serve",
    ),
    "role shut out": (
        "serving role",
        "fail",
        lambda r: statements(r, "ALTER ROLE reelm_app_1 NOLOGIN", "ALTER ROLE reelm_app_1 LOGIN"),
        "cannot sign in",
    ),
    "undeclared table": (
        "data classes",
        "fail",
        lambda r: statements(r, "CREATE TABLE stray (x int)", "DROP TABLE stray"),
        "stray",
    ),
    "clock behind": (
        "ids",
        "fail",
        lambda r: statements(
            r,
            f"INSERT INTO sound VALUES ({ID_OF_2090}, 1, now())",
            "DELETE FROM sound WHERE account_id = 1",
        ),
        "yet to come NTP",
    ),
    "job failed": ("jobs", "warn", lambda r: statements(r, FAILED, NO_JOB), "1 failed reelm jobs"),
    "job stalled": (
        "jobs",
        "warn",
        lambda r: statements(r, STALLED, NO_JOB),
        "1 stalled serve",
    ),
    "upload expired": (
        "uploads",
        "warn",
        lambda r: statements(r, UPLOAD.format(0, -5), NO_UPLOAD),
        "1 expired",
    ),
    "upload lost": (
        "uploads",
        "warn",
        lambda r: statements(r, UPLOAD.format(2, 5), NO_UPLOAD),
        "bytes are gone",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_named_alone_with_its_mend(region, what):
    part, state, breaking, words = BROKEN[what]
    with breaking(region):
        found = examined(region)
    assert list(found) == [part], found
    assert found[part][0] == state
    assert found[part][2]
    said = " ".join(found[part][1:])
    assert [word for word in words.split() if word not in said] == []


def test_a_mended_region_is_well_again(region):
    assert examined(region) == {}


def test_an_older_schema_is_named(region):
    with statements(
        region,
        "UPDATE alembic_version SET version_num = '0000'",
        f"UPDATE alembic_version SET version_num = '{newest_revision()}'",
    ):
        found = examined(region)
    assert found["schema"][1].startswith("It is at 0000")


def test_a_missing_or_poor_ffmpeg_is_named(region, tmp_path):
    poor = tmp_path / "ffmpeg"
    poor.write_text(NO_FFMPEG)
    poor.chmod(0o755)
    for path, words in (("/nowhere/ffmpeg", "/nowhere/ffmpeg"), (str(poor), "lacks aac")):
        with variable("REELM_MEDIA_FFMPEG", path):
            found = examined(region)
        assert set(found) == {"ffmpeg", "sandbox"}
        assert words in found["ffmpeg"][1]


def test_all_wrong_settings_are_named_at_once_without_their_values(region):
    text = (region / "region.toml").read_bytes()
    wrong = b'[http]\nport = "secret"\nprot = 1\n[media]\nencoders = 0\n[more]\nx = 1\n'
    with rewritten(region / "region.toml", text + wrong), variable("REELM_HTTP_THREADS", "many"):
        ran = reelm("doctor", "--region", region)
    assert ran.status == 1
    for name in ("http.port", "http.prot", "media.encoders", "[more]", "REELM_HTTP_THREADS"):
        assert re.search(rf"✗ settings +.*{re.escape(name)}", ran.out), name
    assert "secret" not in ran.out


def test_a_folder_without_a_region_is_named(tmp_path):
    found = examined(tmp_path)
    assert "reelm init" in found["settings"][1]


def test_a_database_that_does_not_start_is_named_with_its_reason(tmp_path):
    path = tmp_path / "broken"
    reelm("init", path, "--jurisdiction", "neutral", "--operator", "X")
    (path / "postgres").mkdir()
    (path / "postgres/stray").touch()
    state, sentence, _ = examined(path)["database"]
    assert state == "fail"
    assert "is not a PostgreSQL cluster" in sentence


def test_another_program_on_the_port_is_named(region):
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        with variable("REELM_HTTP_PORT", str(other.server_port)):
            found = examined(region)
        other.shutdown()
    assert found["service"][0] == "warn"
    assert str(other.server_port) in found["service"][1]


def test_a_served_region_answers_and_is_asked_at_its_port(region):
    lock = (region / "serve.lock").open("ab")
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        with variable("REELM_HTTP_PORT", "9"):
            found = examined(region)
    finally:
        lock.close()
    assert found["service"][0] == "fail"
    assert "does not answer" in found["service"][1]
