"""Deadlines hold under restarts, pauses and clocks that are set."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from tests.regions.factory import make_body, people, videos

from reelm import regions
from reelm.audit.models import AuditEntry
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict
from reelm.foundation.ids import new_id
from reelm.regions import orders
from reelm.regions.clock_watch import Clocks, mark_clocks, time_bounds
from reelm.regions.models import LegalOrder
from reelm.regions.tasks import LAPSE_ORDERS

PACK = regions.load_pack("IN")
HOUR = timedelta(hours=1)


class Machine:
    """Clocks that go, are set, stand still while paused, and begin anew at a restart."""

    def __init__(self) -> None:
        self.shown, self.boot, self.boot_ms = now(), 1, 1_000_000

    def read(self) -> Clocks:
        return Clocks(self.shown, f"boot-{self.boot}", self.boot_ms)

    def passes(self, time: timedelta) -> None:
        self.shown += time
        self.boot_ms += int(time.total_seconds() * 1000)

    def is_set(self, by: timedelta) -> None:
        self.shown += by

    def is_paused(self, time: timedelta) -> None:
        self.shown += time

    def restarts(self, off: timedelta = timedelta()) -> None:
        self.shown += off
        self.boot, self.boot_ms = self.boot + 1, 0


@pytest.fixture
def machine(session):
    machine = Machine()
    mark_clocks(session, machine.read())
    return machine


@pytest.fixture
def interim(session):
    """An interim order that lapses after five hours, and the video that it withholds."""
    body, video = make_body(session), new_id()
    statement = body.statement(
        "remove",
        targets=videos(video),
        interim=True,
        lapses_at=(now() + 5 * HOUR).isoformat(),
    )
    orders.accept_signed(session, PACK, body.sign(statement), lambda _: [])
    return body, statement["reference"], video


def lapse(session, machine):
    return bool(orders.lapse_orders(session, machine.read()))


def test_an_interim_order_that_nobody_confirms_lapses_and_is_undone(session, machine, interim):
    _, _, video = interim
    machine.passes(4.9 * HOUR)
    assert not lapse(session, machine)
    machine.passes(0.2 * HOUR)
    assert lapse(session, machine)
    assert not regions.restrictions_on(session, [video])
    (order,) = orders.orders(session, state="ended")
    assert order.ending == "lapsed"
    assert not lapse(session, machine)


def test_one_that_is_confirmed_stays(session, machine, interim):
    body, reference, video = interim
    order = body.order("confirm", targets={"orders": [reference]})
    orders.accept_signed(session, PACK, order, lambda _: [])
    machine.passes(100 * HOUR)
    assert not lapse(session, machine)
    assert regions.restrictions_on(session, [video])


def test_a_clock_that_is_set_forward_lapses_nothing(session, machine, interim):
    machine.is_set(24 * HOUR)
    assert not lapse(session, machine)
    machine.is_set(-24 * HOUR)
    machine.passes(5.1 * HOUR)
    assert lapse(session, machine)


def test_a_clock_that_is_set_back_puts_nothing_off_that_is_owed(session, machine):
    before = time_bounds(session, machine.read()).latest
    machine.is_set(-24 * HOUR)
    machine.passes(2 * HOUR)
    bounds = mark_clocks(session, machine.read())
    assert bounds.latest == before + 2 * HOUR
    kinds = session.scalars(select(AuditEntry.kind)).all()
    assert kinds.count("regions.clocks_differ") == 1
    machine.passes(HOUR)
    mark_clocks(session, machine.read())
    kinds = session.scalars(select(AuditEntry.kind)).all()
    assert kinds.count("regions.clocks_differ") == 1  # once, and not at every look


def test_time_goes_on_while_the_machine_is_paused(session, machine):
    before = machine.shown
    machine.is_paused(7 * HOUR)
    assert mark_clocks(session, machine.read()).latest == before + 7 * HOUR


def test_time_goes_on_while_the_machine_is_off(session, machine, interim):
    machine.passes(HOUR)
    mark_clocks(session, machine.read())
    machine.restarts(off=4.5 * HOUR)
    assert lapse(session, machine)


def test_a_machine_that_starts_in_the_past_does_not_go_back(session, machine, interim):
    machine.passes(HOUR)
    known = mark_clocks(session, machine.read()).latest
    machine.restarts(off=-1000 * HOUR)
    assert time_bounds(session, machine.read()).latest == known
    mark_clocks(session, machine.read())
    machine.passes(4.5 * HOUR)
    assert mark_clocks(session, machine.read()).latest == known + 4.5 * HOUR


def test_small_corrections_are_taken_over_and_do_not_add_up(session, machine):
    for _ in range(100):
        machine.passes(HOUR)
        machine.is_set(timedelta(seconds=5))
        assert mark_clocks(session, machine.read()).agree


def test_due_is_the_earlier_of_the_order_and_the_law(session):
    body = make_body(session)
    for by_order, hours in ((1, 1), (50, 3), (None, 3)):
        fields = {} if by_order is None else {"complies_by": (now() + by_order * HOUR).isoformat()}
        envelope = body.order("remove", targets=videos(new_id()), **fields)
        taken = orders.accept_signed(session, PACK, envelope, lambda _: [])
        expected = taken.received_at + hours * HOUR
        assert taken.due_at is not None
        assert abs(taken.due_at - expected) < timedelta(minutes=1)


def test_intimate_imagery_is_due_sooner(session):
    body = make_body(session)
    envelope = body.order("remove", targets=videos(new_id()), category="intimate_imagery")
    taken = orders.accept_signed(session, PACK, envelope, lambda _: [])
    assert taken.due_at == taken.received_at + 2 * HOUR


def test_what_has_lapsed_is_not_taken(session):
    body, past = make_body(session), (now() - timedelta(seconds=1)).isoformat()
    for kind, fields in (
        ("remove", {"targets": videos(7), "interim": True}),
        ("preserve", {"targets": people(8)}),
    ):
        with pytest.raises(Conflict, match="lapsed at"):
            orders.accept_signed(
                session, PACK, body.order(kind, lapses_at=past, **fields), lambda _: []
            )
    assert not regions.restrictions_on(session, [7])


def test_what_has_lapsed_is_not_confirmed_even_before_anybody_looked(session, interim):
    body, reference, video = interim
    session.execute(update(LegalOrder).values(lapses_at=now() - timedelta(seconds=1)))
    order = body.order("confirm", targets={"orders": [reference]})
    with pytest.raises(Conflict, match=f"{reference} lapsed at"):
        orders.accept_signed(session, PACK, order, lambda _: [])
    orders.accept_signed(
        session, PACK, body.order("lift", targets={"orders": [reference]}), lambda _: []
    )
    assert not regions.restrictions_on(session, [video])


def test_an_interim_order_is_looked_at_when_its_time_comes(session, interim):
    defer_times = text("SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = :task")
    (at,) = session.scalars(defer_times, {"task": LAPSE_ORDERS.name})
    (order,) = orders.orders(session)
    assert timedelta() < at - order.lapses_at < timedelta(seconds=5)
