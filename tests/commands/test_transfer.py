"""`reelm transfer`: from the proposal to the approval, at the desks of all sides."""

import hashlib
import json
import re
from pathlib import Path

import pyrage
import pytest
from tests.commands.factory import reelm

from reelm.proofs.sale import BUYER_FORM


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A region with an authority of two keys and a court, and a buyer with a file."""
    folder = tmp_path_factory.mktemp("sale")
    folder.chmod(0o755)
    region = folder / "region"
    reelm("init", region, "--jurisdiction", "neutral", "--operator", "Demo Seller")
    public = {
        name: reelm("order", "keygen", folder / f"{name}.pem").out.strip()
        for name in ("host", "deputy", "court", "buyer")
    }
    ids = {}
    for name, power, keys in (
        ("Host", "approve_transfer", ["host", "deputy"]),
        ("Court", "supervise", ["court"]),
    ):
        options = [word for key in keys for word in ("--key", public[key])]
        added = reelm(
            "authority", "add", name, "--power", power, "--objections", "Demo street 1",
            *options, "--threshold", str(len(keys)), "--region", region,
        ).out  # fmt: skip
        found = re.search(r"authority (\d+) here; .* region (\w{32})", added)
        assert found
        ids[name], ids["region"] = found.groups()
    buyer = {
        "form": BUYER_FORM,
        "operator": "Demo Buyer",
        "public_key": public["buyer"],
        "recipient": str(pyrage.x25519.Identity.generate().to_public()),
        "country": "AQ",
    }
    (folder / "buyer.json").write_text(json.dumps(buyer))
    return folder, region, ids


def written(path, text):
    path.write_text(text)
    return path


def test_a_sale_is_proposed_signed_approved_stayed_and_aborted(desk):
    folder, region, ids = desk
    at = ("--region", region)
    assert "There was no sale." in reelm("transfer", "status", *at).out
    proposed = reelm(
        "transfer", "propose", *at, "--buyer", folder / "buyer.json", "--out", folder / "sale",
        "--asset", "model=exclude", "--terms", "model=Nothing derived from it goes along.",
        "--export-controlled", "model", "--origin", "BV", "--json",
    ).json()  # fmt: skip
    scope, digest = proposed["scope"], proposed["scope_digest"]
    text = (folder / "sale" / f"scope-{digest[:16]}.json").read_bytes()
    assert hashlib.sha256(text.removesuffix(b"\n")).hexdigest() == digest
    assert "Nothing derived from it goes along." in Path(proposed["page"]).read_text()
    assert reelm("transfer", "approvals", *at).status == 1

    opened = reelm("transfer", "room", "open", "--days", "3", *at).out
    assert re.search(r"room_[\w-]{43}", opened)
    again = reelm("transfer", "room", "open", "--json", *at).json()
    assert reelm("transfer", "room", "list", *at, "--json").json()[1]["room_id"] == again["room_id"]
    assert again["token"] not in reelm("transfer", "room", "list", *at).out
    assert "1 closed" in reelm("transfer", "room", "close", again["room_id"], *at).out
    assert "1 closed" in reelm("transfer", "room", "close", *at).out
    assert "No data room was open." in reelm("transfer", "room", "close", *at).out

    for key in (region / "keys/operator-ed25519.pem", folder / "buyer.pem"):
        envelope = reelm("transfer", "sign", scope, "--key", key)
        assert digest in envelope.err
        signed = written(folder / "said.dsse", envelope.out)
        assert "The signature under the scope is taken in" in reelm(
            "transfer", "submit", signed, *at
        ).out  # fmt: skip

    told = reelm("transfer", "announce", *at).out
    assert "is to run it in place of Demo Seller" in told
    assert reelm("transfer", "announce", *at, "--json").json()["is_new"] is False
    refused = reelm("transfer", "announce", *at, "--notice-days", "0")
    assert (refused.status, "asks for 30 days" in refused.err) == (2, True)

    half = reelm(
        "transfer", "sign", scope, "--key", folder / "host.pem", "--reference", "Decision 1",
        "--valid-until", "2099-01-01T00:00:00Z", "--data-country", "AQ",
        "--excluded-asset", "model",
        "--for-a-person", "The buyer answers for its staff.",
    )  # fmt: skip
    first = written(folder / "half.dsse", half.out)
    refused = reelm("transfer", "submit", first, *at)
    assert refused.status == 2
    assert "2 are needed" in refused.err
    whole = reelm(
        "transfer", "sign", scope, "--key", folder / "deputy.pem", "--add-to", first
    ).out  # fmt: skip
    approval = written(folder / "whole.dsse", whole)
    for more, said in (
        (("--add-to", approval), "has signed it already"),
        (("--excluded-asset", "modle"), "the assets of the scope are"),
    ):
        wrong = reelm("transfer", "sign", scope, "--key", folder / "host.pem", *more)
        assert (wrong.status, said in wrong.err) == (2, True)
    taken = reelm("transfer", "submit", approval, *at, "--json").json()
    assert (taken["kind"], taken["state"]) == ("approve", "approved")
    assert reelm("transfer", "approvals", *at).status == 0
    shown = reelm("transfer", "status", *at).out
    for words in (
        "Host: The buyer answers for its staff.", "nothing is frozen before", "Rehearse the move",
    ):  # fmt: skip
        assert words in shown

    stay = written(
        folder / "stay.json",
        reelm(
            "order", "draft", "stay_transfer", "--region-id", ids["region"], "--authority",
            ids["Court"], "--reference", "Stay 1", "--basis", "Demo Act, section 9",
        ).out,
    )  # fmt: skip
    signed = written(
        folder / "stay.dsse", reelm("order", "sign", stay, "--key", folder / "court.pem").out
    )
    reelm("order", "submit", signed, *at)
    assert reelm("transfer", "status", *at, "--json").json()["state"] == "stayed"
    again = reelm("transfer", "scope", *at, "--out", folder / "again")
    assert (folder / "again" / f"scope-{digest[:16]}.json").read_bytes() == text, again.err
    assert "is aborted" in reelm("transfer", "abort", *at, "--reason", "The court stays it.").out
    assert "The sale is aborted." in reelm("transfer", "status", *at).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--asset", "model"), "--asset is NAME=VALUE"),
        (("--asset", "model=exclude", "--asset", "model=license"), "--asset is NAME=VALUE"),
        (("--cutover-before", "tomorrow"), "--cutover-before is a time with its zone"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_status_2(desk, words, said):
    folder, region, _ = desk
    ran = reelm("transfer", "propose", "--region", region, "--buyer", folder / "buyer.json", *words)
    assert ran.status == 2
    assert said in ran.err


def test_without_a_cutover_nothing_is_granted(desk):
    at = ("--region", desk[1])
    assert reelm("transfer", "grants", "list", "--json", *at).json() == []
    until = ("--until", "2027-03-01T00:00:00Z")
    ran = reelm("transfer", "grant", *at, "--to", "priya", *until, "--reason", "Helps.")
    assert ran.status == 2
    assert "There is no former operator here" in ran.err
    assert reelm("transfer", "grants", "revoke", "5", *at).status == 2
