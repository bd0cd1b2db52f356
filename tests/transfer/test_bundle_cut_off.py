"""A seal or an import that is cut off goes on to the same end; half of it counts for nothing."""

import signal
import subprocess
import sys
from dataclasses import asdict, replace
from typing import Any

import msgspec
import psycopg
import pytest
from tests.transfer.bundle_factory import bought, fill, sealed, sold

from reelm.transfer.bundle import seal_table, verify


@pytest.fixture
def made(owner, parts, tmp_path):
    """A region with edge values, for sale."""
    fill(owner, parts, rows=8, seed=1)
    return sold(owner, parts, tmp_path / "bundle", has_model=True)


def child(script: str, made, parts, **more: Any) -> "subprocess.CompletedProcess[bytes]":
    """Run a script in a process of its own, which is told of the sale as JSON."""
    given = {
        "home": str(parts.home.path), "owner": made.owner, "folder": str(made.folder),
        "notes": str(made.notes), "sale": asdict(made.sale),
        "identity": str(made.identity), "expected": asdict(made.expected), **more,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", script, msgspec.json.encode(given, enc_hook=str).decode()],
        check=False,
        capture_output=True,
    )


# The seal is killed when it makes something durable for the n-th time.
KILLED = """
import json, os, signal, sys
from pathlib import Path
import msgspec
from reelm import app
from reelm.foundation.config import load
from reelm.foundation.home import Home
from reelm.foundation.storage import open_store
from reelm.transfer import RULES
from reelm.transfer.bundle import Sale, SellerKeys, seal, seal_table
given = json.loads(sys.argv[1])
sale = msgspec.convert(given["sale"], Sale, dec_hook=lambda kind, one: kind(one))
seal_table.NOTED_BYTES = 0
home = Home(Path(given["home"]))
left, fsync = [given["after"]], os.fsync
def counted(descriptor):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(descriptor)
os.fsync = counted
region_key = bytes.fromhex(home.secret("region-key"))
seal(given["owner"], open_store(load(home.path, {}).storage, home), Path(given["folder"]),
     Path(given["notes"]), sale, SellerKeys(home.operator_key(), [region_key]))
"""


@pytest.mark.parametrize("after", [1, 9, 40, 80, 110])
def test_a_seal_that_is_killed_goes_on_to_the_same_roots(made, parts, after, monkeypatch):
    killed = child(KILLED, made, parts, after=after)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not (made.folder / "bundle.json").exists()
    kept = {path: path.stat().st_ino for path in made.folder.rglob("*.age")}
    monkeypatch.setattr(seal_table, "NOTED_BYTES", 0)
    manifest = sealed(made, parts)
    verify(made.folder, made.identity, made.expected)
    assert [path for path in made.folder.rglob("*") if path.suffix == ".part"] == []
    again = sum(path.stat().st_ino == node for path, node in kept.items())
    assert after < 9 or again > 0, "what was written before is used"
    other = replace(made, folder=made.folder / "../other", notes=made.notes / "../other-notes")
    assert roots(sealed(other, parts)) == roots(manifest)


def roots(manifest):
    tables = [(one.name, one.rows, one.root) for one in manifest.tables]
    return tables, manifest.objects, manifest.log


def test_rows_that_changed_since_a_kill_are_sealed_anew(made, parts, owner, monkeypatch):
    monkeypatch.setattr(seal_table, "NOTED_BYTES", 0)
    before = sealed(made, parts)
    with psycopg.connect(owner) as connection:
        connection.execute("UPDATE comment SET body = 'written after'")
    after = sealed(made, parts)
    differ = {
        one.name for one, other in zip(before.tables, after.tables, strict=True) if one != other
    }
    assert differ == {"comment"}
    verify(made.folder, made.identity, made.expected)


# No file may grow larger than some; the system refuses it as it refuses to fill a disk.
FULL = """
import json, resource, sys
from pathlib import Path
import msgspec
from reelm import app
from reelm.foundation.config import load
from reelm.foundation.errors import Unavailable
from reelm.foundation.home import Home
from reelm.foundation.storage import open_store
from reelm.transfer.bundle import Sale, SellerKeys, seal, seal_table
given = json.loads(sys.argv[1])
sale = msgspec.convert(given["sale"], Sale, dec_hook=lambda kind, one: kind(one))
seal_table.NOTED_BYTES = 0
home = Home(Path(given["home"]))
keys = SellerKeys(home.operator_key(), [bytes.fromhex(home.secret("region-key"))])
store = open_store(load(home.path, {}).storage, home)
resource.setrlimit(resource.RLIMIT_FSIZE, (given["most_bytes"], given["most_bytes"]))
try:
    seal(given["owner"], store, Path(given["folder"]), Path(given["notes"]),
         sale, keys)
except Unavailable as error:
    sys.exit(error.sentence)
"""


@pytest.mark.parametrize("most_bytes", [0, 1000, 100_000])
def test_a_full_disk_stops_a_seal_that_goes_on_once_there_is_room(
    made, parts, monkeypatch, most_bytes
):
    full = child(FULL, made, parts, most_bytes=most_bytes)
    assert full.returncode == 1
    assert full.stderr.decode().startswith("There is no room left in "), full.stderr.decode()
    left = [path for path in made.folder.rglob("*") if path.is_file()]
    assert not [path for path in left if path.suffix != ".age"]
    assert not (made.folder / "bundle.json").exists()
    # Lists (of objects, of a table's leaves) are small and are written anew.
    slices = [one for one in left if one.parent.name != "0_objects" and one.stem != "leaves"]
    kept = {path: path.stat().st_ino for path in slices}
    assert most_bytes < 100_000 or len(kept) > 40
    monkeypatch.setattr(seal_table, "NOTED_BYTES", 0)
    sealed(made, parts)
    verify(made.folder, made.identity, made.expected)
    assert all(path.stat().st_ino == node for path, node in kept.items())


# The import is killed when it says something for the n-th time.
KILLED_IMPORT = """
import json, os, signal, sys
from pathlib import Path
import pyrage
from reelm import app
from reelm.foundation.config import load
from reelm.foundation.home import Home
from reelm.foundation.storage import open_store
from reelm.transfer.bundle import Expected, import_, open_bundle
given = json.loads(sys.argv[1])
identity = pyrage.x25519.Identity.from_str(given["identity"])
opened = open_bundle(Path(given["folder"]), identity, Expected(**given["expected"]))
home, said = Home(Path(given["buyer_home"])), []
def say(words):
    said.append(words)
    if words.startswith(given["at"]):
        os.kill(os.getpid(), signal.SIGKILL)
import_(opened, given["buyer"], open_store(load(home.path, {}).storage, home),
        bytes.fromhex(home.secret("region-key")), home.work, say,
        finish=lambda connection: say("Finishing."))
"""


@pytest.mark.parametrize(
    "at",
    [
        "Importing objects", "Importing account.", "Importing video.", "Checking what must hold",
        "Checking account.", "Checking video.", "Checking the audit log", "Finishing",
    ],
)  # fmt: skip
def test_an_import_that_is_killed_leaves_nothing_and_goes_on_to_the_same_end(
    made, parts, buyer, at
):
    manifest = sealed(made, parts)
    killed = child(
        KILLED_IMPORT, made, parts, buyer=buyer.owner, buyer_home=str(buyer.home.path), at=at
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    with psycopg.connect(buyer.owner) as connection:
        for table in manifest.tables:
            query = f"SELECT count(*) FROM {table.name}"
            assert connection.execute(query).fetchone() == (0,), table.name
        assert connection.execute("SELECT count(*) FROM process_lease").fetchone() == (0,)
    imported = bought(made, buyer)
    assert imported.rows == {table.name: table.rows for table in manifest.tables}
