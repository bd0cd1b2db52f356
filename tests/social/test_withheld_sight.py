"""Orders, decisions, erasures and lifts in any order: each sees what a plain model says."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, update
from tests.regions.factory import make_body, people, videos
from tests.social.factory import make_account, make_video

from reelm import moderation, regions, social
from reelm.accounts.models import Account
from reelm.foundation.ids import new_id
from reelm.videos.models import Video

PEOPLE, VIDEOS = 3, 5
COUNTRIES = ("IN", "DE")
PLACES = st.sets(st.sampled_from(COUNTRIES), min_size=1).map(sorted) | st.none()


class Sight(RuleBasedStateMachine):
    """Each example is one transaction that is rolled back."""

    parts: Any

    def __init__(self) -> None:
        super().__init__()
        self.open = self.parts.transaction()
        self.session = self.open.__enter__()
        self.people = [make_account(self.session) for _ in range(PEOPLE)]
        self.creator = [n % PEOPLE for n in range(VIDEOS)]
        self.videos = [make_video(self.session, self.people[c]) for c in self.creator]
        self.body = make_body(self.session)
        self.erased: set[int] = set()
        # What withholds: name -> (videos, people, countries)
        self.orders: dict[str, tuple[set[int], set[int], list[str] | None]] = {}
        self.decisions: dict[int, tuple[set[int], set[int], list[str] | None]] = {}

    def teardown(self) -> None:
        self.session.rollback()
        self.open.__exit__(None, None, None)

    def submit(self, kind: str, **fields: Any) -> str:
        statement = self.body.statement(kind, **fields)
        moderation.submit_order(self.session, self.parts, self.body.sign(statement))
        return str(statement["reference"])

    @rule(which=st.sets(st.integers(0, VIDEOS - 1), min_size=1), countries=PLACES)
    def remove(self, which, countries):
        which = {v for v in which if self.creator[v] not in self.erased}
        if which:
            named = videos(*(self.videos[v] for v in which))
            reference = self.submit("remove", targets=named, countries=countries)
            self.orders[reference] = (which, set(), countries)

    @rule(who=st.integers(0, PEOPLE - 1), countries=PLACES)
    def suspend(self, who, countries):
        named = people(self.people[who])
        reference = self.submit("suspend_account", targets=named, countries=countries)
        self.orders[reference] = (set(), {who}, countries)

    @rule(which=st.integers(0, VIDEOS - 1), countries=PLACES)
    def decide(self, which, countries):
        decision = new_id()
        regions.restrict(
            self.session,
            source="decision",
            source_id=decision,
            subject_id=self.videos[which],
            countries=countries,
        )
        self.decisions[decision] = ({which}, set(), countries)

    @precondition(lambda self: self.decisions)
    @rule(data=st.data())
    def reverse(self, data):
        decision = data.draw(st.sampled_from(sorted(self.decisions)))
        regions.unrestrict(self.session, decision)
        del self.decisions[decision]

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def lift(self, data):
        reference = data.draw(st.sampled_from(sorted(self.orders)))
        self.submit("lift", targets={"orders": [reference]})
        del self.orders[reference]

    @precondition(lambda self: len(self.erased) < PEOPLE - 1)
    @rule(who=st.integers(0, PEOPLE - 1))
    def erase(self, who):
        account_id = self.people[who]
        blank = update(Account).where(Account.id == account_id).values(state="erasing")
        self.session.execute(blank)
        self.session.execute(delete(Video).where(Video.account_id == account_id))
        self.erased.add(who)

    def sees(self, which: int, country: str | None) -> bool:
        creator = self.creator[which]
        if creator in self.erased:
            return False
        return not any(
            (which in some or creator in whose)
            and (places is None or country is None or country in places)
            for some, whose, places in (*self.orders.values(), *self.decisions.values())
        )

    @invariant()
    def each_sees_what_the_model_says(self):
        for country in (*COUNTRIES, "US", None):
            expected = {self.videos[v] for v in range(VIDEOS) if self.sees(v, country)}
            for viewer in (None, self.people[0]):
                for rule_ in (social.visible_to, social.watchable_by):
                    query = rule_(viewer, Video.id, country=country)
                    assert set(self.session.scalars(query)) == expected
            asked = [social.Asked(None, self.videos, country)]
            (glances,) = social.glances(self.session, asked)
            assert {glance.kept.id for glance in glances} == expected

    @invariant()
    def what_is_in_memory_knows_what_is_withheld_everywhere(self):
        rows = self.session.execute(social.with_audience(Video.id))
        shown = {row.id for row in rows if row.shown_to}
        assert shown == {self.videos[v] for v in range(VIDEOS) if self.sees(v, "*")}


def test_whatever_withholds_and_lifts_each_sees_what_the_model_says(parts):
    class Bound(Sight):
        pass

    Bound.parts = parts
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=6,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
