"""What a former operator may be given for a while, and that it ends."""

from datetime import timedelta
from types import SimpleNamespace

import msgspec
import pytest
from sqlalchemy import update
from tests.accounts.factory import signed_in, signed_up
from tests.transfer.factory import bought

from reelm import accounts, audit, regions, transfer
from reelm.accounts.models import Account
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Forbidden, Invalid, Missing
from reelm.transfer import transition

WHY = "Helps to mend encodes that fail."
HOUR = timedelta(hours=1)


@pytest.fixture
def sold(sale):
    """A region that the buyer has run for ten days."""
    sale.propose()
    bought(sale.session, sale, days_ago=10)
    return sale


def given(sold, **changed):
    told = {"handle": "priya", "role": "analyst", "until": now() + HOUR, "reason": WHY, **changed}
    made, _ = transfer.grant_access(sold.session, sold.parts, **told)
    return made


def role_of(sold, token):
    found = accounts.viewer_of(sold.session, token)
    return None if found is None else found.role


def later(monkeypatch, **by):
    at = now() + timedelta(**by)
    monkeypatch.setattr("reelm.accounts.sessions.now", lambda: at)
    bounds = SimpleNamespace(earliest=at, latest=at)
    monkeypatch.setattr(regions, "time_bounds", lambda _: bounds)


def logged(sold):
    kinds = [f"transfer.access_{what}" for what in ("granted", "used", "ended")]
    return {kind: [one.body for one in audit.entries_of(sold.session, kind)] for kind in kinds}


def test_no_role_that_sees_people_can_be_granted(sold):
    assert transition.GRANTABLE == ("analyst",)
    for role in (*set(accounts.ROLES) - {"analyst"}, "king"):
        with pytest.raises(Invalid, match="Only analyst can be granted"):
            given(sold, role=role)


def test_a_grant_is_a_role_with_an_end(sold, monkeypatch):
    made = given(sold)
    token = signed_in(sold.session, sold.parts, made.account_id).token
    assert role_of(sold, token) == "analyst"
    assert [one.state for one in transfer.live_grants(sold.session)] == ["live"]
    later(monkeypatch, hours=1, seconds=1)
    # Nothing has run: the request itself looks at the time.
    assert role_of(sold, token) is None
    assert transfer.live_grants(sold.session) == []
    assert transfer.end_grants(sold.session) == 1
    assert transfer.end_grants(sold.session) == 0
    row = sold.session.get_one(Account, made.account_id)
    assert (row.role, row.role_until) == (None, None)
    assert logged(sold)["transfer.access_ended"] == [
        {"transfer_id": str(made.transfer_id), "grant_id": str(made.id), "ending": "expired"}
    ]


def test_its_first_use_is_logged_once(sold):
    made = given(sold)
    for _ in range(2):
        transfer.note_use(sold.session, made.account_id)
    transfer.note_use(sold.session, 5)
    assert len(logged(sold)["transfer.access_used"]) == 1
    assert transfer.grants(sold.session)[0].used_at is not None


def test_it_is_revoked_before_its_time(sold):
    made = given(sold)
    token = signed_in(sold.session, sold.parts, made.account_id).token
    assert transfer.revoke_grant(sold.session, made.id).state == "revoked"
    assert transfer.revoke_grant(sold.session, made.id).state == "revoked"
    assert role_of(sold, token) is None
    assert [one["ending"] for one in logged(sold)["transfer.access_ended"]] == ["revoked"]
    with pytest.raises(Missing):
        transfer.revoke_grant(sold.session, 5)


def test_a_role_that_is_changed_in_the_console_ends_it(sold):
    made = given(sold)
    accounts.set_role(sold.session, handle="priya", role="moderator")
    assert transfer.live_grants(sold.session) == []
    assert transfer.end_grants(sold.session) == 1
    row = sold.session.get_one(Account, made.account_id)
    assert (row.role, row.role_until) == ("moderator", None)


def test_the_log_has_the_reason_as_a_digest_and_no_name(sold):
    made = given(sold)
    (body,) = logged(sold)["transfer.access_granted"]
    assert body["role"] == "analyst"
    assert body["account_id"] == str(made.account_id)
    assert len(str(body["reason_digest"])) == 64
    assert "priya" not in str(body)
    assert WHY not in str(body)


def test_before_a_cutover_there_is_nobody_to_grant_to(sale):
    sale.propose()
    with pytest.raises(Conflict, match="no former operator"):
        given(sale)


@pytest.mark.parametrize("days", [-1, 0, 81])
def test_it_ends_within_the_days_after_the_cutover(sold, days):
    given(sold, until=now() + timedelta(days=79))
    with pytest.raises(Invalid, match="90 days after the cutover"):
        given(sold, handle="ravi", until=now() + timedelta(days=days))


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "x" * 501])
def test_the_reason_has_to_be_one_that_can_be_shown(sold, reason):
    with pytest.raises(Invalid, match="Say why"):
        given(sold, reason=reason)


def with_pack(monkeypatch, **facts):
    fact = {"source": "Act 5", "read_on": "2026-11-23"}
    pack = regions.load_pack("neutral")
    changed = {name: type(pack.transfer_notice_days)(value=v, **fact) for name, v in facts.items()}
    stated = msgspec.structs.replace(pack, **changed)
    monkeypatch.setattr(regions, "load_pack", lambda _: stated)


def test_the_policy_pack_may_forbid_it(sold, monkeypatch):
    with_pack(monkeypatch, transition_grants_allowed=False)
    with pytest.raises(Forbidden, match="Act 5"):
        given(sold)
    assert accounts.account_of(sold.session, "priya") is None


def test_the_policy_pack_may_allow_fewer_days(sold, monkeypatch):
    with_pack(monkeypatch, transition_grants_allowed=True, transition_grant_days=12)
    given(sold, until=now() + timedelta(days=1))
    with pytest.raises(Invalid, match="12 days after the cutover"):
        given(sold, handle="ravi", until=now() + timedelta(days=3))


def test_somebody_with_a_role_is_refused(sold):
    signed_up(sold.session, sold.parts, handle="ravi")
    accounts.set_role(sold.session, handle="ravi", role="moderator")
    with pytest.raises(Conflict, match="has a role already"):
        given(sold, handle="ravi")
    given(sold)
    with pytest.raises(Conflict, match="has a role already"):
        given(sold)


def test_an_end_that_was_moved_by_hand_ends_the_grant(sold):
    made = given(sold)
    far = now() + timedelta(days=1000)
    sold.session.execute(
        update(Account).values(role_until=far).where(Account.id == made.account_id)
    )
    sold.session.expire_all()
    assert transfer.live_grants(sold.session) == []
