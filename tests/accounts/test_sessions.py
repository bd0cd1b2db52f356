import base64
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update
from tests.accounts.factory import signed_in, signed_up

from reelm import accounts
from reelm.accounts.models import SignedIn
from reelm.accounts.sessions import ABSOLUTE, IDLE, sweep_sessions
from reelm.foundation import clock
from reelm.foundation.errors import Missing


def test_a_token_signs_its_account_in(session, parts):
    made = signed_up(session, parts, handle="Asha")
    begun = signed_in(session, parts, made.account_id)
    viewer = accounts.viewer_of(session, begun.token)
    assert viewer is not None
    assert viewer.account_id == made.account_id
    assert (viewer.handle, viewer.role, viewer.session_id) == ("Asha", None, begun.session_id)


def test_the_viewer_is_found_by_one_query(session, parts):
    begun = signed_in(session, parts, signed_up(session, parts).account_id)
    session.commit()
    statements = []
    event.listen(
        parts.database.engine, "before_cursor_execute", lambda *call: statements.append(call[2])
    )
    with parts.transaction() as other:
        accounts.viewer_of(other, begun.token)
    assert len(statements) == 1


def test_forged_and_foreign_tokens_sign_nobody_in(session, parts):
    one, two = (signed_in(session, parts, signed_up(session, parts).account_id) for _ in range(2))
    first, second = (base64.urlsafe_b64decode(begun.token) for begun in (one, two))
    forged = [
        second[:8] + first[8:],  # another account with one's own session
        second[:16] + first[16:],  # another's session with one's own secret
        first[:16] + bytes(32),
        first[:-1],
        first + b"\0",
        b"\xff" * 48,
    ]
    tokens = [base64.urlsafe_b64encode(raw).decode() for raw in forged]
    tokens += [
        "",
        "é",
        "=" * 64,
        "a" * 5000,
        one.token + "\n",
        one.token.replace(one.token[5], "*"),
    ]
    assert [token for token in tokens if accounts.viewer_of(session, token)] == []
    assert accounts.viewer_of(session, one.token) is not None


def test_the_database_does_not_hold_what_signs_in(session, parts):
    begun = signed_in(session, parts, signed_up(session, parts).account_id)
    row = session.scalars(select(SignedIn)).one()
    secret = base64.urlsafe_b64decode(begun.token)[16:]
    assert secret not in row.token_hash
    assert b"203.0.113.9" not in row.address
    assert b"Test Browser" not in row.user_agent


@pytest.mark.parametrize(
    "values",
    [
        {"expires_at": clock.now() - timedelta(seconds=1)},
        {"last_seen_at": clock.now() - IDLE - timedelta(seconds=1)},
    ],
)
def test_an_expired_session_is_over_and_swept(session, parts, values):
    made = signed_up(session, parts)
    begun = signed_in(session, parts, made.account_id)
    session.execute(update(SignedIn).values(**values))
    assert accounts.viewer_of(session, begun.token) is None
    assert accounts.list_sessions(session, parts, made.account_id) == []
    sweep_sessions(session)
    assert session.scalars(select(SignedIn)).all() == []


def test_a_session_ends_in_the_end_however_often_it_is_used(session, parts):
    begun = signed_in(session, parts, signed_up(session, parts).account_id)
    assert begun.expires_at - clock.now() <= ABSOLUTE


def test_being_seen_is_written_once_in_ten_minutes(session, parts):
    begun = signed_in(session, parts, signed_up(session, parts).account_id)
    old = clock.now() - timedelta(minutes=11)
    session.execute(update(SignedIn).values(last_seen_at=old))
    accounts.viewer_of(session, begun.token)
    seen = session.scalar(select(SignedIn.last_seen_at))
    assert seen > old
    accounts.viewer_of(session, begun.token)
    assert session.scalar(select(SignedIn.last_seen_at)) == seen


def test_being_seen_waits_for_nobody(session, parts):
    begun = signed_in(session, parts, signed_up(session, parts).account_id)
    session.execute(update(SignedIn).values(last_seen_at=clock.now() - timedelta(minutes=11)))
    session.commit()
    with parts.transaction() as first, parts.transaction() as second:
        assert accounts.viewer_of(first, begun.token) is not None
        assert accounts.viewer_of(second, begun.token) is not None


def test_sessions_are_listed_and_revoked_by_their_account_only(session, parts):
    mine, theirs = (signed_up(session, parts).account_id for _ in range(2))
    one, two = (signed_in(session, parts, mine) for _ in range(2))
    listed = accounts.list_sessions(session, parts, mine)
    assert {row.session_id for row in listed} == {one.session_id, two.session_id}
    assert {(row.address, row.user_agent) for row in listed} == {
        ("203.0.113.9", "Test Browser 1.0")
    }
    with pytest.raises(Missing):
        accounts.revoke_session(session, theirs, one.session_id)
    accounts.revoke_session(session, mine, one.session_id)
    assert accounts.viewer_of(session, one.token) is None
    accounts.revoke_sessions(session, mine)
    assert accounts.viewer_of(session, two.token) is None


def test_several_tokens_are_looked_up_by_one_query(session, parts):
    begun = [signed_in(session, parts, signed_up(session, parts).account_id) for _ in range(3)]
    session.commit()
    statements = []
    event.listen(
        parts.database.engine, "before_cursor_execute", lambda *call: statements.append(call[2])
    )
    tokens = [begun[0].token, "nobody's", begun[2].token, begun[0].token]
    with parts.transaction() as other:
        found = accounts.viewers_of(other, tokens)
    assert len(statements) == 1
    wanted = [begun[0].account_id, None, begun[2].account_id, begun[0].account_id]
    assert [one and one.account_id for one in found] == wanted


def test_anothers_token_beside_does_not_let_a_forged_one_in(session, parts):
    one, two = (signed_in(session, parts, signed_up(session, parts).account_id) for _ in range(2))
    first, second = (base64.urlsafe_b64decode(begun.token) for begun in (one, two))
    crossed = base64.urlsafe_b64encode(first[:16] + second[16:]).decode()
    found = accounts.viewers_of(session, [crossed, two.token])
    assert [bool(viewer) for viewer in found] == [False, True]
