"""What a report counts, and that it follows from the entries alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.transparency.factory import authority, entry, grievance, order, resolved

from reelm import audit
from reelm.foundation.errors import Invalid, Missing
from reelm.proofs.leaf import Leaf
from reelm.regions.orders.statement import ABOUT_ORDERS
from reelm.transparency import (
    SECTIONS,
    FromLog,
    Ledger,
    csv_text,
    orders,
    publish_report,
    read_period,
    transparency_report,
)
from reelm.transparency.ledger import TAKERS

NOVEMBER, DECEMBER = read_period("2026-11"), read_period("2026-12")
# Whatever comes after a month finishes it.
AFTER = entry("accounts.reset", "2026-12-01T00:00:00", account_id="7")


def section(name, *entries: Leaf, period=NOVEMBER):
    return transparency_report(entries, period).sections[name]


def test_orders_are_counted_by_kind_authority_basis_and_country():
    found = section(
        "orders",
        authority(),
        order("1", "2026-11-02T10:00:00", countries=["IN", "LK"]),
        order("2", "2026-11-03T10:00:00", order_kind="block_service", interim=True),
        order("3", "2026-10-31T23:59:59"),
        order("4", "2026-12-01T00:00:00"),
    )
    assert found.figures["begun"] == 2
    assert found.by["kind"] == {"block_service": 1, "remove": 1}
    assert found.by["authority"] == {"Demo Ministry": 2}
    assert found.by["basis"] == {"Demo Act, section 1": 2}
    assert found.by["country"] == {"IN": 1, "LK": 1, "everywhere": 1}
    assert found.by["standing"] == {"final": 1, "interim": 1}


def test_times_have_medians_and_the_share_within_the_deadline():
    found = section(
        "orders",
        order(
            "1", "2026-11-02T10:00:00",
            complied_at="2026-11-02T10:00:01Z", due_at="2026-11-02T13:00:00Z",
        ),
        order(
            "2", "2026-11-02T10:00:00",
            complied_at="2026-11-02T14:00:00Z", due_at="2026-11-02T13:00:00Z",
        ),
        order("3", "2026-11-02T10:00:00", complied_at="2026-11-02T10:00:03.5Z"),
        order("4", "2026-11-02T10:00:00", order_kind="disclose"),
    )  # fmt: skip
    times = found.times["done"]["all"]
    assert (times.count, times.median_s, times.longest_s) == (3, 3.5, 14400)
    assert (times.in_time, times.late, times.no_deadline) == (1, 1, 1)
    assert times.in_time_share == 0.5
    assert found.figures["open_at_end"] == 1
    assert set(found.times["done"]) == {"all", "remove"}


def test_what_is_done_in_a_later_month_counts_there():
    disclosed = order(
        "1", "2026-11-30T10:00:00", order_kind="disclose", due_at="2026-11-30T12:00:00Z"
    )
    done = entry(
        "regions.order_complied",
        "2026-12-02T10:00:00",
        order_id="1",
        complied_at="2026-12-02T10:00:00Z",
    )
    entries = [authority(), disclosed, done]
    first, second = (section("orders", *entries, period=one) for one in (NOVEMBER, DECEMBER))
    assert (first.figures["complied"], second.figures["complied"]) == (0, 1)
    assert (first.figures["open_at_end"], first.figures["overdue_at_end"]) == (1, 1)
    assert (second.figures["open_at_end"], second.figures["overdue_at_end"]) == (0, 0)
    assert second.times["done"]["disclose"].late == 1
    both = section("orders", *entries, period=read_period("2026-11--2026-12"))
    assert (both.figures["begun"], both.figures["complied"]) == (1, 1)


def test_while_a_month_runs_it_is_reported_as_the_log_stands():
    """What is due later in the month is not late yet; once the month is over, it is."""
    waits = order("1", "2026-11-02T10:00:00", order_kind="disclose", due_at="2026-11-20T10:00:00Z")
    open_now = section("orders", authority(), waits).figures
    assert (open_now["open_at_end"], open_now["overdue_at_end"]) == (1, 0)
    later = entry("accounts.reset", "2026-11-20T10:00:01", account_id="7")
    assert section("orders", authority(), waits, later).figures["overdue_at_end"] == 1
    assert section("orders", authority(), waits, AFTER).figures["overdue_at_end"] == 1


def test_a_report_is_finished_once_the_log_has_gone_past_its_period():
    log = FromLog("reelm/region/x", 2, "00", None)
    running = transparency_book([order("1", "2026-11-30T23:59:59")])
    assert not publish_report(running, NOVEMBER, log).is_finished
    running.take(AFTER)
    assert publish_report(running, NOVEMBER, log).is_finished
    assert not publish_report(running, read_period("2026-11--2026-12"), log).is_finished
    for name in ("2026-10", "2027-01"):
        with pytest.raises(Missing, match="goes from 2026-11 to 2026-12"):
            publish_report(running, read_period(name), log)
    with pytest.raises(Missing, match="empty"):
        publish_report(Ledger(), NOVEMBER, log)


def test_an_order_that_ended_is_in_force_no_more():
    ended = entry("regions.order_ended", "2026-11-09T10:00:00", order_id="1", ending="lapsed")
    found = section(
        "orders",
        order("1", "2026-11-02T10:00:00"),
        order("2", "2026-11-02T10:00:00"),
        order("3", "2026-11-02T10:00:00", order_kind="lift"),
        ended,
    )
    assert found.figures["in_force_at_end"] == 1
    assert found.by["outcome"] == {"lapsed": 1}


def test_orders_about_orders_are_those_of_the_form():
    assert orders.ABOUT_ORDERS == ABOUT_ORDERS


def test_grievances_are_timed_and_an_answer_acknowledges():
    acknowledged = entry(
        "moderation.grievance_acknowledged",
        "2026-11-02T11:00:00",
        grievance_id="1",
        officer_id="9",
        in_time="yes",
    )
    due = {"acknowledge_due_at": "2026-11-03T10:00:00Z", "resolve_due_at": "2026-11-09T10:00:00Z"}
    found = section(
        "grievances",
        grievance("1", "2026-11-02T10:00:00", **due),
        grievance("2", "2026-11-02T10:00:00", reason="hate", **due),
        grievance("3", "2026-11-02T10:00:00", **due),
        acknowledged,
        resolved("1", "2026-11-08T10:00:00", "yes"),
        resolved("2", "2026-11-10T10:00:00", "no"),
    )
    assert found.figures == {
        "received": 3, "acknowledged": 2, "resolved": 2, "open_at_end": 1, "overdue_at_end": 1,
    }  # fmt: skip
    assert found.by["reason"] == {"spam": 2, "hate": 1}
    told = found.times["acknowledged"]["all"]
    assert (told.count, told.in_time, told.late) == (2, 1, 1)
    assert found.times["done"]["all"].in_time_share == 0.5


def test_confidential_entries_are_counted_as_such_and_stay_so_when_opened():
    sealed = entry("confidential", "2026-11-02T10:00:00", commitment="00" * 32)
    opened = entry(
        "audit.opened",
        "2026-12-02T10:00:00",
        entry_id=sealed.id,
        salt="00" * 32,
        opened='{"body":{},"kind":"regions.order_in_force"}',
    )
    before = transparency_report([sealed], NOVEMBER)
    assert before.sections["confidential"].figures == {"recorded": 1, "opened": 0}
    assert transparency_report([sealed, opened], NOVEMBER) == before
    later = section("confidential", sealed, opened, period=DECEMBER)
    assert later.by["kind"] == {"regions.order_in_force": 1}


def test_the_report_of_an_empty_month_has_every_section():
    report = transparency_report([], NOVEMBER)
    assert report.sections.keys() == SECTIONS.keys()
    for name, words in SECTIONS.items():
        found = report.sections[name]
        assert (found.figures.keys(), found.by.keys(), found.times.keys()) == (
            words.figures.keys(), words.by.keys(), words.times.keys(),
        )  # fmt: skip
        assert not any(found.figures.values())


def test_every_kind_that_is_taken_in_is_one_of_the_log():
    assert TAKERS.keys() - audit.KINDS.keys() == set()


def test_whatever_is_counted_has_a_name_in_the_report():
    """Each taker is given each entry: nothing that it counts is left out of the report."""
    for kind in TAKERS:
        fields = {
            name: "2026-11-02T10:00:00Z" for name in audit.KINDS[kind].fields if "_at" in name
        }
        months = transparency_book([entry(kind, "2026-11-02T10:00:00", **fields)]).months
        tally = months["2026-11"]
        for of, figure in tally.figures:
            assert figure in SECTIONS[of].figures, (kind, figure)
        for of, dimension, _ in tally.by:
            assert dimension in SECTIONS[of].by, (kind, dimension)
        for of, measure, _ in tally.times:
            assert measure in SECTIONS[of].times, (kind, measure)


def transparency_book(entries):
    ledger = Ledger()
    for leaf in entries:
        ledger.take(leaf)
    return ledger


def test_a_time_that_is_none_is_refused_with_its_entry():
    wrong = order("1", "2026-11-02T10:00:00", received_at="yesterday")
    with pytest.raises(Invalid, match=f"Entry {wrong.id} .* holds no time in received_at"):
        transparency_report([wrong], NOVEMBER)


@pytest.mark.parametrize("name", ["2026-13", "2026", "2026-11--2026-10", "2026-01--2027-01", "x"])
def test_what_is_no_period_is_refused_with_an_example(name):
    with pytest.raises(Invalid, match=r"2026-11|one to 12"):
        read_period(name)


def test_a_cell_of_the_sheet_is_no_formula():
    report = transparency_report([order("1", "2026-11-02T10:00:00", basis="=1+1")], NOVEMBER)
    lines = csv_text(report).splitlines()
    assert lines[0] == "period,section,measure,dimension,value,number"
    assert "2026-11,orders,count,basis,'=1+1,1" in lines
    assert "2026-11,orders,begun,,,1" in lines


DAYS = st.integers(1, 28)
MONTHS = st.integers(10, 12)


@st.composite
def logs(draw):
    """A log of orders and grievances, each done at some time or not at all."""
    entries = [authority()]
    for number in range(draw(st.integers(0, 12))):
        when = f"2026-{draw(MONTHS)}-{draw(DAYS):02}T10:00:00"
        later = f"2026-12-{draw(DAYS):02}T11:00:00"
        due = f"{draw(st.sampled_from(['2026-10', '2026-11', '2026-12']))}-{draw(DAYS):02}"
        due_at = f"{due}T09:00:00Z"
        entries.append(order(str(number), when, order_kind="disclose", due_at=due_at))
        entries.append(grievance(str(number), when, resolve_due_at=due_at))
        if draw(st.booleans()):
            entries.append(resolved(str(number), later))
    return entries


@given(logs())
def test_a_finished_month_never_changes(entries):
    """What the log tells later of, leaves a month as it was reported when it had ended."""
    ended = [*(leaf for leaf in entries if leaf.at < "2026-12"), AFTER]
    assert transparency_report([*entries, AFTER], NOVEMBER) == transparency_report(ended, NOVEMBER)


@given(logs())
def test_months_add_up_to_the_whole(entries):
    whole = transparency_report(entries, read_period("2026-10--2026-12"))
    months = [transparency_report(entries, read_period(f"2026-{month}")) for month in (10, 11, 12)]
    for name in ("orders", "grievances"):
        for figure in ("begun", "complied", "received", "resolved"):
            parts = [month.sections[name].figures.get(figure, 0) for month in months]
            assert whole.sections[name].figures.get(figure, 0) == sum(parts)
    last = months[-1].sections["grievances"].figures["open_at_end"]
    assert whole.sections["grievances"].figures["open_at_end"] == last
    assert whole.digest != months[-1].digest
