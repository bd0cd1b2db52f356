"""Cards kept in memory, and the rule that is asked each time."""

import pytest
from sqlalchemy import delete, event, text, update
from tests.social.factory import make_account, make_rendition, make_video

from reelm import social
from reelm.accounts.models import Account
from reelm.foundation.clock import now
from reelm.social import kept_cards
from reelm.videos.models import CaptionTrack, Rendition, Video


@pytest.fixture
def scene(parts):
    """A creator's video with all that a card shows, and somebody who watches; committed."""
    with parts.transaction() as session:
        creator, me = make_account(session, "creator"), make_account(session)
        video_id = make_video(session, creator, tags=("zoo",))
        make_rendition(session, video_id, "360")
        make_rendition(session, video_id, "720")
        session.add(CaptionTrack(video_id=video_id, language="hi", text="", updated_at=now()))
    return creator, me, video_id


@pytest.fixture
def statements(parts):
    """The statements that were run."""
    seen = []
    event.listen(parts.database.engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    return seen


@pytest.fixture
def look(parts):
    def look(*asked: tuple[int | None, list[int]]):
        with parts.transaction() as session:
            return social.glances(session, [social.Asked(*one) for one in asked])

    return look


def test_a_glance_is_the_card_that_a_page_shows(scene, look, parts):
    creator, me, video_id = scene
    with parts.transaction() as session:
        social.like(session, me, video_id)
        social.follow(session, me, creator)
    asked = ((me, [video_id, 404]), (None, [video_id]), (creator, [video_id]))
    for _ in range(2):
        for (account_id, ids), found in zip(asked, look(*asked), strict=True):
            with parts.transaction() as session:
                whole = social.cards(session, account_id, ids)
            assert [glance.card for glance in found] == whole


def test_a_second_look_is_one_statement_for_all_strangers_and_one_for_all_accounts(
    scene, look, statements
):
    creator, me, video_id = scene
    look((None, [video_id]))
    statements.clear()
    first, second, third = look((None, [video_id]), (me, [video_id]), (creator, [video_id]))
    assert len(statements) == 2
    assert first[0].kept is second[0].kept is third[0].kept
    assert [third[0].is_mine, second[0].is_mine] == [True, False]


GONE = {
    "private": update(Video).values(audience="private"),
    "withdrawn": update(Video).values(state="processing"),
    "private account": update(Account).where(Account.handle == "creator").values(is_private=True),
    "suspended": update(Account).where(Account.handle == "creator").values(state="suspended"),
    "deleted": delete(Video),
}


@pytest.mark.parametrize("change", GONE.values(), ids=GONE)
def test_what_is_not_to_be_shown_is_gone_at_once(scene, look, parts, change):
    _, me, video_id = scene
    assert look((me, [video_id]))[0]
    with parts.transaction() as session:
        session.execute(change)
    assert look((None, [video_id]), (me, [video_id])) == [[], []]


@pytest.mark.parametrize("blocker", [0, 1])
def test_a_block_hides_from_one_and_not_from_the_next(scene, look, parts, blocker):
    creator, me, video_id = scene
    look((me, [video_id]), (None, [video_id]))
    with parts.transaction() as session:
        pair = (creator, me) if blocker else (me, creator)
        social.block(session, *pair)
        other = make_account(session)
    mine, theirs, everybodys = look((me, [video_id]), (other, [video_id]), (None, [video_id]))
    assert (mine, len(theirs), len(everybodys)) == ([], 1, 1)


def test_followers_only_is_shown_to_followers(scene, look, parts):
    creator, me, video_id = scene
    with parts.transaction() as session:
        session.execute(update(Video).values(audience="followers"))
    assert look((me, [video_id]), (None, [video_id])) == [[], []]
    with parts.transaction() as session:
        social.follow(session, me, creator)
    assert look((me, [video_id]))[0][0].is_followed


LARGE = Rendition.name == "720"
CHANGES = {
    "caption": update(Video).values(caption="new"),
    "name": update(Account).where(Account.handle == "creator").values(display_name="New"),
    "a rendition retired": update(Rendition).where(LARGE).values(retired_at=now()),
    "a rendition gone": delete(Rendition).where(LARGE),
    "captions gone": delete(CaptionTrack),
    "captions in another language": update(CaptionTrack).values(language="ta"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_is_seen_by_the_next_look(scene, look, parts, change):
    _, me, video_id = scene
    before = look((me, [video_id]))[0][0]
    with parts.transaction() as session:
        session.execute(change)
    after = look((me, [video_id]))[0][0]
    assert after.kept != before.kept
    with parts.transaction() as session:
        assert [after.card] == social.cards(session, me, [video_id])


def test_a_video_that_changes_between_the_rule_and_the_reading_is_left_out(
    scene, look, parts, monkeypatch
):
    _, _, video_id = scene
    asked = kept_cards._CHANGING.rows

    def asked_and_then_changed(session, told):
        rows = asked(session, told)
        with parts.transaction() as other:
            other.execute(text("UPDATE video SET caption = 'secret', audience = 'private'"))
        return rows

    monkeypatch.setattr(kept_cards._CHANGING, "rows", asked_and_then_changed)
    assert look((None, [video_id])) == [[]]


def test_memory_is_bounded(parts, look, monkeypatch):
    monkeypatch.setattr(kept_cards, "MOST_CARDS", 3)
    with parts.transaction() as session:
        creator = make_account(session)
        ids = [make_video(session, creator) for _ in range(5)]
    assert len(look((None, ids))[0]) == 5
    assert len(kept_cards._cards_for(parts.database.engine)._kept) == 3
