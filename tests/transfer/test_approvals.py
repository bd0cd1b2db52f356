"""Who has to agree does, over this very scope, now; an attack on that leaves it unapproved."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from tests.transfer.factory import DAY, EXPORTER, make_authority, public, refused_at_the_door

from reelm import transfer
from reelm.foundation.clock import now, utc_text
from reelm.foundation.envelope import key_id
from reelm.foundation.errors import Conflict, Unavailable
from reelm.foundation.ids import new_id
from reelm.regions import clock_watch, orders
from reelm.regions.clock_watch import Clocks, mark_clocks, read_clocks
from reelm.transfer.models import RegionTransfer, TransferStatement

LICENSED = transfer.Choices(
    dispositions={"model": "license"}, export_controlled=frozenset({"model"}), origin=EXPORTER
)


def later(monkeypatch, time):
    """Let all clocks of the machine go on by a time."""
    clocks = read_clocks()
    moved = Clocks(
        clocks.shown + time, clocks.boot_id, clocks.boot_ms + int(time.total_seconds() * 1000)
    )
    monkeypatch.setattr(clock_watch, "read_clocks", lambda: moved)


def test_a_sale_that_everybody_signed_is_approved(sale):
    sale.approved()
    assert (sale.lacks(), sale.state()) == ([], "approved")
    assert transfer.refuse_unless_approved(sale.session).scope_digest == sale.proposal.digest


def test_without_signatures_or_decisions_each_is_named_as_missing(sale):
    sale.propose(LICENSED)
    assert sale.lacks() == [
        ("unsigned", "seller"),
        ("unsigned", "buyer"),
        ("missing", "Host"),
        ("missing", "Exporter"),
    ]
    sale.submit(sale.decision(sale.host))
    assert sale.state() == "proposed"
    sale.signed()
    assert (sale.lacks(), sale.state()) == ([("missing", "Exporter")], "signed")
    with pytest.raises(Conflict, match="Exporter has not approved this scope"):
        transfer.refuse_unless_approved(sale.session)


def expired(sale, monkeypatch):
    sale.approved(valid_until=utc_text(now() + 2 * DAY))
    assert sale.lacks() == []
    later(monkeypatch, 2 * DAY)
    return "expired"


def expired_when_it_comes(sale, _):
    sale.propose()
    sale.signed()
    early = {"issued_at": utc_text(now() - 2 * DAY), "valid_until": utc_text(now() - DAY)}
    refused_at_the_door(sale, sale.decision(sale.host, **early), "has expired")
    return "missing"


def expired_by_a_clock_that_was_set_back(sale, monkeypatch):
    sale.approved(valid_until=utc_text(now() + DAY))
    mark_clocks(sale.session)
    clocks = read_clocks()
    ran_on = Clocks(clocks.shown - 9 * DAY, clocks.boot_id, clocks.boot_ms + 2 * 86_400_000)
    monkeypatch.setattr(clock_watch, "read_clocks", lambda: ran_on)
    return "expired"


def revoked_after_it_was_approved(sale, _):
    sale.approved()
    assert sale.lacks() == []
    sale.submit(sale.decision(sale.host, "revoke"))
    return "revoked"


def revoked_and_then_replayed(sale, _):
    sale.propose()
    sale.signed()
    approval, spare = sale.decision(sale.host), sale.decision(sale.host)
    sale.submit(approval)
    sale.submit(sale.decision(sale.host, "revoke"))
    assert not sale.submit(approval).is_new
    assert sale.submit(spare).is_new  # signed before the revocation, and never handed in
    return "revoked"


def revoked_by_a_clock_that_is_behind(sale, _):
    sale.approved()
    sale.submit(sale.decision(sale.host, "revoke", issued_at=utc_text(now() - DAY)))
    return "revoked"


def refused_by_the_authority(sale, _):
    sale.approved()
    sale.submit(sale.decision(sale.host, "refuse"))
    return "refused"


def replayed_from_another_scope(sale, _):
    sale.propose()
    old = sale.decision(sale.host)
    transfer.abort(sale.session, "Another scope is agreed on.")
    sale.propose(transfer.Choices(dispositions={"model": "exclude"}))
    sale.signed()
    refused_at_the_door(sale, old, "a changed scope is another one")
    return "missing"


def wrong_digest(sale, _):
    sale.propose()
    sale.signed()
    refused_at_the_door(sale, sale.decision(sale.host, scope_digest="0" * 64), "about the scope 00")
    return "missing"


def wrong_buyer(sale, _):
    sale.propose()
    sale.signed()
    other = public(Ed25519PrivateKey.generate())
    refused_at_the_door(sale, sale.decision(sale.host, buyer_key=other), "another buyer")
    return "missing"


def wrong_region(sale, _):
    sale.propose()
    sale.signed()
    refused_at_the_door(sale, sale.decision(sale.host, region="0" * 32), "about the region 00")
    return "missing"


def one_key_where_two_are_needed(sale, _):
    sale.propose()
    sale.signed()
    for keys in (sale.host.keys[:1], [sale.host.keys[0], sale.exporter.keys[0]]):
        refused_at_the_door(sale, sale.decision(sale.host, keys=keys), "1 good sig.*2 are needed")
    return "missing"


def one_signature_given_twice(sale, _):
    sale.propose()
    sale.signed()
    once = json.loads(sale.decision(sale.host, keys=sale.host.keys[:1]))
    other = next(k for k in sale.scope.approvals[0].keys if k != once["signatures"][0]["keyid"])
    twice = [*once["signatures"], {**once["signatures"][0], "keyid": other}]
    envelope = json.dumps({**once, "signatures": twice}).encode()
    refused_at_the_door(sale, envelope, "2 are needed")
    return "missing"


def changed_after_it_was_signed(sale, _):
    sale.propose()
    sale.signed()
    envelope = json.loads(sale.decision(sale.host, "refuse"))
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload |= {"decision": "approve", "valid_until": utc_text(now() + DAY)}
    envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    refused_at_the_door(sale, json.dumps(envelope).encode(), "no good signature")
    return "missing"


def its_key_was_revoked(sale, _):
    sale.approved(keys=sale.host.keys[:2])
    orders.revoke_key(sale.session, sale.host.id, key_id(public(sale.host.keys[0])))
    return "void"


def a_key_that_was_added_afterwards(sale, _):
    sale.propose()
    sale.signed()
    keys = [Ed25519PrivateKey.generate() for _ in range(2)]
    for key in keys:
        orders.add_key(sale.session, sale.host.id, public(key))
    refused_at_the_door(sale, sale.decision(sale.host, keys=keys), "no good signature")
    return "missing"


def data_in_another_country(sale, _):
    sale.approved(conditions={"data_country": "TF"})
    return "violated"


def an_asset_that_goes_along(sale, _):
    sale.approved(conditions={"excluded_assets": ["model"]})
    return "violated"


def an_asset_that_nobody_knows(sale, _):
    sale.approved(conditions={"excluded_assets": ["modle"]})
    return "violated"


def too_late(sale, monkeypatch):
    sale.approved(conditions={"cutover_before": utc_text(now() + DAY)})
    assert sale.lacks() == []
    later(monkeypatch, DAY + timedelta(seconds=1))
    return "violated"


def an_authority_that_has_ended(sale, _):
    sale.approved()
    sale.session.execute(
        text("UPDATE authority SET ended_at = now() WHERE id = :id"), {"id": sale.host.id}
    )
    sale.session.expire_all()
    return "void"


ATTACKS = [
    expired,
    expired_when_it_comes,
    expired_by_a_clock_that_was_set_back,
    revoked_after_it_was_approved,
    revoked_and_then_replayed,
    revoked_by_a_clock_that_is_behind,
    refused_by_the_authority,
    replayed_from_another_scope,
    wrong_digest,
    wrong_buyer,
    wrong_region,
    one_key_where_two_are_needed,
    one_signature_given_twice,
    changed_after_it_was_signed,
    its_key_was_revoked,
    a_key_that_was_added_afterwards,
    data_in_another_country,
    an_asset_that_goes_along,
    an_asset_that_nobody_knows,
    too_late,
    an_authority_that_has_ended,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_attack_on_the_approvals_leaves_the_sale_unapproved(sale, monkeypatch, attack):
    standing = attack(sale, monkeypatch)
    assert (standing, "Host") in sale.lacks()
    assert sale.state() != "approved"
    with pytest.raises(Conflict, match="not approved"):
        transfer.refuse_unless_approved(sale.session)


def test_two_keys_of_one_authority_never_stand_for_two(sale):
    sale.propose(LICENSED)
    sale.signed()
    sale.submit(sale.decision(sale.host))
    # The host's keys sign in the exporter's name, and hand its own decision in twice.
    refused_at_the_door(sale, sale.decision(sale.exporter, keys=sale.host.keys), "no good")
    sale.submit(sale.decision(sale.host, keys=sale.host.keys[1:]))
    assert sale.lacks() == [("missing", "Exporter")]
    sale.submit(sale.decision(sale.exporter))
    assert sale.state() == "approved"


def test_an_authority_approves_anew_after_it_revoked(sale):
    sale.approved()
    sale.submit(sale.decision(sale.host, "revoke"))
    assert sale.state() == "signed"
    sale.submit(sale.decision(sale.host))
    assert sale.state() == "approved"


def test_the_newest_approval_speaks_with_its_conditions(sale):
    sale.approved(conditions={"data_country": "TF"})
    sale.submit(sale.decision(sale.host, conditions={"data_country": "AQ"}))
    assert sale.lacks() == []


def test_what_the_software_cannot_check_is_listed_for_a_person(sale):
    sale.approved(conditions={"for_a_person": ["The buyer keeps its office in the capital."]})
    (one,) = transfer.status(sale.session).for_a_person
    assert (one.authority, one.words) == ("Host", "The buyer keeps its office in the capital.")
    assert sale.state() == "approved"


def test_what_is_written_into_the_tables_by_hand_approves_nothing(sale):
    sale.propose()
    sale.signed()
    forged = sale.decision(sale.host, keys=[Ed25519PrivateKey.generate()])
    sale.session.add(
        TransferStatement(
            transfer_id=sale.proposal.transfer_id, id=new_id(), kind="approve",
            authority_id=sale.host.id, reference="forged", document_digest="0" * 64,
            envelope=forged.decode(), received_at=now(),
        )
    )  # fmt: skip
    sale.session.flush()
    assert sale.lacks() == [("void", "Host")]


def test_a_scope_that_was_changed_in_the_table_is_told(sale):
    sale.approved()
    row = sale.session.get_one(RegionTransfer, sale.proposal.transfer_id)
    row.scope = row.scope.replace('"disposition":"exclude"', '"disposition":"transfer"')
    sale.session.flush()
    with pytest.raises(Unavailable, match="was changed after it was proposed"):
        transfer.check_approvals(sale.session)


def test_the_serving_role_cannot_change_what_was_signed(sale):
    sale.approved()
    for statement in ("UPDATE transfer_statement SET kind = 'x'", "DELETE FROM transfer_statement"):
        with (
            pytest.raises(Exception, match="permission denied"),
            sale.session.begin_nested(),
        ):
            sale.session.execute(text(statement))


def test_an_authority_registered_after_the_proposal_is_not_passed_over(sale):
    sale.approved()
    make_authority(sale.session, "Second host", "approve_transfer")
    (lack,) = transfer.check_approvals(sale.session)
    assert lack.kind == "changed"
    assert lack.sentence.startswith("Second host was registered after the proposal")


def test_a_region_that_is_no_longer_what_the_scope_says_is_not_approved(sale, monkeypatch):
    sale.approved()
    monkeypatch.setattr("reelm.transfer.changes.schema", lambda _: "9999")
    monkeypatch.setattr("reelm.transfer.changes.data_items", lambda _: sale.scope.data[1:])
    first = sale.scope.data[0]
    told = " ".join(one.sentence for one in transfer.check_approvals(sale.session))
    assert "The database has schema 9999" in told
    assert f"The scope names the {first.place} {first.name}, which is not there" in told
