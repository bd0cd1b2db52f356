"""Whatever comes, overlaps, is lifted or lapses: what is withheld is what a plain list says."""

from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select
from tests.regions.factory import make_body, people, videos

from reelm import regions
from reelm.foundation.clock import now
from reelm.foundation.ids import new_id
from reelm.regions import orders
from reelm.regions.clock_watch import Clocks
from reelm.regions.models import ClockMark, LegalOrder, Restriction

PACK = regions.load_pack("neutral")
COUNTRIES = ("IN", "DE", "FR")
PLACES = st.sets(st.sampled_from(COUNTRIES), min_size=1).map(sorted) | st.none()


class Orders(RuleBasedStateMachine):
    """The region beside a list of what is in force."""

    parts: Any

    @initialize()
    def begin(self):
        self.in_force = {}  # reference -> (subjects, countries, is_interim)
        self.decisions = {}  # id -> (subject, countries)
        self.videos = [new_id() for _ in range(3)]
        self.accounts = [new_id() for _ in range(2)]
        with self.parts.transaction() as session:
            self.body = make_body(session)

    def submit(self, kind, **fields):
        statement = self.body.statement(kind, **fields)
        with self.parts.transaction() as session:
            orders.accept_signed(session, PACK, self.body.sign(statement), lambda _: [])
        return statement["reference"]

    @rule(data=st.data(), countries=PLACES, interim=st.booleans())
    def removes(self, data, countries, interim):
        chosen = data.draw(st.sets(st.sampled_from(self.videos), min_size=1))
        fields = {"lapses_at": (now() + timedelta(days=1)).isoformat()} if interim else {}
        reference = self.submit(
            "remove", targets=videos(*chosen), countries=countries, interim=interim, **fields
        )
        self.in_force[reference] = (chosen, countries, interim)

    @rule(data=st.data(), countries=PLACES)
    def suspends(self, data, countries):
        chosen = data.draw(st.sampled_from(self.accounts))
        reference = self.submit("suspend_account", targets=people(chosen), countries=countries)
        self.in_force[reference] = ({chosen}, countries, False)

    @rule(countries=PLACES)
    def blocks(self, countries):
        reference = self.submit("block_service", countries=countries)
        self.in_force[reference] = ({regions.SERVICE}, countries, False)

    @rule(data=st.data(), countries=PLACES)
    def decides(self, data, countries):
        subject, decision = data.draw(st.sampled_from(self.videos)), new_id()
        with self.parts.transaction() as session:
            regions.restrict(
                session,
                source="decision",
                source_id=decision,
                subject_id=subject,
                countries=countries,
            )
        self.decisions[decision] = (subject, countries)

    @precondition(lambda self: self.decisions)
    @rule(data=st.data())
    def reverses(self, data):
        decision = data.draw(st.sampled_from(sorted(self.decisions)))
        with self.parts.transaction() as session:
            regions.unrestrict(session, decision)
        del self.decisions[decision]

    @precondition(lambda self: self.in_force)
    @rule(data=st.data())
    def lifts(self, data):
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.in_force)), min_size=1))
        self.submit("lift", targets={"orders": sorted(chosen)})
        for reference in chosen:
            del self.in_force[reference]

    @precondition(lambda self: any(interim for *_, interim in self.in_force.values()))
    @rule(data=st.data())
    def confirms(self, data):
        interim = sorted(name for name, one in self.in_force.items() if one[2])
        reference = data.draw(st.sampled_from(interim))
        self.submit("confirm", targets={"orders": [reference]})
        self.in_force[reference] = (*self.in_force[reference][:2], False)

    @rule()
    def two_days_pass(self):
        with self.parts.transaction() as session:
            # As after a restart: the date alone tells how long the machine was off.
            clocks = Clocks(now() + timedelta(days=2), f"boot-{new_id()}", 0)
            orders.lapse_orders(session, clocks)
            session.execute(delete(ClockMark))
        self.in_force = {name: one for name, one in self.in_force.items() if not one[2]}

    @rule()
    def restarts(self):
        self.parts.database.engine.dispose()

    @invariant()
    def what_is_withheld_is_what_the_list_says(self):
        if not hasattr(self, "videos"):
            return
        rows = [(subjects, places) for subjects, places, _ in self.in_force.values()]
        rows += [({subject}, places) for subject, places in self.decisions.values()]
        asked = [
            (subject, country)
            for subject in (*self.videos, *self.accounts, regions.SERVICE)
            for country in (*COUNTRIES, "US", None)
        ]
        expected = [
            any(
                subject in subjects and (not places or country is None or country in places)
                for subjects, places in rows
            )
            for subject, country in asked
        ]
        with self.parts.transaction() as session:
            conditions = [regions.withheld(country, subject) for subject, country in asked]
            assert list(session.execute(select(*conditions)).one()) == expected
            told = regions.restrictions_on(session, [subject for subject, _ in asked])
            assert len(told) == sum(len(subjects) for subjects, _ in rows)

    def teardown(self):
        with self.parts.transaction() as session:
            for table in (Restriction, LegalOrder, ClockMark):
                session.execute(delete(table))


def test_what_is_withheld_is_what_a_plain_list_says(parts):
    class Bound(Orders):
        pass

    Bound.parts = parts
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=15,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
