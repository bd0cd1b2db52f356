"""Orders that their authority has signed."""

import base64
import json
from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from tests.regions.factory import make_body, people, videos

from reelm import regions
from reelm.audit.models import AuditEntry
from reelm.foundation.clock import now, utc_text
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.ids import new_id
from reelm.regions import orders
from reelm.regions.models import LegalOrder

PACK = regions.load_pack("IN")
TOO_LARGE = "9999999999999999999"


def accept(session, envelope, unknown=lambda targets: [], pack=PACK):
    return orders.accept_signed(session, pack, envelope, unknown)


def test_a_signed_order_withholds_what_it_names_from_the_commit_on(session):
    body, video = make_body(session), new_id()
    taken = accept(session, body.order("remove", targets=videos(video), reasons="As read."))
    assert taken.state == "in_force"
    assert taken.due_at == taken.received_at + timedelta(hours=3)
    (one,) = regions.withheld_by(session, "IN", [video])
    assert (one.authority, one.basis) == ("Demo Ministry", "Demo Act, section 1")
    assert one.objections == "https://demo.invalid/objections"
    assert orders.order(session, taken.order_id).complied_at is not None


def test_the_same_order_again_changes_nothing(session):
    body, video = make_body(session), new_id()
    envelope = body.order("remove", targets=videos(video))
    first, again = accept(session, envelope), accept(session, envelope)
    assert (again.order_id, again.is_new) == (first.order_id, False)
    assert len(regions.restrictions_on(session, [video])) == 1


def test_another_order_under_a_reference_that_was_used_is_refused(session):
    body = make_body(session)
    accept(session, body.order("remove", targets=videos(new_id()), reference="7"))
    with pytest.raises(Conflict, match="reference 7"):
        accept(session, body.order("remove", targets=videos(new_id()), reference="7"))


def test_a_threshold_needs_different_keys_of_the_same_authority(session):
    body = make_body(session, keys=3, threshold=2)
    other = make_body(session)
    statement = body.statement("block_service")
    for keys in ([body.keys[0]], [body.keys[0], other.keys[0]], [Ed25519PrivateKey.generate()]):
        with pytest.raises(Invalid, match="2 are needed"):
            accept(session, body.sign(statement, keys))
    assert accept(session, body.sign(statement, body.keys[1:])).state == "in_force"


def test_one_signature_given_twice_does_not_count_twice(session):
    body = make_body(session, keys=2, threshold=2)
    envelope = json.loads(body.sign(body.statement("block_service"), body.keys[:1]))
    twice = envelope["signatures"] * 2
    for keyids in ([0, 0], [0, 1]):
        ids = [orders.authority(session, body.id).keys[i].key_id for i in keyids]
        forged = [one | {"keyid": keyid} for one, keyid in zip(twice, ids, strict=True)]
        with pytest.raises(Invalid):
            accept(session, json.dumps(envelope | {"signatures": forged}).encode())


def test_what_was_changed_after_signing_is_refused(session):
    body = make_body(session)
    envelope = json.loads(body.order("remove", targets=videos(5)))
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["targets"]["videos"] = ["6"]
    envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    with pytest.raises(Invalid, match="no good signature of the authority; 1 is needed"):
        accept(session, json.dumps(envelope).encode())


def test_a_revoked_key_signs_nothing_more_and_what_it_signed_before_holds(session):
    body, video = make_body(session, keys=2), new_id()
    kept = accept(
        session, body.sign(body.statement("remove", targets=videos(video)), body.keys[:1])
    )
    (first, _) = orders.authority(session, body.id).keys
    gone = next(k for k in body.keys if k.public_key().public_bytes_raw().hex() == first.public_key)
    orders.revoke_key(session, body.id, first.key_id)
    with pytest.raises(Invalid):
        accept(session, body.sign(body.statement("block_service"), [gone]))
    assert orders.order(session, kept.order_id).state == "in_force"


def test_a_key_stands_for_one_authority(session):
    body, other = make_body(session), make_body(session)
    key = body.keys[0].public_key().public_bytes_raw().hex()
    with pytest.raises(Conflict, match="one authority"):
        orders.add_key(session, other.id, key)


def test_an_authority_orders_what_it_has_the_power_for(session):
    body = make_body(session, ("order_content",))
    with pytest.raises(Invalid, match="order_service"):
        accept(session, body.order("block_service"))
    with pytest.raises(Invalid, match="order_data"):
        accept(session, body.order("disclose", targets=people(new_id())))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"region": "0" * 32}, "for the region"),
        ({"issued_at": "2199-01-01T00:00:00Z"}, "in the future"),
        ({"issued_at": "2026-11-23T10:00:00"}, "zone"),
        ({"targets": {}}, "has to name videos"),
        ({"targets": people(7)}, "cannot be aimed at accounts"),
        ({"countries": ["in"]}, r"countries\[0\] has to be the two capital letters of a country"),
        ({"countries": ["IN", "UK"]}, "UK is no code of a country .*; the United Kingdom is GB"),
        ({"countries": ["EL"]}, "Greece is GR"),
        ({"countries": ["EU"]}, "member states one by one"),
        ({"countries": ["ZZ"]}, "ZZ is no code of a country"),
        ({"lapses_at": "2199-01-01T00:00:00Z"}, "Only an interim order"),
        ({"complies_by": "2001-01-01T00:00:00Z"}, "complies_by is not after"),
        ({"basis": "Act\x07"}, "cannot be shown"),
        ({"extra": 1}, "extra"),
        ({"authority": "77"}, "no such authority"),
        ({"authority": TOO_LARGE}, "too large"),
        ({"targets": {"videos": [TOO_LARGE]}}, f"{TOO_LARGE} is no id"),
        ({"issued_at": "0001-01-01T00:00:00+14:00"}, "issued_at is not between the years"),
        ({"complies_by": "9999-12-31T23:59:59-14:00"}, "complies_by is not between the years"),
        ({"kind": "remov"}, "kind is none of block_service, confirm, disclose"),
        ({"kind": "geo_restrict"}, r"withhold in some countries \(geo_restrict\) has to name"),
        ({"complies_by": "tomorrow"}, "complies_by has to be a time such as"),
        ({"reference": None}, "reference has to be a text of 1 to 200 characters"),
    ],
)
def test_an_order_that_contradicts_itself_is_refused_with_what_is_wrong(session, fields, words):
    body = make_body(session)
    order = body.sign(body.statement("remove") | {"targets": videos(5)} | fields)
    with pytest.raises((Invalid, Missing), match=words):
        accept(session, order)


def test_what_names_a_field_twice_is_refused(session):
    body = make_body(session)
    payload = msgspec.json.encode(body.statement("remove", targets=videos(5)))
    for more in (b'"kind":"preserve"', b'"k\\u0069nd":"preserve"'):
        twice = payload[:-1] + b"," + more + b"}"
        with pytest.raises(Invalid, match="kind is given twice"):
            accept(session, orders.sign_envelope(twice, orders.PAYLOAD_TYPE, body.keys))
    nested = payload.replace(b'"videos":["5"]', b'"videos":["5"],"videos":["6"]')
    with pytest.raises(Invalid, match="videos is given twice"):
        accept(session, orders.sign_envelope(nested, orders.PAYLOAD_TYPE, body.keys))
    envelope = body.order("remove", targets=videos(5))
    with pytest.raises(Invalid, match="signatures is given twice"):
        accept(session, envelope[:-1] + b',"signatures":[]}')


def test_an_order_of_an_authority_that_cannot_be_is_not_found(session):
    body = make_body(session, ("supervise",))
    for whose in (TOO_LARGE, "0" * 30 + "1", f"{body.id}0"):
        named = f"{whose}/x"
        with pytest.raises(Missing, match="no order"):
            accept(session, body.order("lift", targets={"orders": [named]}))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"payload":"!","payloadType":"x","signatures":[]}', b"\xff\xfe"]
)
def test_what_is_no_envelope_is_refused(session, text):
    with pytest.raises(Invalid, match=r"no DSSE envelope|payload type"):
        accept(session, text)


def test_targets_that_are_not_there_are_named(session):
    body = make_body(session)
    with pytest.raises(Invalid, match="video 5"):
        accept(session, body.order("remove", targets=videos(5)), lambda _: ["video 5"])


def test_an_interim_order_needs_a_time_to_lapse_from_itself_or_the_pack(session):
    body, neutral = make_body(session), regions.load_pack("neutral")
    with pytest.raises(Invalid, match="lapses_at"):
        accept(session, body.order("block_service", interim=True), pack=neutral)
    until = utc_text(now() + timedelta(hours=5))
    order = body.order("block_service", interim=True, lapses_at=until)
    taken = accept(session, order, pack=neutral)
    lapses_at = orders.order(session, taken.order_id).lapses_at
    assert lapses_at is not None
    assert utc_text(lapses_at) == until


def test_an_order_is_confidential_only_where_the_law_allows_it(session):
    body = make_body(session)
    order = body.order("block_service", confidential=True)
    never = msgspec.structs.replace(
        PACK.orders_may_be_confidential, value=False, source="a test", read_on="2026-11"
    )
    with pytest.raises(Invalid, match="cannot be confidential"):
        pack = msgspec.structs.replace(PACK, orders_may_be_confidential=never)
        accept(session, order, pack=pack)
    assert accept(session, order).state == "in_force"
    assert orders.orders_in_force(session) == []


def test_only_its_authority_or_a_supervisor_lifts_an_order(session):
    body, other = make_body(session), make_body(session)
    court, video = make_body(session, ("supervise",)), new_id()
    one = body.statement("remove", targets=videos(video))
    accept(session, body.sign(one))
    named = f"{body.id}/{one['reference']}"
    with pytest.raises(Invalid, match="another authority"):
        accept(session, other.order("lift", targets={"orders": [named]}))
    with pytest.raises(Missing, match="no order nothing"):
        accept(session, body.order("lift", targets={"orders": ["nothing"]}))
    accept(session, court.order("lift", targets={"orders": [named]}))
    assert not regions.restrictions_on(session, [video])
    row = session.scalars(select(LegalOrder).where(LegalOrder.reference == one["reference"])).one()
    assert (row.state, row.ending) == ("ended", "lifted")
    with pytest.raises(Conflict, match="not in force"):
        accept(session, body.order("lift", targets={"orders": [one["reference"]]}))


def test_two_orders_on_one_video_are_lifted_one_by_one(session):
    body, video = make_body(session), new_id()
    first = body.statement("remove", targets=videos(video))
    second = body.statement("geo_restrict", targets=videos(video), countries=["DE", "FR"])
    for one in (first, second):
        accept(session, body.sign(one))
    accept(session, body.order("lift", targets={"orders": [first["reference"]]}))
    assert not regions.withheld_by(session, "IN", [video])
    assert regions.withheld_by(session, "DE", [video])
    assert regions.withheld_by(session, None, [video])  # nobody knows where: inside


def test_an_act_about_a_confidential_order_is_logged_as_confidentially(session):
    body, court = make_body(session), make_body(session, ("supervise",))
    secret = body.statement("remove", targets=videos(new_id()), confidential=True)
    open_ = body.statement("remove", targets=videos(new_id()))
    taken = [accept(session, body.sign(one)) for one in (secret, open_)]
    names = [f"{body.id}/{one['reference']}" for one in (secret, open_)]
    lift = accept(session, court.order("lift", targets={"orders": names}))
    told = {entry.body.get("order_id"): entry for entry in session.scalars(select(AuditEntry))}
    assert not {str(taken[0].order_id), str(lift.order_id)} & told.keys()
    ended = told[str(taken[1].order_id)]
    assert (ended.kind, "ended_by" in ended.body) == ("regions.order_ended", False)
    everything = str([entry.body for entry in session.scalars(select(AuditEntry))])
    assert str(lift.order_id) not in everything
    assert orders.order(session, lift.order_id).is_confidential


def test_a_court_stays_the_transfer_and_its_own_lift_ends_the_stay(session):
    court, ministry = make_body(session, ("supervise",)), make_body(session)
    with pytest.raises(Invalid, match="does not have the power supervise"):
        accept(session, ministry.order("stay_transfer"))
    with pytest.raises(Invalid, match="cannot be secret"):
        accept(session, court.order("stay_transfer", confidential=True))
    stay = court.statement("stay_transfer")
    assert accept(session, court.sign(stay)).state == "in_force"
    (one,) = orders.stays_in_force(session)
    assert (one.authority_id, one.reference) == (court.id, stay["reference"])
    assert regions.restrictions_on(session, [regions.SERVICE]) == []
    accept(session, court.order("lift", targets={"orders": [stay["reference"]]}))
    assert orders.stays_in_force(session) == []
