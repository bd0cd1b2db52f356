"""The second factor of staff: codes of a device, each taken once."""

import base64
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select
from tests.accounts.factory import PASSWORD, code_of, enrolled, signed_in, signed_up

from reelm import accounts
from reelm.accounts import rate, two_factor
from reelm.accounts.models import SecondFactor, SignedIn
from reelm.audit.models import AuditEntry
from reelm.foundation import clock
from reelm.foundation.errors import Conflict, Forbidden, Missing, RateLimited, Unauthenticated


@pytest.fixture
def staff(session, parts):
    """An officer without a second factor."""
    made = signed_up(session, parts, handle="olga")
    accounts.set_role(session, handle="olga", role="officer")
    return made.account_id


def _check(session, parts, account_id, code, address="127.0.0.1"):
    accounts.check_code(session, parts, account_id, code=code, address=address)


def _at(monkeypatch, moment):
    monkeypatch.setattr(two_factor, "now", lambda: moment)


def test_a_code_of_the_device_is_taken_once(session, parts, staff):
    secret = enrolled(session, parts, staff)
    with pytest.raises(Unauthenticated):
        _check(session, parts, staff, code_of(secret))  # taken when the device was set up
    _check(session, parts, staff, code_of(secret, steps=1))
    for steps in (0, 1):
        with pytest.raises(Unauthenticated):
            _check(session, parts, staff, code_of(secret, steps))


def test_the_codes_are_those_of_rfc_6238(session, parts, staff, monkeypatch):
    # Appendix B, SHA-1, cut to six digits: 59 s after 1970 and 1111111109 s.
    enrolled(session, parts, staff)
    row = session.get_one(SecondFactor, staff)
    secret = base64.b32encode(b"12345678901234567890").decode()
    row.secret = accounts.data_key(session, parts, staff).seal(SecondFactor.secret, secret)
    row.last_step = 0
    for seconds, code in ((59, "287082"), (1_111_111_109, "081804")):
        _at(monkeypatch, datetime.fromtimestamp(seconds, UTC))
        _check(session, parts, staff, code)


@pytest.mark.parametrize(
    ("drift_s", "is_taken"), [(-60, False), (-30, True), (30, True), (60, False)]
)
def test_a_clock_may_be_one_step_off(session, parts, staff, monkeypatch, drift_s, is_taken):
    secret = enrolled(session, parts, staff)
    later = clock.now() + timedelta(hours=1)
    _at(monkeypatch, later)
    code = pyotp.TOTP(secret).at(later + timedelta(seconds=drift_s))
    if is_taken:
        _check(session, parts, staff, code)
    else:
        with pytest.raises(Unauthenticated):
            _check(session, parts, staff, code)


@pytest.mark.parametrize("code", ["", "abcdef", "12345", "१२३४५६", "0" * 20])
def test_what_is_no_code_is_refused(session, parts, staff, code):
    enrolled(session, parts, staff)
    with pytest.raises(Unauthenticated):
        _check(session, parts, staff, code)


def test_guessing_is_limited_by_account_and_by_address(parts, session, staff):
    secret = enrolled(session, parts, staff)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            _check(session, parts, staff, "000000")
    with pytest.raises(RateLimited):
        _check(session, parts, staff, code_of(secret, steps=1))
    others = [signed_up(session, parts).account_id for _ in range(6)]
    with pytest.raises(RateLimited):
        for account_id in others:
            enrolled(session, parts, account_id)
            for _ in range(5):
                with pytest.raises(Unauthenticated):
                    _check(session, parts, account_id, "000000")


def test_codes_that_are_right_do_not_count_as_tries(parts, session, staff, monkeypatch):
    secret = enrolled(session, parts, staff)
    began = _one_window(monkeypatch)
    for steps in range(1, 9):
        _at(monkeypatch, began + timedelta(seconds=30 * steps))
        _check(session, parts, staff, pyotp.TOTP(secret).at(began, counter_offset=steps))


def test_a_right_code_forgives_no_wrong_one(parts, session, staff, monkeypatch):
    secret = enrolled(session, parts, staff)
    began = _one_window(monkeypatch)
    for steps, code in enumerate(["000000"] * 4 + ["right"] + ["000000"] + ["right"], start=1):
        _at(monkeypatch, began + timedelta(seconds=30 * steps))
        right = pyotp.TOTP(secret).at(began, counter_offset=steps)
        if steps == 5:
            _check(session, parts, staff, right)
        else:
            with pytest.raises(RateLimited if code == "right" else Unauthenticated):
                _check(session, parts, staff, right if code == "right" else code)


def _one_window(monkeypatch):
    """Let all tries from now on be of one window of the limits."""
    began = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(rate, "now", lambda: began)
    return began


def test_the_secret_is_sealed_and_of_its_own_row(session, parts, staff):
    secret = enrolled(session, parts, staff)
    kept = session.get_one(SecondFactor, staff)
    assert secret.encode() not in kept.secret
    other = signed_up(session, parts).account_id
    enrolled(session, parts, other)
    kept.secret = session.get_one(SecondFactor, other).secret
    with pytest.raises(Exception, match="sealed value was changed"):
        _check(session, parts, staff, code_of(secret, steps=1))


def test_setting_one_up_takes_the_password_and_shows_the_secret_until_it_counts(
    session, parts, staff
):
    with pytest.raises(Forbidden):
        accounts.begin_enrolment(session, parts, staff, password="not mine")
    begun = accounts.begin_enrolment(session, parts, staff, password=PASSWORD)
    assert begun.uri.startswith("otpauth://totp/Test:olga?secret=" + begun.secret)
    assert begun.picture.startswith("<svg")
    assert accounts.begun_enrolment(session, parts, staff) == begun
    assert accounts.second_factor_state(session, staff) == "begun"
    again = accounts.begin_enrolment(session, parts, staff, password=PASSWORD)
    assert again.secret != begun.secret
    other = signed_up(session, parts).account_id
    enrolled(session, parts, other)
    for ask in (
        lambda: accounts.begun_enrolment(session, parts, other),
        lambda: accounts.begin_enrolment(session, parts, other, password=PASSWORD),
    ):
        with pytest.raises(Conflict):
            ask()


def test_setting_one_up_ends_all_other_sessions(session, parts, staff):
    before = signed_in(session, parts, staff)
    enrolled(session, parts, staff)
    assert accounts.viewer_of(session, before.token) is None


def test_a_session_that_awaits_the_code_signs_nobody_in(session, parts, staff):
    made = accounts.begin_session(
        session, parts, staff, address="127.0.0.1", user_agent="x", second_factor="awaited"
    )
    assert accounts.viewer_of(session, made.token) is None
    assert accounts.awaiting_account(session, made.token) == (staff, made.session_id)
    assert accounts.list_sessions(session, parts, staff) == []
    assert made.expires_at - clock.now() < timedelta(minutes=11)
    for token in (
        signed_in(session, parts, staff).token,
        "",
        "forged",
        made.token[:-8] + "AAAAAAA=",
    ):
        assert accounts.awaiting_account(session, token) is None


def test_a_session_with_a_second_factor_ends_after_a_days_work(session, parts, staff):
    made = accounts.begin_session(
        session, parts, staff, address="127.0.0.1", user_agent="x", second_factor="passed"
    )
    assert made.expires_at - clock.now() < timedelta(hours=13)
    enrolled(session, parts, staff)
    kept = session.scalars(select(SignedIn).where(SignedIn.account_id == staff)).one()
    assert kept.expires_at - clock.now() < timedelta(hours=13)


def test_an_owner_ends_the_second_factor_of_another_and_not_the_own(session, parts, staff):
    owner = signed_up(session, parts, handle="boss").account_id
    enrolled(session, parts, staff)
    live = signed_in(session, parts, staff)
    accounts.end_second_factor(session, handle="olga", by=owner)
    assert accounts.viewer_of(session, live.token) is None
    assert accounts.second_factor_state(session, staff) == "none"
    enrolled(session, parts, owner)
    with pytest.raises(Conflict):
        accounts.end_second_factor(session, handle="boss", by=owner)
    with pytest.raises(Missing):
        accounts.end_second_factor(session, handle="olga", by=owner)
    session.flush()
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.kind == "accounts.second_factor_ended")
    ).one()
    assert entry.body == {"account_id": str(staff), "by": str(owner)}


def test_ending_the_own_takes_password_and_code(session, parts, staff):
    secret = enrolled(session, parts, staff)

    def end(password, code):
        accounts.end_own_second_factor(
            session, parts, staff, password=password, code=code, address="127.0.0.1"
        )

    with pytest.raises(Forbidden):
        end("not mine", code_of(secret, steps=1))
    with pytest.raises(Unauthenticated):
        end(PASSWORD, "000000")
    end(PASSWORD, code_of(secret, steps=1))
    assert accounts.second_factor_state(session, staff) == "none"


def test_a_recovery_code_leaves_the_second_factor_and_the_operators_reset_ends_it(
    session, parts, staff
):
    enrolled(session, parts, staff)
    codes = accounts.renew_codes(session, parts, staff, password=PASSWORD)
    accounts.recover(
        session,
        parts,
        handle="olga",
        recovery_code=codes[0],
        new_password="an entirely new phrase",
        address="127.0.0.1",
    )
    assert accounts.second_factor_state(session, staff) == "ready"
    accounts.reset_account(session, "olga")
    assert accounts.second_factor_state(session, staff) == "none"


def test_erasing_the_account_removes_the_secret(session, parts, staff):
    enrolled(session, parts, staff)
    accounts.erase_account(session, parts, staff)
    assert session.get(SecondFactor, staff) is None
