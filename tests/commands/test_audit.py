"""The audit log at the command line: from a region to a verifier and a witness, and back."""

from pathlib import Path

import msgspec
import pytest
from tests.commands.factory import owner_of, reelm

from reelm import app, audit


@pytest.fixture(scope="module")
def log(region: Path) -> Path:
    """A region whose log has some entries."""
    record(region, 5)
    return region


def record(region: Path, count: int = 1) -> list[int]:
    with app.open_region(region) as parts, parts.transaction() as session:
        return [
            audit.record(session, "accounts.reset", account_id=str(number))
            for number in range(1, count + 1)
        ]


def out(*arguments: object) -> str:
    ran = reelm("audit", *arguments)
    assert ran.status == 0, (ran.out, ran.err)
    return ran.out


def checkpoint(region: Path, path: Path) -> Path:
    path.write_text(out("checkpoint", "--region", region), "utf-8")
    return path


def size_of(note: Path) -> int:
    return int(note.read_text("utf-8").split("\n")[1])


def test_an_exported_log_is_verified_without_its_region(log, tmp_path):
    target = tmp_path / "log.jsonl"
    assert f"reelm audit verify {target}" in out("export", target, "--region", log)
    said = out("verify", target)
    assert "is sound" in said
    assert "give --witness-key or --previous" in said
    verified = msgspec.json.decode(out("verify", target, "--json"))
    assert verified["is_sound"] is True
    assert verified["report"]["kinds"]["accounts.reset"] >= 5


def test_a_file_that_is_there_is_not_overwritten(log, tmp_path):
    target = tmp_path / "log.jsonl"
    target.write_text("mine")
    ran = reelm("audit", "export", target, "--region", log)
    assert (ran.status, target.read_text()) == (2, "mine")
    assert "is there already" in ran.err


def test_a_changed_file_fails_and_names_the_entry(log, tmp_path):
    target = tmp_path / "log.jsonl"
    out("export", target, "--region", log)
    target.write_bytes(target.read_bytes().replace(b'"account_id":"3"', b'"account_id":"9"', 1))
    ran = reelm("audit", "verify", target)
    assert ran.status == 1
    assert "NOT sound. The first fault is 'edited', at entry" in ran.out
    first = reelm("audit", "verify", target, "--json").json()["first"]
    assert (first["name"], type(first["index"])) == ("edited", int)


def test_a_file_that_is_no_export_fails(tmp_path):
    target = tmp_path / "log.jsonl"
    target.write_bytes(b"\xff\n")
    ran = reelm("audit", "verify", target)
    assert (ran.status, ran.out.startswith("not_an_export")) == (1, True)
    assert reelm("audit", "verify", tmp_path / "nowhere").status == 2


def test_a_checkpoint_from_before_has_to_agree(log, tmp_path):
    before = checkpoint(log, tmp_path / "before")
    record(log)
    target = tmp_path / "log.jsonl"
    out("export", target, "--region", log)
    assert "is sound" in out("verify", target, "--previous", before)
    lines = before.read_text("utf-8").split("\n")
    other = tmp_path / "other"
    other.write_text("\n".join([lines[0], lines[1], "A" * 43 + "=", *lines[3:]]), "utf-8")
    ran = reelm("audit", "verify", target, "--previous", other)
    assert ran.status == 1
    assert "forked" in ran.out


def test_an_entry_is_proven_and_another_is_not(log, tmp_path):
    (entry_id,) = record(log)
    proof, key = tmp_path / "proof.json", out("key", "--region", log).strip()
    out("prove", entry_id, "--region", log, "--out", proof)
    said = out("verify-proof", proof, "--log-key", key)
    assert f'"id":"{entry_id}"' in said
    assert msgspec.json.decode(out("verify-proof", proof, "--json"))["key_is_known"] is True
    proof.write_text(proof.read_text().replace(str(entry_id), str(entry_id + 1)))
    ran = reelm("audit", "verify-proof", proof)
    assert ran.status == 1
    assert "does not lead to the signed root" in ran.out
    assert reelm("audit", "prove", 1, "--region", log).status == 2


def test_growth_is_proven(log, tmp_path):
    before, proof = checkpoint(log, tmp_path / "before"), tmp_path / "proof.json"
    record(log, 3)
    out("prove-growth", size_of(before), "--region", log, "--out", proof)
    assert f"begins with that of size {size_of(before)}" in out("verify-proof", proof)
    changed = msgspec.json.decode(proof.read_bytes())
    changed["path"] = [*changed["path"][1:], changed["path"][0]] if changed["path"] else ["AAAA"]
    proof.write_bytes(msgspec.json.encode(changed))
    assert reelm("audit", "verify-proof", proof).status == 1
    assert reelm("audit", "prove-growth", 0, "--region", log).status == 2


def test_a_witness_signs_what_follows_from_what_it_saw_and_nothing_else(log, tmp_path):
    folder, key = tmp_path / "witness", out("key", "--region", log).strip()
    known = out("witness", "init", folder, "--name", "w.example/1").strip()
    first = checkpoint(log, tmp_path / "first")
    ran = reelm("audit", "witness", "cosign", folder, first)
    assert (ran.status, "first time" in ran.err, ran.out) == (1, True, "")
    cosigned = tmp_path / "cosigned"
    out("witness", "cosign", folder, first, "--log-key", key, "--out", cosigned)
    assert out("witness", "seen", folder, key.split("+")[0]) == first.read_text("utf-8")

    record(log, 2)
    second, proof = checkpoint(log, tmp_path / "second"), tmp_path / "proof.json"
    ran = reelm("audit", "witness", "cosign", folder, second)
    assert (ran.status, "give proof or log" in ran.err) == (1, True)
    out("prove-growth", size_of(first), "--region", log, "--out", proof)
    again = out("witness", "cosign", folder, second, "--proof", proof)
    assert again.startswith(second.read_text("utf-8"))
    ran = reelm("audit", "witness", "cosign", folder, first)
    assert (ran.status, "gone back" in ran.err) == (1, True)

    out("witness", "add", known, "--region", log)
    assert out("witness", "list", "--region", log).strip() == known
    assert "w.example/1" in out("cosign", cosigned, "--region", log)
    third, exported = checkpoint(log, tmp_path / "third"), tmp_path / "log.jsonl"
    out("export", exported, "--region", log)
    note = out("witness", "cosign", folder, third, "--log", exported)
    (tmp_path / "newest").write_text(note, "utf-8")
    out("cosign", tmp_path / "newest", "--region", log)
    exported.unlink()
    out("export", exported, "--region", log)
    said = out("verify", exported, "--witness-key", known)
    assert f"witnessed by w.example/1 up to size {size_of(third)}" in said
    out("witness", "remove", "w.example/1", "--region", log)
    assert reelm("audit", "cosign", cosigned, "--region", log).status == 2


def test_a_forged_cosignature_is_not_published(log, tmp_path):
    known = out("witness", "init", tmp_path / "w", "--name", "w.example/2").strip()
    out("witness", "add", known, "--region", log)
    note, key = checkpoint(log, tmp_path / "note"), out("key", "--region", log).strip()
    cosigned = out("witness", "cosign", tmp_path / "w", note, "--log-key", key)
    forged = tmp_path / "forged"
    forged.write_text(cosigned[:-10] + ("A" if cosigned[-10] != "A" else "B") + cosigned[-9:])
    ran = reelm("audit", "cosign", forged, "--region", log)
    assert ran.status == 2
    assert "forged" in ran.err
    forged.write_text(note.read_text("utf-8"))
    assert "No witness" in reelm("audit", "cosign", forged, "--region", log).err
    out("witness", "remove", "w.example/2", "--region", log)


def test_a_confidential_entry_is_opened_once(log, tmp_path):
    with app.open_region(log) as parts, parts.transaction() as session:
        entry_id = audit.record_confidential(session, "accounts.reset", account_id="7700770077")
    target = tmp_path / "closed.jsonl"
    out("export", target, "--region", log)
    assert b'"7700770077"' not in target.read_bytes()
    assert "is public by entry" in out("open", entry_id, "--region", log)
    assert reelm("audit", "open", entry_id, "--region", log).status == 2
    target = tmp_path / "open.jsonl"
    out("export", target, "--region", log)
    assert b'account_id\\":\\"77' in target.read_bytes()
    assert "is sound" in out("verify", target)
    data = target.read_bytes().replace(b'\\"7700770077\\"', b'\\"7700770078\\"')
    target.write_bytes(data)
    assert reelm("audit", "verify", target).status == 1


def test_the_check_finds_what_was_recorded_and_is_not_in_the_tree(log):
    assert "is sound" in out("check", "--region", log)
    (entry_id,) = record(log)
    with owner_of(log) as connection:
        connection.execute("DELETE FROM audit_pending WHERE entry_id = %s", [entry_id])
        ran = reelm("audit", "check", "--region", log)
        assert (ran.status, f"entry {entry_id}" in ran.out) == (1, True)
        assert reelm("audit", "check", "--region", log, "--json").json()["tables"]["outside"] == [
            str(entry_id)
        ]
        connection.execute("INSERT INTO audit_pending VALUES (%s)", [entry_id])
    assert "is sound" in out("check", "--region", log)
