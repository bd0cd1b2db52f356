"""The bill of materials says what is installed, and anyone gets the same digest."""

import hashlib
from importlib.metadata import PathDistribution, distributions
from pathlib import Path

import msgspec
import pytest
from tests.commands.factory import reelm

from reelm.audit import materials
from reelm.audit.materials import bill_of_materials
from reelm.commands.sbom import NO_REGION
from reelm.foundation.errors import Unavailable
from reelm.videos.programs import programs


def test_all_that_is_installed_is_listed_with_version_and_hash():
    document = msgspec.json.decode(reelm("sbom", "--json").out)
    listed = {one["name"]: one for one in document["components"]}
    installed = {one.metadata["Name"].lower().replace("_", "-") for one in distributions()}
    assert {name.replace(".", "-") for name in installed} - listed.keys() == set()
    assert {"ffmpeg", "postgres", "reelm", "sqlalchemy"} <= listed.keys()
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    for one in listed.values():
        assert [len(hashed["content"]) for hashed in one["hashes"]] == [64]
    ffmpeg = programs(NO_REGION)["ffmpeg"]
    with ffmpeg.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    assert listed["ffmpeg"]["hashes"][0]["content"] == digest


def test_the_digest_is_that_of_the_document_and_the_same_again():
    shown, document = reelm("sbom").out, reelm("sbom", "--json").out
    digest = hashlib.sha256(document.encode()).hexdigest()
    assert f"digest {digest}" in shown
    assert bill_of_materials(programs(NO_REGION)).digest == digest


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """One installed distribution of one file, in place of all others."""
    info = tmp_path / "planted-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: planted\nVersion: 1.0\n")
    code = tmp_path / "planted.py"
    code.write_text("x = 1\n")
    hashed = "sha256=q1MKrH5Z3Q"
    (info / "RECORD").write_text(f"planted.py,{hashed},6\nplanted-1.0.dist-info/RECORD,,\n")
    monkeypatch.setattr(materials, "distributions", lambda: [PathDistribution(info)])
    return code


def test_a_file_that_was_changed_is_named(planted):
    assert materials.changed_files() == ["planted: planted.py"]


def test_another_list_of_files_is_another_digest(planted):
    before = bill_of_materials({}).digest
    record = planted.parent / "planted-1.0.dist-info/RECORD"
    record.write_text(record.read_text().replace("q1MK", "q2MK"))
    assert bill_of_materials({}).digest != before


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(Unavailable, match="/nowhere/ffmpeg is not there"):
        bill_of_materials({"ffmpeg": Path("/nowhere/ffmpeg")})
