"""Writers on both sides through the whole move: never two operators, nothing acknowledged lost."""

import time
from importlib import import_module

import pytest
from sqlalchemy import text
from tests.social.factory import make_account, make_video
from tests.transfer.move.histories import BUYER, SELLER, Act, faults
from tests.transfer.move.stages import ORDER, Stages
from tests.transfer.move.writers import Writers, written

from reelm.foundation.database import fence
from reelm.foundation.errors import Conflict
from reelm.transfer import move


def history(stages: Stages) -> tuple[list[Act], float, set[tuple[str, str]]]:
    """Move a region while people write; return what they did, when it went over, what is there."""
    with stages.at("rehearsed") as moving:
        with moving.serving.transaction() as session:
            account_id = make_account(session)
            video_id = make_video(session, account_id, poster_object=None)
        with moving.seller.transaction() as session:
            session.execute(text("TRUNCATE signal"))  # one has the greatest number there is

        def writers(side: str) -> Writers:
            return Writers(side, stages.url(side), stages.home(side).path, account_id, video_id)

        sellers = writers(SELLER)
        sellers.wait()
        time.sleep(0.2)
        ORDER["frozen"](moving)
        handed_over_at = _move_on(moving)
        buyers = writers(BUYER)
        time.sleep(0.2)
        ORDER["over"](moving)
        buyers.wait()
        time.sleep(0.2)
        acts = [*sellers.stop(), *buyers.stop()]
        return acts, handed_over_at, written(moving.buyer)


def _move_on(moving) -> float:
    """Seal, verify and cut over until nothing came in between; return when it was over."""
    while True:
        ORDER["sealed"](moving)
        ORDER["verified"](moving)
        try:
            move.cut_over(moving.seller, moving.exchange)
        except Conflict as error:
            if "was written after the seal" not in error.sentence:
                raise
        else:
            return time.monotonic()


def test_no_moment_has_two_operators_and_nothing_that_was_acknowledged_is_lost(stages):
    acts, handed_over_at, there = history(stages)
    for side in (SELLER, BUYER):
        taken = {one.kind for one in acts if one.side == side and one.outcome == "ok"}
        assert taken == {"sign-up", "comment", "long comment", "signal", "entry"}
    assert any(one.outcome == "refused" for one in acts)
    assert faults(acts, handed_over_at, there) == []


def test_the_checker_finds_what_a_move_without_its_fence_does(stages, monkeypatch):
    monkeypatch.setattr(fence, "close", lambda *_: None)
    monkeypatch.setattr(fence, "shut", lambda *_: None)
    # It would find what the fence let through, again and again.
    cut_over = import_module("reelm.transfer.move.cut_over")
    monkeypatch.setattr(cut_over, "_refuse_what_came_after", lambda *_: None)
    found = " ".join(faults(*history(stages)))
    assert "was acknowledged, and is lost" in found
    assert "was taken in after" in found


GOOD = [
    Act(SELLER, "comment", "1", 1.0, 2.0, "ok"),
    Act(SELLER, "comment", "2", 2.9, 3.5, "ok"),  # began before the cutover had ended
    Act(SELLER, "comment", "3", 3.2, 3.3, "refused"),
    Act(SELLER, "comment", "4", 3.2, 3.3, "unknown"),
    Act(BUYER, "comment", "5", 3.4, 4.0, "ok"),
]
THERE = {("comment", "1"), ("comment", "2"), ("comment", "5")}


@pytest.mark.parametrize("also", [set(), {("comment", "4")}])
def test_the_checker_finds_nothing_in_a_good_history(also):
    assert faults(GOOD, 3.0, THERE | also) == []


@pytest.mark.parametrize(
    ("planted", "there", "found"),
    [
        (Act(SELLER, "comment", "6", 3.1, 3.2, "ok"), {("comment", "6")}, "after the cutover"),
        (Act(SELLER, "comment", "6", 2.0, 2.1, "ok"), set(), "acknowledged, and is lost"),
        (Act(BUYER, "comment", "6", 5.0, 5.1, "ok"), set(), "acknowledged, and is lost"),
        (Act(SELLER, "comment", "6", 2.0, 2.1, "refused"), {("comment", "6")}, "refused, and is"),
        (Act(BUYER, "comment", "6", 1.0, 1.1, "ok"), {("comment", "6")}, "after the buyer had"),
    ],
)
def test_the_checker_finds_one_fault_in_a_history(planted, there, found):
    told = faults([*GOOD, planted], 3.0, THERE | there)
    assert told
    assert all(found in one for one in told), told
