import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.accounts.factory import PASSWORD
from tests.commands.factory import HANDLE, contents, owner_of, pieces, reelm, serving

from reelm import accounts, app
from reelm.commands.backup import dump, make
from reelm.commands.backup.manifest import ALLOWED, Manifest, write_manifest
from reelm.commands.contents import count_rows, named_objects, object_columns
from reelm.commands.doctor.objects import ORPHANED_AFTER
from reelm.foundation.classes import Place, declared
from reelm.foundation.config import load
from reelm.foundation.database import Base, embedded
from reelm.foundation.errors import Unavailable
from reelm.videos.sweep import ORPHAN_AFTER


@pytest.fixture(scope="module")
def saved(region: Path, scratch: Path) -> Path:
    """A backup of the region, with an upload under way while it was made."""
    folder = scratch / "backup"
    with owner_of(region) as connection:
        connection.execute(
            "INSERT INTO upload (account_id, id, size_bytes, offset_bytes, draft, created_at,"
            " expires_at) VALUES (1, 2, 3, 0, '', now(), now() + interval '1 day')"
        )
        ran = reelm("backup", folder, "--region", region)
        connection.execute("DELETE FROM upload")
    assert ran.status == 0, ran.err
    assert "keep it safe" in ran.err
    return folder


@pytest.fixture
def tampered(saved: Path, tmp_path: Path) -> Path:
    """A copy of the backup, to be damaged."""
    return Path(shutil.copytree(saved, tmp_path / "copy"))


@pytest.fixture
def new_home(scratch: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A path for a restored region, gone afterwards."""
    path = scratch / f"restored-{abs(hash(request.node.name))}"
    yield path
    if path.exists():
        embedded.forget(path)
        shutil.rmtree(path)


def test_everything_in_a_backup_is_private_and_in_its_manifest(region, saved):
    manifest = msgspec.json.decode((saved / "manifest.json").read_bytes())
    found = pieces(saved).keys() - {"manifest.json", "manifest.json.sha256"}
    assert found == manifest["files"].keys()
    assert {f"keys/{path.name}" for path in (region / "keys").iterdir()} <= found
    for path in [saved, *saved.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    with owner_of(region) as connection:
        assert {f"objects/{key}" for key in named_objects(connection)} <= found
    assert manifest["rows"]["video"] == 1
    assert manifest["rows"]["upload"] == 0


def test_a_restored_region_equals_the_one_backed_up(region, saved, new_home):
    ran = reelm("restore", saved, new_home)
    assert ran.status == 0, ran.err
    rows, named = contents(region)
    assert (rows, named) == contents(new_home)
    assert len(named) >= 3
    for key in named:
        assert (new_home / "objects" / key).read_bytes() == (region / "objects" / key).read_bytes()
    assert pieces(new_home / "keys") == pieces(region / "keys")
    assert (new_home / "region.toml").read_bytes() == (region / "region.toml").read_bytes()
    assert reelm("doctor", "--region", new_home, "--json").json()["failed"] == 0
    with app.open_region(new_home) as parts, parts.transaction() as session:
        account_id = accounts.sign_in(
            session, parts, handle=HANDLE, password=PASSWORD, address="127.0.0.1"
        )
        assert accounts.my_account(session, parts, account_id).handle == HANDLE


def test_a_restored_region_serves_and_is_backed_up_and_examined_meanwhile(saved, new_home):
    assert reelm("restore", saved, new_home).status == 0
    with serving(new_home) as address:
        ran = reelm("backup", new_home.with_name("meanwhile"), "--region", new_home)
        examined = reelm("doctor", "--region", new_home)
    assert ran.status == 0, ran.err
    assert examined.status == 0, examined.out
    assert f"answers at {address}." in examined.out


def test_a_backup_restores_to_a_database_of_ones_own(saved, new_home, owner, monkeypatch):
    known = conninfo_to_dict(owner)
    url = (
        f"postgresql://{known['user']}:{quote(str(known['password']))}@/{known['dbname']}"
        f"?host={quote(str(known['host']), safe='')}&port={known.get('port', 5432)}"
    )
    with psycopg.connect(owner, autocommit=True) as connection:
        monkeypatch.setenv("REELM_DATABASE_URL", url)
        refused = reelm("restore", saved, new_home)
        assert refused.status == 2
        assert "not empty" in refused.err
        assert not new_home.exists()
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        ran = reelm("restore", saved, new_home)
        assert ran.status == 0, ran.err
        assert count_rows(connection)["video"] == 1
    monkeypatch.delenv("REELM_DATABASE_URL")
    # The new home must not go back to the embedded database by itself.
    assert load(new_home, {}).database.url == url
    assert not (new_home / "postgres").exists()
    assert reelm("doctor", "--region", new_home, "--json").json()["failed"] == 0
    again = new_home.with_name("again")
    assert reelm("backup", again, "--region", new_home).status == 0
    manifests = (msgspec.json.decode((at / "manifest.json").read_bytes()) for at in (saved, again))
    first, second = (one["rows"]["video_like"] + one["objects"] for one in manifests)
    assert first == second


def test_one_changed_byte_of_any_file_is_refused_by_name(tampered, tmp_path):
    kinds = {name.split("/")[0]: name for name in sorted(pieces(tampered)) if ".sha" not in name}
    assert set(kinds) == {"database.dump", "keys", "manifest.json", "objects", "region.toml"}
    for name in kinds.values():
        data = bytearray((tampered / name).read_bytes())
        for change in (lambda d: d[:-1], lambda d: bytes([d[0] ^ 1]) + d[1:]):
            (tampered / name).write_bytes(change(data))
            ran = reelm("restore", tampered, tmp_path / "home")
            assert ran.status == 2
            assert "damaged" in ran.err
            assert str(tampered / name) in ran.err
            assert not (tmp_path / "home").exists()
        (tampered / name).write_bytes(data)


def test_a_lost_file_is_refused_by_name(tampered, tmp_path):
    name = next(name for name in pieces(tampered) if name.startswith("objects/"))
    (tampered / name).unlink()
    ran = reelm("restore", tampered, tmp_path / "home")
    assert ran.status == 2
    assert name in ran.err


def changed_manifest(folder: Path, **changes) -> None:
    manifest = Manifest(
        **{**msgspec.json.decode((folder / "manifest.json").read_bytes()), **changes}
    )
    for name in ("manifest.json", "manifest.json.sha256"):
        (folder / name).unlink()
    write_manifest(folder, manifest)


def test_a_newer_schema_is_refused_with_the_release_that_has_it(tampered, tmp_path):
    changed_manifest(tampered, schema="9999", release="7.0")
    ran = reelm("restore", tampered, tmp_path / "home")
    assert ran.status == 2
    assert "release 7.0" in ran.err
    assert not (tmp_path / "home").exists()


def test_a_manifest_never_leads_outside_of_backup_and_home(tampered, tmp_path):
    outside = {"../secret": {"size_bytes": 1, "sha256": "00"}}
    changed_manifest(tampered, files=outside)
    ran = reelm("restore", tampered, tmp_path / "home")
    assert ran.status == 2
    assert "../secret" in ran.err


def test_a_dropped_row_is_found_when_restoring(tampered, tmp_path):
    rows = msgspec.json.decode((tampered / "manifest.json").read_bytes())["rows"]
    changed_manifest(tampered, rows={**rows, "account": rows["account"] + 1})
    ran = reelm("restore", tampered, tmp_path / "home")
    assert ran.status == 2
    assert "Table account has 1 rows instead of 2" in ran.err
    assert not (tmp_path / "home").exists()


def test_objects_of_every_prefix_may_be_in_a_backup():
    for prefix in declared(Place.OBJECTS):
        assert ALLOWED.fullmatch(f"objects/{prefix}/ab/{'ab' * 32}"), prefix


def test_nothing_that_is_there_is_overwritten(region, saved):
    for arguments in (("backup", saved, "--region", region), ("restore", saved, region)):
        ran = reelm(*arguments)
        assert ran.status == 2
        assert "not empty" in ran.err
    inside = reelm("backup", region / "objects/backup", "--region", region)
    assert inside.status == 2
    assert not (region / "objects/backup").exists()
    unfinished = reelm("restore", region, region.with_name("no"))
    assert unfinished.status == 2
    assert "no finished backup" in unfinished.err


def test_a_lost_object_is_told_and_the_rest_is_saved(region, tmp_path, new_home):
    with owner_of(region) as connection:
        key = next(iter(named_objects(connection)))
    path = region / "objects" / key
    away = path.rename(path.with_suffix(".away"))
    ran = reelm("backup", tmp_path / "saved", "--region", region)
    away.rename(path)
    assert ran.status == 2
    assert key in ran.err
    restored = reelm("restore", tmp_path / "saved", new_home)
    assert restored.status == 0, restored.err
    assert "1 objects were missing" in restored.err
    said = reelm("doctor", "--region", new_home, "--json").json()["checks"]
    assert [one["name"] for one in said if one["state"] == "fail"] == ["objects"]


def test_a_video_deleted_while_the_backup_runs_is_not_in_it(region, tmp_path, monkeypatch):
    """The object goes after the dump: a second dump is made, without the row."""
    key = "posters/aa/" + "aa" * 32
    path = region / "objects" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    add = "INSERT INTO video SELECT (jsonb_populate_record(video, '{\"id\": 5}')).* FROM video"
    rounds = []

    def deleting(owner, target):
        rounds.append(1)
        with owner_of(region) as connection:
            if len(rounds) == 1:
                connection.execute(add)
                connection.execute("UPDATE video SET poster_object = %s WHERE id = 5", [key])
            dumped = plain(owner, target)
            connection.execute("DELETE FROM video WHERE id = 5")
        return dumped

    plain = make._dump
    monkeypatch.setattr(make, "_dump", deleting)
    ran = reelm("backup", tmp_path / "saved", "--region", region)
    assert ran.status == 0, ran.err
    assert len(rounds) == 2
    manifest = msgspec.json.decode((tmp_path / "saved/manifest.json").read_bytes())
    assert manifest["rows"]["video"] == 1
    assert manifest["missing"] == []


def test_rows_that_come_while_the_backup_runs_do_no_harm(region, tmp_path, new_home):
    """Row counts and dump are of one moment, however busy the region is."""
    stop = threading.Event()

    def post() -> None:
        number = 100
        with owner_of(region) as connection:
            while not stop.wait(0.002):
                number += 1
                connection.execute("INSERT INTO sound VALUES (%s, 77, now())", [number])

    writer = threading.Thread(target=post)
    writer.start()
    try:
        ran = reelm("backup", tmp_path / "saved", "--region", region)
    finally:
        stop.set()
        writer.join()
        with owner_of(region) as connection:
            connection.execute("DELETE FROM sound WHERE account_id = 77")
    assert ran.status == 0, ran.err
    restored = reelm("restore", tmp_path / "saved", new_home)
    assert restored.status == 0, restored.err


def test_no_secret_is_in_the_arguments_of_a_program(region, tmp_path, monkeypatch):
    seen = []
    plain = subprocess.run

    def listening(command, **options):
        seen.append(" ".join(map(str, command)))
        return plain(command, **options)

    monkeypatch.setattr(subprocess, "run", listening)
    assert reelm("backup", tmp_path / "saved", "--region", region).status == 0
    assert any("pg_dump" in line for line in seen)
    secrets = [path.read_text().strip() for path in (region / "keys").iterdir()]
    assert [line for line in seen for secret in secrets if secret in line] == []


def test_a_version_of_postgresql_that_is_not_installed_is_named():
    with pytest.raises(Unavailable, match="postgresql-client-99"):
        dump.program("pg_dump", 99)
    assert os.access(dump.program("pg_restore", 16), os.X_OK)


def test_each_column_that_names_objects_is_found(region):
    declared = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name == "object" or column.name.endswith("_object")
    }
    with owner_of(region) as connection:
        assert set(object_columns(connection)) == declared


def test_the_doctor_leaves_the_sweeper_its_time():
    assert ORPHANED_AFTER > ORPHAN_AFTER
