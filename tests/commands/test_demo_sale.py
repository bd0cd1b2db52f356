"""The story of a sale, played once, and its report attacked in every way."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.commands.factory import reelm

from reelm.cli.demo import commands
from reelm.commands import sale
from reelm.foundation.errors import Conflict
from reelm.foundation.home import Home
from reelm.proofs.dossier import PAGE, check_folder, claims_of, read_papers, render, sign_folder

LIST = "report.dsse"


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The report of a whole story, with the buyer's key, and what was said meanwhile."""
    folder = tmp_path_factory.mktemp("sale")
    keys, said = [], list[str]()
    with commands() as run:

        def watched(arguments, environment):
            if arguments[:2] == ["transfer", "record-certificate"]:
                home = Path(arguments[arguments.index("--region") + 1])
                keys.append(Home(home).operator_key())
            return run(arguments, environment)

        status = sale.play(folder / "report", watched, said.append, is_fast=True, is_licensed=False)
    assert status == 0, "\n".join(said)
    return folder / "report", keys[0], said


@pytest.fixture
def report(played, tmp_path):
    shutil.copytree(played[0], tmp_path / "report")
    return tmp_path / "report"


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def faults(folder):
    return [fault.file for fault in check_folder(folder).faults]


def lie(folder, key, change: Callable[[Path], None]):
    """Change a report as its own buyer, who signs the list again; return what the check says."""
    papers = read_papers(folder)
    change(folder)
    (folder / LIST).unlink()
    sign_folder(folder, papers.scope.region, papers.scope_digest, "2026-11-23T12:00:00Z", key)
    return check_folder(folder).faults


def test_the_story_is_told_and_each_claim_follows(played):
    folder, _, said = played
    told = "\n".join(said)
    for words in ("A court stays the sale", "The region is frozen", "People come back"):
        assert words in told
    checked = reelm("transfer", "check", folder, "--json").json()
    assert checked["faults"] == []
    claims = {one["id"]: one["sentence"] for one in checked["claims"]}
    assert "stayed behind (exclude)" in claims["model"]
    assert "signed in at the buyer" in claims["signed-in"]
    assert "410" in claims["old-address"]
    assert {one["who"] for one in checked["keys"]} >= {"Demo host authority", "Demo court"}
    known = [word for one in checked["keys"] for word in ("--known-key", one["key"])]
    assert reelm("transfer", "check", folder, *known).status == 0
    refused = reelm("transfer", "check", folder, *known[2:])
    assert (refused.status, "none of those that you know" in refused.err) == (1, True)
    named = [f"--known-key={one['who']}={one['key']}" for one in checked["keys"]]
    assert reelm("transfer", "check", folder, *named).status == 0
    swapped = named[-1].replace(checked["keys"][-1]["who"], "Demo court")
    refused = reelm("transfer", "check", folder, *named[:-1], swapped)
    assert (refused.status, "which you know to be of Demo court" in refused.err) == (1, True)


def test_nothing_secret_is_in_the_report(played):
    folder, _, _ = played
    for name in files(folder):
        data = (folder / name).read_bytes()
        for words in (b"PRIVATE KEY", rb"room_[\w-]{43}", b"a password of the show"):
            assert re.search(words, data) is None, (name, words)
    # Where copies lay is told by the register alone.
    assert b"reelm-sale-" not in (folder / "observed.jsonl").read_bytes()


def test_one_flipped_byte_in_any_file_is_found_and_the_file_named(report):
    for name in files(report):
        path = report / name
        data = path.read_bytes()
        step = 7 if name == LIST else max(len(data) // 5, 1)
        for at in [*range(0, len(data), step), len(data) - 1]:
            for bit in (1, 0x20):
                path.write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
                assert faults(report) == [name], at
        path.write_bytes(data)
    assert faults(report) == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_done_to_the_files_is_found_and_named(played, data):
    folder = played[0]
    name = data.draw(st.sampled_from(files(folder)), label="file")
    path = folder / name
    before = path.read_bytes()
    act = data.draw(st.sampled_from(["flip", "cut", "append", "drop", "other", "add"]), label="act")
    expected = name
    try:
        if act == "flip":
            at = data.draw(st.integers(0, len(before) - 1))
            flipped = before[at] ^ data.draw(st.integers(1, 255))
            path.write_bytes(before[:at] + bytes([flipped]) + before[at + 1 :])
        elif act == "cut":
            path.write_bytes(before[: data.draw(st.integers(0, len(before) - 1))])
        elif act == "append":
            path.write_bytes(before + data.draw(st.binary(min_size=1, max_size=8)))
        elif act == "drop":
            path.unlink()
        elif act == "add":
            expected = f"{name}.more"
            (folder / expected).write_bytes(before)
        else:
            other = data.draw(st.sampled_from([one for one in files(folder) if one != name]))
            path.write_bytes((folder / other).read_bytes())
            if path.read_bytes() == before:
                return
        assert faults(folder) == [expected]
    finally:
        path.write_bytes(before)
        (folder / f"{name}.more").unlink(missing_ok=True)


def replaced(name, old, new):
    def change(folder):
        path = folder / name
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))

    return change


def removed(pattern):
    def change(folder):
        found = sorted(folder.glob(pattern))
        assert found
        found[-1].unlink()

    return change


@pytest.mark.parametrize(
    ("change", "file"),
    [
        (replaced(PAGE, b"3 people who", b"9 people who"), PAGE),
        (replaced(PAGE, b"exit status 0", b"exit status 7"), PAGE),
        (replaced("observed.jsonl", b'"code":410', b'"code":200'), "observed.jsonl"),
        (replaced("observed.jsonl", b'"code":503', b'"code":200'), "observed.jsonl"),
        (replaced("keys.json", b"Demo court", b"Demo Court"), "keys.json"),
        (replaced("keys.json", b'"keys":["', b'"keys":["' + b"ab" * 32 + b'","'), "keys.json"),
        (replaced(PAGE, b"<h2>All files", b"<p>Blessed by all.</p><h2>All files"), PAGE),
        (removed("orders/*.dsse"), "log.jsonl"),
        (removed("room/*.json"), "log.jsonl"),
        (removed("statements/*approve*"), "log.jsonl"),
        (removed("statements/*sale*"), "statements"),
        (removed("certificate.dsse"), "certificate.dsse"),
        (removed("journal.jsonl"), "journal.jsonl"),
        (replaced("journal.jsonl", b'"kind":"', b'"kind":"x'), "journal.jsonl"),
        (replaced("log.jsonl", b'"kind":"transfer.frozen"', b'"kind":"transfer.frosen"'),
         "log.jsonl"),
    ],
)  # fmt: skip
def test_a_buyer_who_signs_the_list_anew_is_not_believed(played, report, change, file):
    found = lie(report, played[1], change)
    assert [fault.file for fault in found] == [file]


def test_a_page_that_claims_more_is_refused_also_if_it_is_signed(played, report):
    def change(folder):
        papers = read_papers(folder)
        claims = claims_of(papers)
        more = [*claims, type(claims[0])("more", claims[0].part, "All is well.", ["scope.json"])]
        (folder / PAGE).write_bytes(render(papers, more))

    (fault,) = lie(report, played[1], change)
    assert fault.file == PAGE
    assert "more" in fault.sentence


def test_what_is_no_report_is_one_sentence(tmp_path):
    assert reelm("transfer", "check", tmp_path / "none").status == 2
    ran = reelm("transfer", "check", tmp_path)
    assert (ran.status, "report.dsse: It is not there." in ran.err) == (1, True)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(Conflict, match="is not empty"):
        sale.play(tmp_path, lambda *_: (0, "", ""), print, is_fast=True, is_licensed=False)
    assert (tmp_path / "mine").read_text() == "mine"
