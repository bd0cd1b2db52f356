"""Orders on paper: entered by one, checked by another."""

from datetime import timedelta

import msgspec
import pytest
from tests.regions.factory import make_body, videos

from reelm import regions
from reelm.foundation.clock import now, utc_text
from reelm.foundation.errors import Conflict, Forbidden, Invalid
from reelm.foundation.ids import new_id
from reelm.regions import orders
from reelm.regions.models import LegalOrder

PACK = regions.load_pack("IN")
DIGEST = "ab" * 32
ENTERED_BY, CHECKED_BY = 11, 12


def nothing_unknown(targets):
    return []


def enter(session, statement, digest=DIGEST, received_at=None):
    return orders.enter_on_paper(
        session,
        PACK,
        msgspec.convert(statement, orders.OrderStatement, strict=False),
        nothing_unknown,
        document_digest=digest,
        received_at=received_at or now(),
        entered_by=ENTERED_BY,
    )


def check(session, order_id, by=CHECKED_BY, *, agrees=True):
    return orders.check_paper(session, order_id, nothing_unknown, checked_by=by, agrees=agrees)


def test_what_one_officer_entered_holds_once_another_has_checked_it(session):
    body, video = make_body(session), new_id()
    entered = enter(session, body.statement("remove", targets=videos(video)))
    assert entered.state == "entered"
    assert entered.due_at is not None  # its time runs while nobody has checked it
    assert not regions.restrictions_on(session, [video])
    with pytest.raises(Forbidden, match="Somebody else"):
        check(session, entered.order_id, ENTERED_BY)
    assert check(session, entered.order_id).state == "in_force"
    assert regions.restrictions_on(session, [video])
    with pytest.raises(Conflict, match="already"):
        check(session, entered.order_id)


def test_what_waits_and_is_late_is_counted(session):
    body = make_body(session)
    early = now() - timedelta(hours=2)
    statement = body.statement("remove", targets=videos(new_id()))
    statement["issued_at"] = utc_text(early - timedelta(hours=2))
    enter(session, statement, received_at=early - timedelta(hours=1, minutes=30))
    later = enter(session, body.statement("remove", targets=videos(new_id())), "cd" * 32)
    waiting = orders.waiting_orders(session)
    assert (waiting.entered, waiting.entered_overdue) == (2, 1)
    assert [one.is_overdue for one in orders.orders_due(session)] == [True, False]
    check(session, later.order_id)
    assert orders.waiting_orders(session).entered == 1
    secret = body.statement("remove", targets=videos(new_id()), confidential=True)
    enter(session, secret, "ef" * 32)
    assert orders.waiting_orders(session).entered == 1
    assert len(orders.orders_due(session)) == 2


def test_what_the_paper_does_not_say_is_refused_and_may_be_entered_anew(session):
    body = make_body(session)
    statement = body.statement("remove", targets=videos(new_id()))
    first = enter(session, statement)
    assert check(session, first.order_id, agrees=False).state == "refused"
    again = enter(session, statement | {"targets": videos(new_id())}, "cd" * 32)
    assert again.order_id != first.order_id
    assert check(session, again.order_id).state == "in_force"


def test_an_order_that_was_complied_with_late_or_ended_is_late_no_further(session):
    body = make_body(session)
    long_ago = now() - timedelta(hours=200)
    statement = body.statement("remove", targets=videos(new_id()))
    statement["issued_at"] = utc_text(long_ago)
    late = enter(session, statement, received_at=long_ago + timedelta(hours=1))
    assert orders.order(session, late.order_id).is_overdue
    check(session, late.order_id)
    listed = orders.order(session, late.order_id)
    assert (listed.is_overdue, listed.complied_at is None) == (True, False)
    disclose = body.statement("disclose", targets={"accounts": ["8"]})
    soon = enter(
        session, disclose | {"complies_by": utc_text(now() + timedelta(hours=1))}, "cd" * 32
    )
    check(session, soon.order_id)
    lift = body.statement("lift", targets={"orders": [disclose["reference"]]})
    check(session, enter(session, lift, "ef" * 32).order_id)
    row = session.get_one(LegalOrder, soon.order_id)
    row.due_at, row.ended_at = now() - timedelta(hours=1), now() - timedelta(hours=2)
    session.flush()
    assert not orders.order(session, soon.order_id).is_overdue


@pytest.mark.parametrize("digest", ["", "AB" * 32, "ab" * 31, "xy" * 32])
def test_the_document_has_a_digest(session, digest):
    body = make_body(session)
    with pytest.raises(Invalid, match="64 hex digits"):
        enter(session, body.statement("block_service"), digest)


def test_a_document_did_not_come_before_it_was_issued_or_tomorrow(session):
    body = make_body(session)
    statement = body.statement("block_service")
    for received_at in ("2001-01-01T00:00:00Z", "2199-01-01T00:00:00Z"):
        when = msgspec.convert(received_at, type(now()))
        with pytest.raises(Invalid, match="came after it was issued"):
            enter(session, statement, received_at=when)
