"""Which statement of an authority speaks, whatever comes in in whatever order."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical
from reelm.proofs.sale import ApprovalStatement, Decision, read_approval, speaking

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def said(decision: Decision, minute: int, number: int = 0) -> ApprovalStatement:
    return ApprovalStatement(
        form="reelm-approval/1",
        region="0" * 32,
        authority="1",
        reference=str(number),
        scope_digest="0" * 64,
        buyer_key="0" * 64,
        decision=decision,
        issued_at=BEGAN + timedelta(minutes=minute),
        valid_until=BEGAN + timedelta(days=1) if decision == "approve" else None,
    )


DECISIONS: tuple[Decision, ...] = get_args(Decision)
statements = st.lists(st.tuples(st.sampled_from(DECISIONS), st.integers(0, 5)), max_size=8).map(
    lambda pairs: [said(*pair, number) for number, pair in enumerate(pairs)]
)


@given(statements)
def test_an_approval_speaks_only_where_nothing_against_it_is_as_new_or_came_later(told):
    speaks = speaking(told)
    if speaks is None:
        assert not told
        return
    approvals = [one for one in told if one.decision == "approve"]
    if speaks.decision != "approve":
        newest = max(approvals, key=lambda one: (one.issued_at, told.index(one)), default=None)
        assert newest is None or any(
            one.issued_at >= newest.issued_at or told.index(one) > told.index(newest)
            for one in told
            if one.decision != "approve"
        )
        return
    place = told.index(speaks)
    for at, one in enumerate(told):
        if one.decision == "approve":
            assert one.issued_at <= speaks.issued_at
        else:
            assert one.issued_at < speaks.issued_at
            assert at < place


@given(statements)
def test_what_is_said_against_a_sale_last_always_speaks(told):
    last = said("revoke", 0, 99)
    assert speaking([*told, last]) is last


@given(statements)
def test_a_new_approval_after_everything_speaks(told):
    last = said("approve", 9, 99)
    assert speaking([*told, last]) is last


@given(statements, st.data())
def test_handing_an_older_approval_in_late_changes_nothing(told, data):
    minute = max((one.issued_at for one in told if one.decision != "approve"), default=None)
    if minute is None:
        return
    older = said("approve", 0, 99)
    place = data.draw(st.integers(0, len(told)))
    speaks = speaking([*told[:place], older, *told[place:]])
    assert speaks is not older


@pytest.mark.parametrize("field", ["issued_at", "valid_until"])
def test_a_time_that_is_none_in_utc_is_refused(field):
    told = canonical(said("approve", 1))
    times = {"issued_at": "2026-11-01T00:01:00Z", "valid_until": "2026-11-02T00:00:00Z"}
    assert times[field].encode() in told
    with pytest.raises(Invalid, match="beyond what a calendar has"):
        read_approval(told.replace(times[field].encode(), b"9999-12-31T23:59:59-12:00"))
