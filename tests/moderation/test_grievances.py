"""Grievances come in, are due, are answered; nobody reads them unlogged."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from tests.accounts.factory import signed_up
from tests.moderation.factory import reader, sent, with_deadlines

from reelm import accounts, moderation, regions
from reelm.audit.models import AuditEntry
from reelm.foundation.errors import Conflict, Forbidden, Invalid, Missing, RateLimited, Unavailable
from reelm.moderation import reading
from reelm.moderation.models import Grievance
from reelm.regions.clock_watch import Bounds


def _open(session, parts, number, **changed):
    return moderation.open_grievance(session, parts, number, reader=reader(**changed))


def _listed(session, **changed):
    page = moderation.list_grievances(session, role="officer", **changed)
    return [one.id for one in page.grievances]


def _resolve(session, parts, number, role="officer", outcome="acted", answer="We took it down."):
    return moderation.resolve(
        session, parts, number, officer_id=5, role=role, outcome=outcome, answer=answer
    )


def _acknowledge(session, parts, number, role="officer"):
    return moderation.acknowledge(session, parts, number, officer_id=5, role=role)


def _at(monkeypatch, moment):
    monkeypatch.setattr(regions, "time_bounds", lambda session: Bounds(moment, moment))


def _entries(session, kind):
    session.flush()
    query = select(AuditEntry.body).where(AuditEntry.kind == kind).order_by(AuditEntry.id)
    return session.scalars(query).all()


def test_a_grievance_without_an_account_reaches_staff(session, parts):
    receipt = sent(session, parts, detail="At 0:12.\nLook.", contact="+91 00000 00000")
    opened = _open(session, parts, receipt.number)
    assert (opened.reporter_id, opened.target_exists) == (None, False)
    assert (opened.detail, opened.contact) == ("At 0:12.\nLook.", "+91 00000 00000")


def test_staff_see_whether_the_target_is_there(session, parts):
    account_id = signed_up(session, parts).account_id
    there, gone = (
        sent(session, parts, account_id, target_kind="account", target_id=account_id + n).number
        for n in (0, 1)
    )
    assert _open(session, parts, there).target_exists
    assert not _open(session, parts, gone).target_exists


def test_the_text_is_sealed_in_its_own_row(session, parts):
    one, two = (sent(session, parts, detail=f"secret {n}").number for n in range(2))
    rows = {row.id: row for row in session.scalars(select(Grievance))}
    assert b"secret" not in rows[one].detail + rows[two].detail
    swapped = rows[two].detail
    session.execute(update(Grievance).where(Grievance.id == one).values(detail=swapped))
    session.expire_all()
    with pytest.raises(Unavailable):
        _open(session, parts, one)


def test_each_opening_is_logged_with_purpose_and_country_and_the_list_holds_no_words(
    session, parts
):
    receipt = sent(session, parts, detail="secret words", contact="secret contact")
    page = moderation.list_grievances(session, role="moderator")
    assert "secret" not in repr(page)
    assert _entries(session, "staff.read") == []
    _open(session, parts, receipt.number, role="moderator")
    _open(session, parts, receipt.number, country=None)
    first, second = _entries(session, "staff.read")
    assert first == {
        "reader_id": "5",
        "role": "moderator",
        "purpose": "handling grievances",
        "purpose_id": "77",
        "what": "grievance",
        "subject_ids": [str(receipt.number)],
        "country": "IN",
    }
    assert "country" not in second


@pytest.mark.parametrize("role", [None, "analyst", "authority", "somebody"])
def test_other_roles_read_and_answer_nothing(session, parts, role):
    number = sent(session, parts).number
    for attempt in (
        lambda: moderation.list_grievances(session, role=role),
        lambda: _open(session, parts, number, role=role or ""),
        lambda: _acknowledge(session, parts, number, role=role),
        lambda: _resolve(session, parts, number, role=role),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_deadlines_are_the_policy_packs_and_stay_as_they_were(session, parts, monkeypatch):
    with_deadlines(monkeypatch)
    receipt = sent(session, parts, reason="spam")
    assert receipt.acknowledge_due_at == receipt.received_at + timedelta(hours=24)
    assert receipt.resolve_due_at == receipt.received_at + timedelta(days=7)
    with_deadlines(monkeypatch, acknowledge_h=1, resolve_days=1)
    opened = _open(session, parts, receipt.number)
    assert opened.acknowledge_due_at == receipt.acknowledge_due_at
    assert opened.resolve_due_at == receipt.resolve_due_at


def test_urgent_kinds_are_due_sooner_where_the_pack_says_so(session, parts, monkeypatch):
    with_deadlines(monkeypatch, urgent_h=36)
    urgent = sent(session, parts, reason="nudity")
    assert urgent.resolve_due_at == urgent.received_at + timedelta(hours=36)
    usual = sent(session, parts, reason="spam")
    assert usual.resolve_due_at == usual.received_at + timedelta(days=7)


def test_without_a_deadline_in_the_pack_there_is_none(session, parts):
    receipt = sent(session, parts)
    assert (receipt.acknowledge_due_at, receipt.resolve_due_at) == (None, None)
    (listed,) = moderation.list_grievances(session, role="officer").grievances
    assert (listed.due_at, listed.is_overdue) == (None, False)


def test_the_list_begins_with_harm_to_children_and_goes_on_by_what_is_due(
    session, parts, monkeypatch
):
    never = sent(session, parts, reason="other").number
    late, soon = datetime(2027, 1, 9, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    with_deadlines(monkeypatch)
    _at(monkeypatch, late)
    second = sent(session, parts, reason="spam").number
    _at(monkeypatch, soon)
    first = sent(session, parts, reason="spam").number
    _at(monkeypatch, late)
    child = sent(session, parts, reason="minor_safety").number
    assert _listed(session) == [child, first, second, never]
    # What was acknowledged is due when it has to be resolved.
    _acknowledge(session, parts, second)
    _at(monkeypatch, soon + timedelta(hours=25))
    page = moderation.list_grievances(session, role="officer")
    due = {one.id: (one.due_at, one.is_overdue) for one in page.grievances}
    assert due[first] == (soon + timedelta(hours=24), True)
    assert due[second] == (late + timedelta(days=7), False)
    assert _listed(session, state="overdue") == [first]
    assert _listed(session, state="acknowledged") == [second]


def test_pages_hold_every_grievance_once_in_one_order(session, parts, monkeypatch):
    monkeypatch.setattr(reading, "PAGE", 2)
    numbers = [sent(session, parts, reason="spam").number]
    with_deadlines(monkeypatch)
    for n in range(4):
        reason = "minor_safety" if n == 3 else "spam"
        numbers.append(sent(session, parts, reason=reason, address=f"198.51.100.{n}").number)
    seen, cursor = [], None
    while True:
        page = moderation.list_grievances(session, role="officer", cursor=cursor)
        seen += [one.id for one in page.grievances]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == [numbers[4], *numbers[1:4], numbers[0]]
    for number in numbers:
        _resolve(session, parts, number)
    page = moderation.list_grievances(session, role="officer", state="resolved")
    rest = moderation.list_grievances(session, role="officer", state="resolved", cursor=page.cursor)
    assert [one.id for one in (*page.grievances, *rest.grievances)] == numbers[:0:-1]
    with pytest.raises(Invalid):
        moderation.list_grievances(session, role="officer", cursor="not.a.cursor")


def test_a_grievance_is_acknowledged_once_and_resolved_once(session, parts, monkeypatch):
    with_deadlines(monkeypatch)
    number = sent(session, parts).number
    _acknowledge(session, parts, number)
    with pytest.raises(Conflict):
        _acknowledge(session, parts, number)
    with pytest.raises(Invalid):
        _resolve(session, parts, number, answer="  ")
    _resolve(session, parts, number)
    for again in (_acknowledge, _resolve):
        with pytest.raises(Conflict):
            again(session, parts, number)
        with pytest.raises(Missing):
            again(session, parts, number + 1)
    opened = _open(session, parts, number)
    assert (opened.listed.state, opened.listed.outcome, opened.answer) == (
        "resolved",
        "acted",
        "We took it down.",
    )
    assert b"took" not in session.get_one(Grievance, number).answer
    (entry,) = _entries(session, "moderation.grievance_resolved")
    assert (entry["outcome"], entry["in_time"]) == ("acted", "yes")


def test_the_log_says_what_came_too_late(session, parts, monkeypatch):
    with_deadlines(monkeypatch)
    receipt = sent(session, parts)
    _at(monkeypatch, receipt.received_at + timedelta(days=8))
    _acknowledge(session, parts, receipt.number)
    _resolve(session, parts, receipt.number)
    for step in ("acknowledged", "resolved"):
        (entry,) = _entries(session, f"moderation.grievance_{step}")
        assert entry["in_time"] == "no"


def test_what_waits_is_counted(session, parts, monkeypatch):
    with_deadlines(monkeypatch)
    one, two, three = (sent(session, parts) for _ in range(3))
    _acknowledge(session, parts, two.number)
    _resolve(session, parts, three.number)
    assert moderation.waiting(session) == moderation.Waiting(1, 1, 0, 0)
    _at(monkeypatch, one.received_at + timedelta(hours=25))
    assert moderation.waiting(session) == moderation.Waiting(1, 1, 1, 0)
    _at(monkeypatch, one.received_at + timedelta(days=8))
    assert moderation.waiting(session) == moderation.Waiting(1, 1, 1, 2)


def test_number_and_code_tell_how_far_it_is_and_nothing_else_does(session, parts):
    receipt, other = sent(session, parts), sent(session, parts)

    def follow(number, code, address="203.0.113.5"):
        return moderation.follow_grievance(session, parts, number, code=code, address=address)

    assert follow(receipt.number, receipt.code).state == "open"
    assert follow(receipt.number, receipt.code.upper().replace("-", " ")).state == "open"
    _resolve(session, parts, receipt.number, outcome="dismissed", answer="It is satire.")
    seen = follow(receipt.number, receipt.code)
    assert (seen.outcome, seen.answer) == ("dismissed", "It is satire.")
    for number, code in ((receipt.number, other.code), (1, receipt.code), (other.number, "")):
        with pytest.raises(Missing):
            follow(number, code)
    kept = session.get_one(Grievance, receipt.number).code_hash
    assert receipt.code.encode() not in kept
    with pytest.raises(RateLimited):
        for _ in range(61):
            follow(receipt.number, receipt.code, address="203.0.113.99")


def test_a_grievance_from_before_codes_is_not_opened_by_an_empty_one(session, parts):
    number = sent(session, parts).number
    session.execute(update(Grievance).where(Grievance.id == number).values(code_hash=b""))
    session.expire_all()
    with pytest.raises(Missing):
        moderation.follow_grievance(session, parts, number, code="", address="203.0.113.5")


def test_an_account_sees_its_own_and_is_told(session, parts):
    account_id, other = (signed_up(session, parts).account_id for _ in range(2))
    number = sent(session, parts, account_id).number
    _acknowledge(session, parts, number)
    _resolve(session, parts, number, answer="We took it down.")
    (mine,) = moderation.my_grievances(session, parts, account_id)
    assert (mine.number, mine.answer) == (number, "We took it down.")
    assert moderation.my_grievances(session, parts, other) == []
    told = moderation.my_notices(session, parts, account_id)
    assert [(one.what, one.about_id) for one in told] == [
        ("resolved", number),
        ("acknowledged", number),
    ]
    assert told[0].words == "We took it down."


def test_an_objection_says_why_and_is_no_report(session, parts):
    receipt = sent(
        session, parts, target_kind="decision", target_id=9, reason="objection", detail="No!"
    )
    assert _listed(session, kind="objection") == [receipt.number]
    assert _listed(session, kind="report") == []
    for changed in (
        {"target_kind": "decision", "reason": "objection"},
        {"target_kind": "decision", "reason": "spam", "detail": "x"},
        {"target_kind": "video", "reason": "objection", "detail": "x"},
    ):
        with pytest.raises(Invalid):
            sent(session, parts, **changed)


def test_grievances_are_limited_by_address_or_account(session, parts):
    account_id = accounts.ensure_account(session, parts, "reporter")
    for _ in range(30):
        sent(session, parts)
        sent(session, parts, account_id)
    with pytest.raises(RateLimited):
        sent(session, parts)
    with pytest.raises(RateLimited):
        sent(session, parts, account_id)


@pytest.mark.parametrize("changed", [{"detail": "x" * 4001}, {"contact": "a\x00b"}])
def test_a_text_that_cannot_be_shown_is_refused(session, parts, changed):
    with pytest.raises(Invalid):
        sent(session, parts, **changed)
