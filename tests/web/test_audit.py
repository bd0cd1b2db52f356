"""The log over HTTP: anyone can read it, check it and take all of it along."""

import base64

import pytest
from tests.audit.factory import add, integrate, size_of

from reelm import audit, regions
from reelm.proofs.merkle import check_consistency, leaf_hash, root_by_inclusion
from reelm.proofs.note import Checkpoint, Note, cosign, log_key
from reelm.proofs.verify import Expected, verify_export
from reelm.proofs.witness import Witness, make_witness


@pytest.fixture
def filled(parts):
    """A region whose log was integrated twice."""
    add(parts, 5)
    integrate(parts)
    add(parts, 4)
    integrate(parts)
    return parts


def sizes(client):
    return [one["size"] for one in client.get("/api/audit/checkpoints").json()["checkpoints"]]


def nodes(path):
    return [base64.b64decode(node) for node in path]


def test_the_newest_checkpoint_is_a_signed_note(client, filled):
    answer = client.get("/api/audit/checkpoint")
    assert answer.headers["content-type"].startswith("text/plain")
    note, signer = Note.parse(answer.text), regions.audit_signer(filled)
    key = log_key(signer.origin, bytes.fromhex(signer.first_key))
    assert [one.verifies(key, note.text) for one in note.signatures] == [True]
    assert Checkpoint.parse(note.text).size == size_of(filled)


def test_proofs_lead_from_the_entries_to_the_roots(client, filled):
    second, first = sizes(client)
    roots = {
        one["size"]: bytes.fromhex(one["root"])
        for one in client.get("/api/audit/checkpoints").json()["checkpoints"]
    }
    listed = client.get("/api/audit/entries", params={"start": 2, "limit": 3}).json()
    assert (listed["size"], [one["index"] for one in listed["entries"]]) == (second, [2, 3, 4])
    for one in listed["entries"]:
        asked = {"index": one["index"], "size": second}
        path = nodes(client.get("/api/audit/proof/inclusion", params=asked).json()["path"])
        leaf = leaf_hash(one["leaf"].encode())
        assert root_by_inclusion(leaf, one["index"], second, path) == roots[second]
    asked = {"first": first, "second": second}
    path = nodes(client.get("/api/audit/proof/consistency", params=asked).json()["path"])
    check_consistency(first, roots[first], second, roots[second], path)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("inclusion", {"index": 5, "size": 5}),
        ("inclusion", {"index": 0, "size": 10**6}),
        ("inclusion", {"index": 0, "size": 0}),
        ("consistency", {"first": 3, "second": 2}),
        ("consistency", {"first": 1, "second": 10**6}),
        ("consistency", {"first": "x", "second": 2}),
    ],
)
def test_what_cannot_be_proven_is_refused_with_a_sentence(client, filled, path, params):
    answer = client.get(f"/api/audit/proof/{path}", params=params)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_log_without_a_checkpoint_says_so(client, parts, owner):
    assert client.get("/api/audit/checkpoint").status_code == 404
    assert client.get("/api/audit/checkpoints").json() == {"checkpoints": []}
    assert "No checkpoint yet" in client.get("/audit").text


def test_the_page_shows_the_checkpoints_and_who_has_cosigned(client, filled, tmp_path):
    key = make_witness(tmp_path / "witness", "w.example/1")
    with filled.transaction() as session:
        audit.add_witness(session, key)
        note = Note.parse(audit.checkpoint_note(session))
    witness = Witness(tmp_path / "witness")
    line = cosign(note.text, witness.name, witness._key, 1_790_000_000)
    with filled.transaction() as session:
        audit.add_cosignatures(session, Note(note.text, (*note.signatures, line)))
    page = client.get("/audit")
    assert page.status_code == 200
    assert key.text in page.text.replace("&#43;", "+")
    assert '<span class="chip">w.example/1</span>' in page.text
    assert client.get("/api/audit/checkpoint").text.count("\n— ") == 2
    assert client.get("/audit", params={"below": sizes(client)[0]}).text.count("<time") == 1


def test_the_download_is_the_whole_log_and_verifies(client, filled):
    answer = client.get("/audit/log.jsonl")
    assert answer.headers["content-disposition"].startswith("attachment")
    report = verify_export(
        answer.content.splitlines(keepends=True),
        Expected(previous=[Note.parse(client.get("/api/audit/checkpoint").text)]),
    )
    assert (report.faults, report.size) == ([], size_of(filled))


def test_the_download_is_limited_for_each_address(client, filled):
    statuses = [client.get("/audit/log.jsonl").status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]
