"""Authorities are registered, corrected and ended."""

import pytest
from sqlalchemy import select
from tests.regions.factory import make_body, videos

from reelm import regions
from reelm.audit.models import AuditEntry
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.ids import new_id
from reelm.regions import orders
from reelm.regions.orders import AuthorityChange, change_authority, end_authority

PACK = regions.load_pack("IN")


def accept(session, envelope):
    return orders.accept_signed(session, PACK, envelope, lambda _: [])


def bodies(session, kind):
    return [one.body for one in session.scalars(select(AuditEntry).where(AuditEntry.kind == kind))]


def test_what_was_registered_wrongly_is_corrected_and_logged(session):
    body = make_body(session)
    change = AuthorityChange(name="Ministry of Demo", powers=["order_service"], country="IN")
    now = change_authority(session, body.id, change)
    assert (now.name, now.powers, now.country) == ("Ministry of Demo", ["order_service"], "IN")
    assert now.objections == "https://demo.invalid/objections"
    with pytest.raises(Invalid, match="order_content"):
        accept(session, body.order("remove", targets=videos(7)))
    (logged,) = bodies(session, "regions.authority_changed")
    assert logged["changed"] == ["country", "name", "powers"]
    assert change_authority(session, body.id, AuthorityChange(country="")).country is None
    with pytest.raises(Conflict, match="Nothing"):
        change_authority(session, body.id, change=AuthorityChange(name="Ministry of Demo"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": " "}, "name needs"),
        ({"powers": []}, "among"),
        ({"powers": ["reign"]}, "among"),
        ({"threshold": 2}, "here 1"),
        ({"threshold": 0}, "here 1"),
        ({"country": "UK"}, "country: UK .* GB"),
        ({"objections": "javascript:alert(1)"}, "javascript: is neither"),
        ({"objections": " data: text/html,x"}, "data: is neither"),
        ({"objections": "ftp://demo.invalid"}, "ftp: is neither"),
    ],
)
def test_a_wrong_correction_is_refused_as_a_wrong_registration_is(session, change, words):
    body = make_body(session)
    with pytest.raises(Invalid, match=words):
        change_authority(session, body.id, AuthorityChange(**change))
    facts = {"name": "Other", "powers": ["supervise"], "keys": ["33" * 32], "objections": "Here"}
    with pytest.raises(Invalid, match=words):
        orders.add_authority(session, orders.NewAuthority(**facts | change))


@pytest.mark.parametrize("place", ["mailto:a@demo.invalid", "HTTP://x.invalid", "Court, Room 4: 3"])
def test_objections_go_to_an_address_or_a_place(session, place):
    body = make_body(session)
    assert change_authority(session, body.id, AuthorityChange(objections=place)).objections == place


def test_one_that_ended_orders_nothing_more_and_a_court_lifts_what_it_ordered(session):
    body, court, video = make_body(session), make_body(session, ("supervise",)), new_id()
    one = body.statement("remove", targets=videos(video))
    accept(session, body.sign(one))
    end_authority(session, body.id)
    assert bodies(session, "regions.authority_ended")[0]["authority_id"] == str(body.id)
    assert regions.restrictions_on(session, [video])
    for order in (
        body.order("remove", targets=videos(7)),
        body.order("lift", targets={"orders": [one["reference"]]}),
    ):
        with pytest.raises(Invalid, match="no longer one"):
            accept(session, order)
    for act in (
        lambda: end_authority(session, body.id),
        lambda: change_authority(session, body.id, AuthorityChange(name="Other")),
        lambda: orders.add_key(session, body.id, "11" * 32),
        lambda: orders.set_recipient(session, body.id, str(body.identity.to_public())),
    ):
        with pytest.raises(Conflict, match="has ended"):
            act()
    named = f"{body.id}/{one['reference']}"
    accept(session, court.order("lift", targets={"orders": [named]}))
    assert not regions.restrictions_on(session, [video])


def test_a_revoked_key_is_not_taken_again_and_says_whose_it_was(session):
    body, other = make_body(session, keys=2, threshold=2), make_body(session)
    key = orders.authority(session, body.id).keys[0]
    left = orders.revoke_key(session, body.id, key.key_id)
    assert left.warning.startswith("It has 1 key left and 2 have to sign")
    assert not orders.authority(session, other.id).warning
    for holder in (body, other):
        with pytest.raises(Conflict, match="was Demo Ministry's and was revoked on"):
            orders.add_key(session, holder.id, key.public_key)
    lowered = change_authority(session, body.id, AuthorityChange(threshold=1))
    assert not lowered.warning
