"""Videos with all that a page shows of them."""

from sqlalchemy import event
from tests.social.factory import make_account, make_rendition, make_video

from reelm import social
from reelm.foundation.clock import now
from reelm.videos.models import CaptionTrack


def test_the_number_of_queries_does_not_grow_with_the_videos(parts, session):
    creator, me = make_account(session), make_account(session)
    made = [make_video(session, creator, tags=("a", "b")) for _ in range(20)]
    for video_id in made:
        make_rendition(session, video_id, "360")
        make_rendition(session, video_id, "720")
    statements = []
    event.listen(
        parts.database.engine, "before_cursor_execute", lambda *told: statements.append(told[2])
    )
    for wanted in (made[:1], made):
        statements.clear()
        assert [card.id for card in social.cards(session, me, wanted)] == wanted
        assert len(statements) == 1


def test_a_card_says_all_of_its_video_in_the_order_asked(session):
    creator, me = make_account(session, "creator"), make_account(session)
    first = make_video(session, creator, tags=("zoo", "art"))
    second = make_video(session, creator)
    for name in ("360", "720"):
        make_rendition(session, first, name)
    make_rendition(session, first, "source")
    session.add(CaptionTrack(video_id=first, language="hi", text="", updated_at=now()))
    session.flush()
    social.like(session, me, first)
    social.follow(session, me, creator)
    cards = social.cards(session, me, [second, 404, first])
    assert [card.id for card in cards] == [second, first]
    card = cards[1]
    assert card.hashtags == ("zoo", "art")
    assert [r.name for r in card.renditions] == ["source", "720", "360"]
    assert card.caption_languages == ("hi",)
    assert (card.likes, card.is_liked, card.is_mine) == (1, True, False)
    assert (card.creator.handle, card.creator.is_followed) == ("creator", True)
    assert social.cards(session, creator, [first])[0].creator.is_followed is None
    assert social.cards(session, None, []) == []


def test_a_retired_rendition_is_left_out(session):
    video_id = make_video(session, make_account(session))
    make_rendition(session, video_id, "source", retired_at=now())
    make_rendition(session, video_id, "540")
    assert [r.name for r in social.card(session, None, video_id).renditions] == ["540"]
