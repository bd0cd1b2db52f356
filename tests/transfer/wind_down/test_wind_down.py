"""The seller's whole folder afterwards: nothing to be read, and all of it accounted for."""

import contextlib
import shutil
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from tests.commands.factory import reelm
from tests.transfer.factory import public
from tests.transfer.vectors import BUYER, HOST
from tests.transfer.wind_down.factory import (
    DECLARED,
    NAME,
    SECRET,
    certificate_of,
    cutover_of,
    down,
    everything,
    lines_of,
)

from reelm import accounts
from reelm.commands.transfer import wind_down as command
from reelm.commands.transfer.wind_down import site_of
from reelm.foundation.errors import Conflict, Invalid
from reelm.proofs import certificate as form
from reelm.transfer import wind_down as room
from reelm.transfer.wind_down import probes, run
from reelm.transfer.wind_down.journal import open_journal
from reelm.transfer.wind_down.register import Register


def pem_of(key, path):
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def test_nothing_is_left_to_read_and_all_is_on_the_register(seller):
    assert reelm("backup", seller.backup, "--region", seller.home).status == 0
    key = (seller.home / "keys/region-key").read_bytes().strip()
    ran = down(seller)
    assert ran.status == 0, ran.out + ran.err
    left = everything(seller.home.parent)
    planted = msgspec.convert(
        next(line.facts for line in lines_of(seller) if line.kind == "canary"), accounts.Canary
    )
    assert planted.text.encode() not in left
    assert SECRET.encode() not in left
    assert key not in left
    assert not seller.backup.exists()
    assert not (seller.home / "postgres").exists()
    assert [path.name for path in (seller.home / "keys").iterdir()] == ["operator-ed25519.pem"]
    stated = certificate_of(seller)
    names = {copy.name: copy.outcome for copy in stated.register}
    assert {
        "database", "database-wal", "object-store", "objects/posters", "uploads", "work", "logs",
        "bundle", "staff-devices",
    } <= names.keys()  # fmt: skip
    assert sum(name.startswith("backup saved ") for name in names) == 1
    assert set(names.values()) <= {"destroyed"}
    kept = {key.name for key in stated.custody if key.outcome == "kept"}
    assert kept == {"operator-ed25519.pem"}
    assert {"region-key", "preservation.age", "database-app"} <= {k.name for k in stated.custody}


def test_the_probes_find_what_is_there_and_nothing_afterwards(seller):
    assert down(seller).status == 0
    found = {(p.name, p.phase): p for p in certificate_of(seller).probes}
    for name in ("session", "password", "staff", "sealed-canary", "plain-canary", "objects"):
        assert found[name, "before"].expected == "to get at it", name
    assert "keys/region-key" in found["sealed-canary", "before"].found
    assert {name for name, phase in found if phase == "after"} == set(form.REQUIRED_PROBES)
    assert all(probe.passed for probe in found.values())


def test_a_key_that_is_left_anywhere_is_found(seller):
    key = (seller.home / "keys/region-key").read_text()
    assert down(seller).status == 0
    (seller.home / "winding-down/notes.txt").write_text(f"remember {key}")
    site = site_of(seller.home, seller.exchange, ())
    with open_journal(site.home) as journal:
        register = Register(journal, "Test Operator")
        found = {one.name: one for one in probes.probe_copies(site, register, run._canary(journal))}
    assert found["sealed-canary"].is_open
    assert "notes.txt" in found["sealed-canary"].words
    assert not found["plain-canary"].is_open


def test_a_credential_that_was_left_is_found(seller, monkeypatch):
    monkeypatch.setattr(run, "end_access", lambda _: "nothing was done")
    monkeypatch.setattr(run, "end_copies", lambda *_: None)
    ran = down(seller)
    assert ran.status == 1
    after = {line.facts["name"]: line.facts for line in lines_of(seller) if line.kind == "probed"
             and line.facts["phase"] == "after" and line.facts["passed"] is False}  # fmt: skip
    assert {"session", "password", "staff"} <= after.keys()
    assert "Found by a probe" in ran.out
    refused = reelm(
        "transfer", "certificate", "--region", seller.home, "--exchange", seller.exchange
    )
    assert refused.status == 2
    assert "cannot be certified" in refused.err


def test_a_serving_role_that_may_log_in_is_found(seller):
    site = site_of(seller.home, seller.exchange, ())
    with site.connect() as owner:
        assert not probes.probe_serving_role(site, owner, 1).is_open
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("ALTER ROLE reelm_app_1 LOGIN")
        assert probes.probe_serving_role(site, owner, 1).is_open


def test_again_changes_nothing(seller):
    assert down(seller).status == 0
    first = certificate_of(seller)
    lines = len(lines_of(seller))
    assert down(seller).status == 0
    assert certificate_of(seller) == first
    assert len(lines_of(seller)) == lines


def test_it_waits_for_the_buyer(seller):
    (seller.exchange / "cutover.dsse").write_bytes(
        cutover_of(seller.scope, seller.operator_key, None)
    )
    ran = down(seller)
    assert ran.status == 2
    assert "The buyer has not signed the cutover" in ran.err
    assert (seller.home / "keys/region-key").exists()


def test_it_waits_for_the_end_of_the_tenure(seller):
    site = site_of(seller.home, seller.exchange, ())
    with site.connect() as owner, psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("UPDATE tenure SET ended_at = NULL")
    with pytest.raises(Conflict, match="has not ended in this database"):
        room.wind_down(site)
    assert (seller.home / "keys/region-key").exists()


def test_the_only_key_to_what_is_preserved_is_handed_over_first(seller):
    site = site_of(seller.home, seller.exchange, ())
    with site.connect() as owner, psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO sealed_copy VALUES (1, 2, 3, 'preserve', 'order', 'an object', 4, now())"
        )
    ran = down(seller)
    assert (ran.status, "declare it as a copy named preservation.age" in ran.err) == (2, True)
    assert (seller.home / "keys/region-key").exists()
    handed = DECLARED.replace("staff-devices", "preservation.age")
    seller.declared.write_text(DECLARED + handed.replace('"destroyed"', '"transferred"'))
    assert down(seller).status == 0
    assert not (seller.home / "keys/preservation.age").exists()


def test_the_buyers_own_region_is_left_alone(seller):
    pem_of(BUYER, seller.home / "keys/operator-ed25519.pem")
    ran = down(seller)
    assert ran.status == 2
    assert "only the seller winds down" in ran.err


def test_it_asks_for_the_name(seller, monkeypatch):
    site = site_of(seller.home, seller.exchange, ())
    monkeypatch.setattr("typer.prompt", lambda _: "another")
    with pytest.raises(Invalid, match="Nothing was destroyed"):
        command.wind_down(site, None, [], is_sure=False)
    assert (seller.home / "keys/region-key").exists()
    monkeypatch.setattr("typer.prompt", lambda _: NAME)
    assert command.wind_down(site, seller.declared, [], is_sure=False) == 0


def test_a_hold_is_listed_and_ends(seller):
    site = site_of(seller.home, seller.exchange, ())
    held = site.store.put_bytes("sealed-copies", b"encrypted for an authority")
    order = ("--basis", "Order 7/2026 of the Court of X", "--until", "2999-01-01")
    logs = (*order, "--hold", "logs", *order)
    ran = down(seller, "--hold", "objects/sealed-copies", *logs)
    assert ran.status == 0, ran.out + ran.err
    assert "objects/sealed-copies" in ran.out
    stated = certificate_of(seller)
    copies = {one.name: one for one in stated.register if one.outcome == "held"}
    assert copies.keys() == {"objects/sealed-copies", "logs"}
    assert (seller.home / "logs/postgres.log").exists()
    assert copies["logs"].hold == form.Hold(basis=order[1], until="2999-01-01")
    assert site.store.get(held.key)
    # Running again without the option does not lose what is held.
    assert down(seller).status == 0
    assert site.store.get(held.key)


def test_what_was_held_goes_when_the_hold_has_ended(seller, monkeypatch):
    site = site_of(seller.home, seller.exchange, ())
    site.store.put_bytes("sealed-copies", b"encrypted for an authority")
    order = ("--basis", "Order 7/2026 of the Court of X", "--until", "2999-01-01")
    assert down(seller, "--hold", "objects/sealed-copies", *order).status == 0
    first = certificate_of(seller)
    later = datetime(2999, 1, 2, tzinfo=UTC)
    monkeypatch.setattr("reelm.transfer.wind_down.register.now", lambda: later)
    refused = reelm(
        "transfer", "certificate", "--region", seller.home, "--exchange", seller.exchange
    )
    assert "objects/sealed-copies: it is still there" in refused.err
    assert down(seller).status == 0
    assert not list(site.store.list("sealed-copies"))
    second = certificate_of(seller)
    assert {copy.outcome for copy in second.register} == {"destroyed"}
    assert second.journal.lines > first.journal.lines


@pytest.mark.parametrize(("status", "is_open"), [(200, True), (410, False), (303, False)])
def test_an_old_address_that_still_answers_is_found(seller, status, is_open):
    asked = []

    class Old(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Cookie"]))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Old) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (seller.home / "serve.lock").write_text(f"127.0.0.1 {server.server_port}\n")
        planted = accounts.Canary("s", "5", "a-token", "another", "", "")
        site = site_of(seller.home, seller.exchange, ())
        found = probes.probe_address(site, planted, ["/api/me", "/media/5/360.mp4"])
        server.shutdown()
    assert found.is_open is is_open
    assert [path for path, _ in asked] == ["/api/me", "/media/5/360.mp4"]
    assert asked[0][1] == "reelm_session=a-token"


def test_what_opens_something_cannot_be_held(seller):
    for name in ("database", "backup saved 12345678"):
        ran = down(seller, "--hold", name, "--basis", "An order", "--until", "2999-01-01")
        assert ran.status == 2
        assert "cannot be held" in ran.err
    past = down(seller, "--hold", "logs", "--basis", "An order", "--until", "2020-01-01")
    assert "the hold ended" in past.err
    lone = down(seller, "--hold", "logs")
    assert "needs a --basis" in lone.err
    assert (seller.home / "keys/region-key").exists()


def test_what_is_not_declared_is_asked_for(seller):
    seller.declared.write_text("copy = []")
    ran = down(seller)
    assert ran.status == 1
    assert "staff-devices: declare what became of it" in ran.out
    seller.declared.write_text(DECLARED)
    assert down(seller).status == 0


def test_a_backup_that_was_moved_is_asked_for_by_name(seller, tmp_path):
    assert reelm("backup", seller.backup, "--region", seller.home).status == 0
    away = Path(shutil.move(seller.backup, tmp_path / "elsewhere"))
    ran = down(seller)
    assert ran.status == 1
    assert "backup saved " in ran.out
    assert "not where it was" in ran.out
    # Found again, it is destroyed; the one that was noted is declared to be the same.
    name = next(line.split(":")[0].strip(" -") for line in ran.out.splitlines() if "backup" in line)
    seller.declared.write_text(
        DECLARED + DECLARED.replace("staff-devices", name).replace("wiped by", "moved by")
    )
    ran = down(seller, "--backup", away)
    assert ran.status == 0, ran.out
    assert not away.exists()


def test_a_backup_of_another_region_is_left_alone(seller, tmp_path):
    other = tmp_path / "other"
    (other / "keys").mkdir(parents=True)
    pem_of(HOST, other / "keys/operator-ed25519.pem")
    ran = down(seller, "--backup", other)
    assert ran.status == 2
    assert "no backup of this region" in ran.err
    assert other.exists()


def test_a_declared_copy_says_who_and_how(seller):
    for wrong, words in (
        (DECLARED.replace('method = "wiped by the seller\'s administrator"', ""), "how it was"),
        (DECLARED.replace('"destroyed"', '"held"'), "order of whom"),
        (DECLARED.replace("attested_by", "by"), "by is not a field"),
        (DECLARED.replace('"destroyed"', '"lost"'), "outcome"),
    ):
        seller.declared.write_text(wrong)
        ran = down(seller)
        assert ran.status == 2, wrong
        assert words in ran.err
    seller.declared.write_text(DECLARED + DECLARED.replace("staff-devices", "database"))
    assert "take it out of the declared copies" in down(seller).err


def test_the_certificate_is_cosigned_and_checked_without_a_region(seller, tmp_path):
    assert down(seller).status == 0
    certificate_of(seller)
    path = seller.exchange / room.CERTIFICATE
    cutover = ("--cutover", seller.exchange / "cutover.dsse")
    papers = ("--scope", seller.exchange / "scope.json", *cutover)
    journal = ("--journal", seller.exchange / room.JOURNAL)
    host = ("--authority-key", public(HOST))
    check = ("transfer", "check-certificate", path, *papers, *host, *journal)
    lacking = reelm(*check)
    assert (lacking.status, "0 good signatures of the buyer" in lacking.err) == (1, True)
    for number, key in enumerate((BUYER, HOST)):
        pem = pem_of(key, tmp_path / f"{number}.pem")
        signed = reelm("transfer", "sign-certificate", path, *papers, "--key", pem)
        assert signed.status == 0, signed.err
        assert "cannot be proven" in signed.out
        if key is BUYER:
            assert "0 good signatures of the authority Host" in reelm(*check).err
    ran = reelm(*check)
    assert ran.status == 0, ran.err
    assert "The certificate holds" in ran.out
    # Writing it once more keeps what others signed.
    certificate_of(seller)
    assert reelm(*check).status == 0
    without = reelm("transfer", "check-certificate", path, *papers)
    assert "0 good signatures of the authority Host" in without.err
    journal[1].write_bytes(journal[1].read_bytes().replace(b"removed", b"REMOVED", 1))
    tampered = reelm(*check)
    assert (tampered.status, "does not follow" in tampered.err) == (1, True)


def test_a_changed_journal_is_refused_before_anything_else(seller):
    assert down(seller).status == 0
    path = seller.home / "winding-down/journal.jsonl"
    text = path.read_bytes()
    lines = text.splitlines(keepends=True)
    for changed in (b"".join(lines[:3] + lines[4:]), text.replace(b'"number":2', b'"number":9')):
        path.write_bytes(changed)
        ran = reelm(
            "transfer", "certificate", "--region", seller.home, "--exchange", seller.exchange
        )
        assert ran.status == 2
        assert "does not follow from the line before" in ran.err
    with contextlib.suppress(FileNotFoundError):
        path.write_bytes(text)
    certificate_of(seller)
