"""`reelm order` and `reelm authority`: from the authority's desk to the region."""

import json
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple
from unittest import mock

import pyrage
import pytest

from reelm.cli import main


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def reelm(*arguments: str, check: bool = True) -> Done:
    """Run the command in this process, which has all of it loaded."""
    out, err, status, mask = StringIO(), StringIO(), 0, os.umask(0o077)
    try:
        with (
            mock.patch.object(sys, "argv", ["reelm", *arguments]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            main()
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        os.umask(mask)
    done = Done(status, out.getvalue(), err.getvalue())
    assert not check or status == 0, done
    return done


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    path = tmp_path_factory.mktemp("orders") / "region"
    path.parent.chmod(0o755)
    reelm("init", str(path), "--jurisdiction", "neutral", "--operator", "Test")
    return str(path)


@pytest.fixture(scope="module")
def desk(region, tmp_path_factory):
    """An authority's folder with its key, and its options for `reelm order draft`."""
    folder = tmp_path_factory.mktemp("desk")
    public = reelm("order", "keygen", str(folder / "key.pem")).stdout.strip()
    added = reelm(
        "authority", "add", "Demo Ministry", "--power", "order_service", "--power", "order_content",
        "--objections", "Demo street 1", "--key", public, "--region", region,
    ).stdout  # fmt: skip
    found = re.search(r"authority (\d+) here; .* region (\w{32})", added)
    assert found
    authority, region_id = found.groups()
    return folder, ["--region-id", region_id, "--authority", authority, "--basis", "Demo Act"]


def drafted(desk, *words: str):
    folder, options = desk
    statement = folder / f"{words[words.index('--reference') + 1]}.json"
    statement.write_text(reelm("order", "draft", *words, *options).stdout)
    return statement


def signed(desk, statement):
    envelope = statement.with_suffix(".dsse")
    key = str(desk[0] / "key.pem")
    envelope.write_text(reelm("order", "sign", str(statement), "--key", key).stdout)
    return str(envelope)


def test_an_order_goes_from_the_desk_into_force_and_is_lifted(desk, region):
    block = signed(desk, drafted(desk, "block_service", "--reference", "1", "--country", "IN"))
    taken = json.loads(reelm("order", "submit", block, "--region", region, "--json").stdout)
    assert (taken["state"], taken["is_new"]) == ("in_force", True)
    again = reelm("order", "submit", block, "--region", region).stdout
    assert "nothing changed" in again
    lift = signed(desk, drafted(desk, "lift", "--reference", "2", "--about", "1"))
    assert "is complied" in reelm("order", "submit", lift, "--region", region).stdout
    listed = json.loads(reelm("order", "list", "--region", region, "--json").stdout)
    assert {one["reference"]: one["ending"] for one in listed} == {"1": "lifted", "2": None}
    assert "There are no such orders." in reelm("order", "list", "--due", "--region", region).stdout


def test_what_is_wrong_is_one_sentence_and_status_2(desk, region, tmp_path):
    folder, options = desk
    for words, sentence in (
        (["draft", "remove", "--reference", "x", *options], "has to name videos"),
        (["draft", "remove", "--reference", "x", "--video", "no", *options], "not in the form"),
        (["draft", "praise", "--reference", "x", *options], "not in the form"),
        (["sign", str(folder / "key.pem"), "--key", str(folder / "key.pem")], "not in the form"),
        (["submit", str(folder / "key.pem"), "--region", region], "no DSSE envelope"),
        (["submit", str(folder / "nothing"), "--region", region], "No such file"),
        (["keygen", str(folder / "key.pem")], "exists"),
    ):
        done = reelm("order", *words, check=False)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert sentence in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_key_that_is_none_does_not_sign(desk, tmp_path):
    statement = drafted(desk, "block_service", "--reference", "9")
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no key")
    done = reelm("order", "sign", str(statement), "--key", str(wrong), check=False)
    assert done.returncode == 2
    assert "no private key in PEM" in done.stderr


def test_the_list_at_80_columns_cuts_nothing_and_names_the_states(desk, region, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    reference = "no_2026.17_of_the_ministry_of_the_interior_and_all_else"
    envelope = signed(desk, drafted(desk, "block_service", "--reference", reference))
    reelm("order", "submit", envelope, "--region", region)
    number = json.loads(reelm("order", "list", "--region", region, "--json").stdout)[0]["id"]
    listed = reelm("order", "list", "--region", region).stdout
    assert re.search(rf"^{number} ", listed, re.MULTILINE)
    assert "…" not in listed
    start = listed.index("authority")
    cells = [line[start : listed.index("order", start)].strip() for line in listed.splitlines()]
    assert reference in "".join(cells)
    lift = signed(desk, drafted(desk, "lift", "--reference", "list-2", "--about", reference))
    reelm("order", "submit", lift, "--region", region)
    assert str(number) in reelm("order", "list", "--state", "lifted", "--region", region).stdout
    none = reelm("order", "list", "--state", "lapsed", "--region", region).stdout
    assert none == "There are no such orders.\n"
    nope = reelm("order", "list", "--state", "nope", "--region", region, check=False)
    assert "the states are: entered, in_force, complied, ended, lifted" in nope.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["remov"], "kind is none of block_service, confirm"),
        (["remove", "--video", "7", "--category", "x"], "category is none of general"),
        (["remove", "--video", "7", "--country", "India"], "two capital letters of a country"),
        (["remove", "--video", "7", "--complies-by", "tomorrow"], "has to be a time such as"),
        (["remove", "--video", "7", "--region-id", "12"], "region's name in orders, 32 hex"),
        (["geo_restrict", "--video", "7"], "withhold in some countries (geo_restrict) has to"),
    ],
)
def test_a_wrong_draft_is_refused_in_plain_words(desk, words, sentence):
    done = reelm("order", "draft", "--reference", "x", *desk[1], *words, check=False)
    assert (done.returncode, sentence in done.stderr) == (2, True), done.stderr
    assert not {"regex", "Expected", "$."} & set(done.stderr.split())


def test_disclosures_go_to_the_recipient_that_was_set_last(desk, region):
    authority = desk[1][3]
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    set_recipient = ("authority", "set-recipient", authority)
    reelm(*set_recipient, recipient, "--region", region)
    assert recipient in reelm("authority", "list", "--region", region).stdout
    wrong = reelm(*set_recipient, "age1wrong", "--region", region, check=False)
    assert "age public key" in wrong.stderr


def test_an_authority_is_corrected_warned_of_and_ended(desk, region):
    public = reelm("order", "keygen", str(desk[0] / "wrong.pem")).stdout.strip()
    options = ("--power", "supervise", "--key", public, "--region", region)
    bad = ("authority", "add", "Wrong", "--objections", "javascript:alert(1)", *options)
    assert "javascript: is neither" in reelm(*bad, check=False).stderr
    added = reelm("authority", "add", "Wrong", "--objections", "Here", *options).stdout
    number = re.findall(r"authority (\d+)", added)[0]
    changed = reelm(
        "authority", "change", number, "--name", "Right", "--country", "IN", "--region", region
    ).stdout
    assert changed == "Right (IN) may supervise; 1 of its keys sign.\n"
    listed = json.loads(reelm("authority", "list", "--region", region, "--json").stdout)
    (key,) = next(one["keys"] for one in listed["authorities"] if str(one["id"]) == number)
    revoked = reelm("authority", "revoke-key", number, key["key_id"], "--region", region).stdout
    assert "Warning: It has no key left and 1 has to sign" in revoked
    assert "no key left" in reelm("authority", "list", "--region", region).stdout
    reelm("authority", "end", number, "--region", region)
    assert "Right (ended 2" in reelm("authority", "list", "--region", region).stdout
    for words in (("change", number, "--name", "X"), ("end", number), ("end", "9" * 19)):
        assert reelm("authority", *words, "--region", region, check=False).returncode == 2


def test_a_revoked_key_orders_nothing_more(desk, region):
    other = desk[0] / "other.pem"
    public = reelm("order", "keygen", str(other)).stdout.strip()
    authority = desk[1][3]
    key_id = reelm("authority", "add-key", authority, public, "--region", region).stdout.strip()
    reelm("authority", "revoke-key", authority, key_id, "--region", region)
    assert f"{key_id} (revoked)" in reelm("authority", "list", "--region", region).stdout
    statement = drafted(desk, "block_service", "--reference", "revoked")
    envelope = statement.with_suffix(".dsse")
    envelope.write_text(reelm("order", "sign", str(statement), "--key", str(other)).stdout)
    done = reelm("order", "submit", str(envelope), "--region", region, check=False)
    assert done.returncode == 2
    assert "1 is needed" in done.stderr
