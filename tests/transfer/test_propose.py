"""The scope of a sale: all that holds data and all technology, by named rule; who has to agree."""

import hashlib
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text
from tests.transfer.factory import EXPORTER, make_authority, make_buyer, make_sale, public

from reelm import app, audit, transfer
from reelm.audit.materials import bill_of_materials
from reelm.audit.models import AuditEntry
from reelm.feed.log import snapshots
from reelm.feed.models import SignalRow
from reelm.feed.ranker import State
from reelm.foundation.classes import Place, declared
from reelm.foundation.clock import now, utc_text
from reelm.foundation.database import Base
from reelm.foundation.database.classes import FOREIGN_TABLES
from reelm.foundation.envelope import key_id
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.strict_json import canonical
from reelm.proofs import sale as documents
from reelm.regions import orders
from reelm.videos.programs import programs

EXCLUDED = transfer.Choices(
    dispositions={"model": "exclude"}, export_controlled=frozenset({"model"}), origin=EXPORTER
)


def in_jurisdiction(sale, jurisdiction):
    region = msgspec.structs.replace(sale.parts.settings.region, jurisdiction=jurisdiction)
    settings = msgspec.structs.replace(sale.parts.settings, region=region)
    sale.parts = replace(sale.parts, settings=settings)


def test_everything_that_is_declared_has_a_disposition_by_a_named_rule(sale):
    scope = sale.propose().scope
    named = {(item.place, item.name) for item in scope.data}
    for place in Place:
        assert {(str(place), name) for name in declared(place)} <= named
    tables = app.catalogue(sale.session)
    assert {name for place, name in named if place == "table"} == set(tables) | set(FOREIGN_TABLES)
    assert {item.rule for item in scope.data} == set(transfer.RULES)
    assert all(item.reason for item in scope.data if item.disposition != "transfer")


def test_what_a_rule_does_follows_from_what_is_declared(sale):
    items = {(one.place, one.name): one for one in sale.propose().scope.data}
    for place, name, disposition, rule in (
        ("table", "account", "transfer", "transfer"),
        ("table", "session", "exclude", "excluded_by_class"),
        ("table", "ranker_snapshot", "rebuild", "rebuilt_by_buyer"),
        ("table", "transfer", "transfer", "transfer"),
        ("column", "account_key.wrapped_key", "rekey", "rekeyed"),
        ("object prefix", "renditions", "transfer", "transfer"),
        ("file", "keys", "exclude", "excluded_by_class"),
    ):
        found = items[place, name]
        assert (found.disposition, found.rule) == (disposition, rule), name
    rekeyed = {name for place, name in items if place == "column"}
    assert rekeyed == {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.info.get("rekey")
    }


def test_the_technology_is_listed_by_what_runs(sale):
    assets = {one.name: one for one in sale.propose().scope.technology}
    assert list(assets) == ["release", "sbom", "ffmpeg", "policy-pack-neutral", "model"]
    assert assets["release"].digest == audit.code_digest()
    files = programs(sale.parts.settings)
    assert assets["sbom"].digest == bill_of_materials(files).digest
    ffmpeg = files["ffmpeg"]
    assert assets["ffmpeg"].digest == hashlib.sha256(ffmpeg.read_bytes()).hexdigest()
    ran = subprocess.run([ffmpeg, "-version"], capture_output=True, text=True, check=True)
    assert assets["ffmpeg"].about["version"] == ran.stdout.splitlines()[0]
    assert assets["model"].digest == ""


def test_of_a_union_the_pack_and_the_overlay_are_named(sale):
    in_jurisdiction(sale, "FR")
    make_authority(sale.session, "CNIL", "approve_transfer", country="FR")
    names = [one.name for one in sale.propose().scope.technology]
    assert names[3:5] == ["policy-pack-EU", "policy-pack-EU-FR"]
    # A host of another country is not asked in this one.
    assert [one.name for one in sale.scope.approvals] == ["CNIL"]


def test_the_model_comes_with_the_events_and_the_code_that_made_it(sale, parts):
    began = now() - timedelta(hours=2)
    with parts.transaction() as session:
        session.add_all(signal(seq, began + timedelta(minutes=seq)) for seq in range(1, 7))
    state = State({"version": 1}, {"weights": np.ones(3)})
    snapshots.save(parts, state, 3)
    newest = snapshots.save(parts, state, 5)
    model = sale.propose().scope.asset("model")
    assert model is not None
    assert model.digest == newest.digest
    assert (model.about["first_seq"], model.about["last_seq"]) == ("1", "5")
    assert model.about["code_digests"] == [audit.code_digest()]
    assert model.about["first_at"] == utc_text(began + timedelta(minutes=1))
    assert model.about["last_at"] == utc_text(began + timedelta(minutes=5))


def test_a_model_that_went_on_from_one_before_names_what_that_one_learned_from(sale, parts):
    began = now() - timedelta(hours=2)
    with parts.transaction() as session:
        session.add_all(signal(seq, began) for seq in range(4, 9))
    state = State({"version": 1}, {"weights": np.ones(3)})
    snapshots.save(parts, state, 6)
    with parts.transaction() as session:
        session.execute(text("DELETE FROM signal WHERE seq < 6"))  # days past their time
    snapshots.save(parts, state, 8)
    model = sale.propose().scope.asset("model")
    assert model is not None
    assert (model.about["first_seq"], model.about["last_seq"]) == ("4", "8")


def signal(seq, at):
    return SignalRow(
        viewer_id=7, seq=seq, day=at.date(), at=at, video_id=9, kind=1, watched_ms=0,
        duration_ms=0, loops=0, long_view=False, surface=0, page_id=0, position=0, source="",
        propensity=0.5, subject="", batch_seq=1,
    )  # fmt: skip


def test_a_scope_has_one_form_and_any_change_is_another_digest(sale):
    proposal = sale.propose()
    assert documents.read_scope(proposal.document) == proposal.scope
    assert hashlib.sha256(proposal.document).hexdigest() == proposal.digest
    spaced = json.dumps(json.loads(proposal.document)).encode()
    with pytest.raises(Invalid, match="canonical form"):
        documents.read_scope(spaced)
    other = msgspec.structs.replace(proposal.scope, schema="0")
    assert documents.digest_of(canonical(other)) != proposal.digest


def test_the_page_tells_parties_authorities_technology_and_every_table(sale):
    proposal = sale.propose(EXCLUDED)
    page = transfer.markdown(proposal.scope)
    for words in (proposal.digest, "Demo Buyer", "Test Operator", "| Host | the sale | 2 of 3 |"):
        assert words in page
    assert f"| model | **exclude** | yes, {EXPORTER} |" in page
    for table in Base.metadata.tables:
        assert f"| table | `{table}` |" in page
    for rule, means in transfer.RULES.items():
        assert f"| `{rule}` | {means} |" in page


def test_what_others_wrote_makes_no_markup_on_the_page(sale):
    page = transfer.markdown(sale.propose(operator="<b>Buyer</b> | [x](http://y)").scope)
    assert r"\<b\>Buyer\</b\> \| \[x\](http://y)" in page
    assert "<b>" not in page


def test_the_host_is_always_asked_and_the_exporter_where_something_controlled_goes_along(sale):
    for disposition, asked in (
        ("exclude", ["Host"]),
        ("retrain", ["Host"]),
        ("license", ["Host", "Exporter"]),
        ("transfer", ["Host", "Exporter"]),
    ):
        choices = msgspec.structs.replace(EXCLUDED, dispositions={"model": disposition})
        scope = sale.propose(choices).scope
        assert [one.name for one in scope.approvals] == asked
        assert (scope.approvals[0].threshold, len(scope.approvals[0].keys)) == (2, 3)
        transfer.abort(sale.session, "The next one.")


def test_settings_say_what_is_export_controlled_and_where_it_comes_from(sale):
    technology = msgspec.structs.replace(
        sale.parts.settings.technology, origin=EXPORTER, export_controlled=["model"]
    )
    settings = msgspec.structs.replace(sale.parts.settings, technology=technology)
    sale.parts = replace(sale.parts, settings=settings)
    with pytest.raises(Invalid, match="say what becomes of it, as in --asset model=exclude"):
        sale.propose()
    sale.propose(transfer.Choices(dispositions={"model": "license"}))
    assert [one.power for one in sale.scope.approvals] == ["approve_transfer", "license_technology"]


CONTROLLED = frozenset({"model"})


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"dispositions": {"modle": "exclude"}}, "no technology asset modle; there are: release"),
        ({"dispositions": {"model": "sell"}}, "sell is no disposition"),
        ({"dispositions": {"sbom": "retrain"}}, "Only the model can be retrained"),
        ({"origin": "India"}, "origin: India is no code of a country"),
        ({"export_controlled": CONTROLLED}, "by which country"),
        ({"export_controlled": CONTROLLED, "origin": "BV"}, "say what becomes of it"),
        (
            {"dispositions": {"model": "license"}, "export_controlled": CONTROLLED, "origin": "HM"},
            "no authority of HM that licenses technology is registered here",
        ),
    ],
)
def test_a_choice_that_cannot_be_is_refused_with_what_to_do(sale, choices, words):
    with pytest.raises((Invalid, Conflict), match=words):
        sale.propose(transfer.Choices(**choices))
    with pytest.raises(Missing):
        transfer.open_transfer(sale.session)


def test_without_an_authority_that_approves_there_is_no_proposal(sale):
    in_jurisdiction(sale, "IN")
    with pytest.raises(Conflict, match=r"No authority of India.*approve_transfer --country IN"):
        sale.propose()


def test_an_authority_that_has_to_agree_needs_keys_to_agree_with(sale):
    for key in sale.host.keys[:2]:
        orders.revoke_key(sale.session, sale.host.id, key_id(public(key)))
    with pytest.raises(Conflict, match="Host has to agree, needs 2 of its keys to sign, and has 1"):
        sale.propose()


def test_the_buyer_is_somebody_else_with_keys_that_are_keys(sale):
    with pytest.raises(Invalid, match="nobody to sell to"):
        sale.propose(public_key=public(sale.seller_key))
    with pytest.raises(Invalid, match="no age public key"):
        sale.propose(recipient="age1" + "q" * 58)


def test_one_sale_is_open_at_a_time_and_each_is_logged(sale):
    first = sale.propose()
    with pytest.raises(Conflict, match="A sale is open"):
        sale.propose()
    transfer.abort(sale.session, "The buyer withdrew.")
    second = sale.propose(EXCLUDED)
    rows = sale.session.scalars(
        select(AuditEntry).where(AuditEntry.kind.like("transfer.%")).order_by(AuditEntry.id)
    ).all()
    assert [(row.kind, row.body["scope_digest"]) for row in rows] == [
        ("transfer.proposed", first.digest),
        ("transfer.aborted", first.digest),
        ("transfer.proposed", second.digest),
    ]
    reason = hashlib.sha256(b"The buyer withdrew.").hexdigest()
    assert rows[1].body["reason_digest"] == reason
    assert "withdrew" not in str([row.body for row in rows])


def test_of_proposals_at_the_same_time_one_is_taken(parts):
    with parts.transaction() as session:
        sale = make_sale(session, parts)
    buyer = make_buyer(sale.buyer_key)

    def propose(_):
        with parts.transaction() as session:
            return transfer.propose(session, parts, buyer, transfer.Choices())

    with ThreadPoolExecutor(4) as executor:
        tries = [executor.submit(propose, number) for number in range(4)]
    errors = [one.exception() for one in tries]
    assert sum(error is None for error in errors) == 1
    assert {type(error) for error in errors if error is not None} == {Conflict}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"form": "reelm-buyer/2"}, "reelm-buyer/1"),
        ({"public_key": "ab"}, "public_key"),
        ({"recipient": "age1"}, "recipient"),
        ({"country": "India"}, "country"),
        ({"operator": "Demo\x07"}, "cannot be shown"),
        ({"more": 1}, "more"),
    ],
)
def test_the_file_of_a_buyer_is_checked(changed, words):
    buyer = msgspec.to_builtins(make_buyer(Ed25519PrivateKey.generate()))
    told = {"form": documents.BUYER_FORM, **buyer}
    assert documents.read_buyer(json.dumps(told).encode()).operator == "Demo Buyer"
    with pytest.raises(Invalid, match=words):
        documents.read_buyer(json.dumps(told | changed).encode())
