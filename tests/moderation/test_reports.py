import pytest
from sqlalchemy import select, update
from tests.accounts.factory import signed_up

from reelm import accounts, moderation
from reelm.audit.models import AuditEntry
from reelm.foundation.errors import Conflict, Forbidden, Invalid, Missing, RateLimited, Unavailable
from reelm.moderation.models import Report


def _new(**changed):
    fields = {"target_kind": "video", "target_id": 42, "reason": "illegal"}
    return moderation.NewReport(**{**fields, **changed})


def _send(session, parts, reporter_id=None, address="198.51.100.7", **changed):
    return moderation.report(
        session, parts, _new(**changed), reporter_id=reporter_id, address=address
    )


def _read(session, parts, role="moderator", **changed):
    return moderation.read_reports(
        session, parts, reader_id=5, role=role, purpose="examining an incident", **changed
    )


def test_a_report_without_an_account_reaches_staff(session, parts):
    report_id = _send(session, parts, detail="At 0:12.\nLook.", contact="+91 00000 00000")
    (read,) = _read(session, parts)
    assert (read.report_id, read.reporter_id, read.target_exists) == (report_id, None, False)
    assert (read.detail, read.contact) == ("At 0:12.\nLook.", "+91 00000 00000")


def test_staff_see_whether_the_target_is_there(session, parts):
    account_id = signed_up(session, parts).account_id
    _send(session, parts, account_id, target_kind="account", target_id=account_id)
    _send(session, parts, account_id, target_kind="account", target_id=account_id + 1)
    assert [read.target_exists for read in _read(session, parts)] == [True, False]


def test_the_text_is_sealed_in_its_own_row(session, parts):
    one, two = (_send(session, parts, detail=f"secret {n}") for n in range(2))
    rows = {row.id: row for row in session.scalars(select(Report))}
    assert b"secret" not in rows[one].detail + rows[two].detail
    swapped = rows[two].detail
    session.execute(update(Report).where(Report.id == one).values(detail=swapped))
    session.expire_all()
    with pytest.raises(Unavailable):
        _read(session, parts)


def test_each_reading_is_logged_with_its_purpose(session, parts):
    report_id = _send(session, parts)
    _read(session, parts)
    session.flush()
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.kind == "moderation.reports_read")
    ).one()
    assert entry.body["purpose"] == "examining an incident"
    assert (entry.body["reader_id"], entry.body["last_report_id"]) == ("5", str(report_id))


@pytest.mark.parametrize("role", [None, "analyst", "authority", "somebody"])
def test_other_roles_read_and_close_nothing(session, parts, role):
    report_id = _send(session, parts)
    with pytest.raises(Forbidden):
        _read(session, parts, role=role)
    with pytest.raises(Forbidden):
        moderation.close_report(session, report_id, closer_id=5, role=role, outcome="acted")


def test_a_report_is_closed_once(session, parts):
    report_id = _send(session, parts)

    def close(report_id):
        return moderation.close_report(
            session, report_id, closer_id=5, role="officer", outcome="dismissed"
        )

    close(report_id)
    with pytest.raises(Conflict):
        close(report_id)
    with pytest.raises(Missing):
        close(report_id + 1)
    assert _read(session, parts) == []
    assert [read.report_id for read in _read(session, parts, state="closed")] == [report_id]


def test_reports_are_paged_oldest_first(session, parts):
    sent = [_send(session, parts) for _ in range(3)]
    assert [read.report_id for read in _read(session, parts, after_id=sent[0])] == sent[1:]


def test_reports_are_limited_by_address_or_account(session, parts):
    account_id = accounts.ensure_account(session, parts, "reporter")
    for _ in range(30):
        _send(session, parts)
        _send(session, parts, account_id)
    with pytest.raises(RateLimited):
        _send(session, parts)
    with pytest.raises(RateLimited):
        _send(session, parts, account_id)


@pytest.mark.parametrize("changed", [{"detail": "x" * 4001}, {"contact": "a\x00b"}])
def test_a_text_that_cannot_be_shown_is_refused(session, parts, changed):
    with pytest.raises(Invalid):
        _send(session, parts, **changed)
