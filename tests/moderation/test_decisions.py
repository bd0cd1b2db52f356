"""Decisions withhold and tell why; reversing one takes away what it alone withheld."""

from typing import Any

import pytest
from sqlalchemy import select
from tests.accounts.factory import signed_up
from tests.moderation.factory import reader, sent
from tests.social.factory import make_video

from reelm import accounts, moderation, regions, social
from reelm.audit.models import AuditEntry
from reelm.foundation.errors import Conflict, Forbidden, Invalid, Missing
from reelm.moderation.models import Decision


def _decide(session, parts, role="moderator", **changed):
    fields = {
        "kind": "withhold_video",
        "ground": "terms",
        "basis": "Terms, section 4",
        "category": "spam",
        "facts": "The clip sells pills.",
    }
    new = moderation.NewDecision(**{**fields, **changed})
    return moderation.decide(session, parts, new, officer_id=5, role=role)


def _reverse(session, parts, decision_id, role="moderator", reason="It was satire."):
    moderation.reverse(session, parts, decision_id, officer_id=6, role=role, reason=reason)


@pytest.fixture
def video(session, parts):
    """A ready video and its creator."""
    account_id = signed_up(session, parts).account_id
    return make_video(session, account_id), account_id


def _is_shown(session, video_id, country="IN"):
    return bool(social.cards(session, None, [video_id], country))


def test_a_withheld_video_is_gone_until_the_decision_is_reversed(session, parts, video):
    video_id, account_id = video
    decision_id = _decide(session, parts, target_id=video_id)
    assert not _is_shown(session, video_id)
    _reverse(session, parts, decision_id)
    assert _is_shown(session, video_id)
    told = moderation.my_notices(session, parts, account_id)
    assert [one.what for one in told] == ["reversed", "made"]
    assert "The clip sells pills." in told[1].words
    assert "Terms, section 4" in told[1].words
    assert "object" in told[1].words


def test_the_person_is_told_which_video_or_comment_it_is(session, parts):
    account_id = signed_up(session, parts, handle="asha").account_id
    video_id = make_video(session, account_id, caption="Pills for all")
    comment_id = social.comment(session, account_id, video_id, "Buy pills")
    made = _decide(session, parts, target_id=video_id)
    statement = moderation.my_decision(session, parts, account_id, made)
    page_url = f"/@asha/{video_id}"
    assert statement.target == moderation.Target("video", str(video_id), "Pills for all", page_url)
    _reverse(session, parts, made)
    _decide(session, parts, kind="remove_comment", target_id=comment_id)
    suspended = _decide(session, parts, kind="suspend_account", target_id=account_id)
    told = [one.words for one in moderation.my_notices(session, parts, account_id)]
    assert told[3].startswith(f"Your video “Pills for all” (No. {video_id}) is withheld")
    assert f"your video “Pills for all” (No. {video_id}) was reversed" in told[2]
    assert told[1].startswith(f"Your comment “Buy pills” (No. {comment_id}) is removed")
    target = moderation.my_decision(session, parts, account_id, suspended).target
    assert (target.title, target.page_url) == ("@asha", "/@asha")


def test_two_that_overlap_are_independent(session, parts, video):
    video_id, account_id = video
    first = _decide(session, parts, target_id=video_id)
    second = _decide(session, parts, kind="suspend_account", target_id=account_id)
    _reverse(session, parts, first)
    assert not _is_shown(session, video_id)
    _reverse(session, parts, second)
    assert _is_shown(session, video_id)


def test_a_decision_holds_where_it_says(session, parts, video):
    video_id, _ = video
    _decide(session, parts, target_id=video_id, countries=["IN"])
    assert not _is_shown(session, video_id, "IN")
    assert not _is_shown(session, video_id, None)  # unknown counts as inside
    assert _is_shown(session, video_id, "NP")


def test_a_removed_comment_is_not_deleted(session, parts, video):
    video_id, account_id = video
    comment_id = social.comment(session, account_id, video_id, "Buy pills")
    decision_id = _decide(session, parts, kind="remove_comment", target_id=comment_id)

    def shown():
        return [one.body for one in social.comments_under(session, None, video_id, limit=9)]

    assert shown() == []
    _reverse(session, parts, decision_id)
    assert shown() == ["Buy pills"]


def test_what_is_wrong_with_a_decision_is_said(session, parts, video):
    video_id, _ = video
    wrong: tuple[dict[str, Any], ...] = (
        {"facts": " "}, {"basis": ""}, {"countries": []}, {"countries": ["UK"]}
    )  # fmt: skip
    for changed in wrong:
        with pytest.raises(Invalid):
            _decide(session, parts, target_id=video_id, **changed)
    for changed in ({"target_id": 1}, {"target_id": video_id, "grievance_id": 1}):
        with pytest.raises(Missing):
            _decide(session, parts, **changed)
    decision_id = _decide(session, parts, target_id=video_id)
    with pytest.raises(Conflict):
        _decide(session, parts, target_id=video_id)
    _reverse(session, parts, decision_id)
    with pytest.raises(Conflict):
        _reverse(session, parts, decision_id)
    _decide(session, parts, target_id=video_id)


def test_staff_are_not_suspended(session, parts):
    account_id = signed_up(session, parts, handle="olga").account_id
    accounts.set_role(session, handle="olga", role="officer")
    with pytest.raises(Conflict):
        _decide(session, parts, kind="suspend_account", target_id=account_id)


@pytest.mark.parametrize("role", [None, "analyst", "authority"])
def test_other_roles_decide_nothing(session, parts, video, role):
    decision_id = _decide(session, parts, target_id=video[0])
    for attempt in (
        lambda: _decide(session, parts, role=role, target_id=video[0]),
        lambda: _reverse(session, parts, decision_id, role=role),
        lambda: moderation.list_decisions(session, role=role),
        lambda: moderation.open_decision(session, parts, decision_id, reader=reader(role or "")),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_the_statement_of_reasons_has_its_fields(session, parts, video):
    video_id, account_id = video
    grievance_id = sent(session, parts, target_id=video_id).number
    decision_id = _decide(
        session,
        parts,
        target_id=video_id,
        ground="illegal",
        basis="IT Act, section 67",
        category="nudity",
        countries=["NP", "IN"],
        grievance_id=grievance_id,
        automated_detection=True,
    )
    of = moderation.my_decision(session, parts, account_id, decision_id)
    assert (of.decision_visibility, of.decision_account) == (["disabled"], None)
    assert (of.decision_ground, of.illegal_content_legal_ground) == (
        "illegal_content",
        "IT Act, section 67",
    )
    assert (of.territorial_scope, of.content_type, of.category) == (
        ["IN", "NP"],
        ["video"],
        "nudity",
    )
    assert (of.source_type, of.automated_detection, of.automated_decision) == (
        "grievance",
        True,
        False,
    )
    assert of.decision_facts == "The clip sells pills."
    with pytest.raises(Missing):
        moderation.my_decision(session, parts, account_id + 1, decision_id)
    opened = moderation.open_decision(session, parts, decision_id, reader=reader())
    assert (opened.account_id, opened.decided_by) == (account_id, 5)


def test_facts_are_sealed_and_the_log_holds_none(session, parts, video):
    decision_id = _decide(session, parts, target_id=video[0])
    assert b"pills" not in session.get_one(Decision, decision_id).facts
    _reverse(session, parts, decision_id)
    session.flush()
    bodies = session.scalars(
        select(AuditEntry.body).where(AuditEntry.kind.startswith("moderation.deci"))
    ).all()
    assert len(bodies) == 2
    assert not any(word in str(bodies) for word in ("pills", "satire", "section"))


def test_a_decision_outlives_the_account_without_naming_it(parts, run_jobs):
    with parts.transaction() as session:
        account_id = signed_up(session, parts).account_id
        decision_id = _decide(session, parts, kind="suspend_account", target_id=account_id)
        accounts.erase_account(session, parts, account_id)
    run_jobs()
    with parts.transaction() as session:
        assert session.get_one(Decision, decision_id).account_id is None
        assert moderation.my_notices(session, parts, account_id) == []
        assert regions.restrictions_on(session, [account_id])
