"""People are told of orders about them, unless the order is confidential."""

import pytest
from tests.accounts.factory import signed_up
from tests.regions.factory import make_body, people, videos
from tests.social.factory import make_video

from reelm import accounts, moderation
from reelm.foundation.errors import Missing


@pytest.fixture
def world(parts):
    """An authority, a creator and a video."""
    with parts.transaction() as session:
        creator = signed_up(session, parts).account_id
        return make_body(session), creator, make_video(session, creator)


def _submit(parts, envelope):
    with parts.transaction() as session:
        return moderation.submit_order(session, parts, envelope).order_id


def _told(parts, account_id):
    with parts.transaction() as session:
        return moderation.my_notices(session, parts, account_id)


def test_the_creator_is_told_of_order_and_lift_with_reasons_and_redress(parts, run_jobs, world):
    body, creator, video = world
    statement = body.statement("remove", targets=videos(video), reasons="It endangers people.")
    order_id = _submit(parts, body.sign(statement))
    run_jobs()
    (notice,) = _told(parts, creator)
    assert (notice.about, notice.about_id, notice.what) == ("order", order_id, "in_force")
    for words in (
        "Demo Ministry",
        statement["reference"],
        "Demo Act, section 1",
        "It endangers people.",
        "https://demo.invalid/objections",
        "You can object",
    ):
        assert words in notice.words
    _submit(parts, body.order("lift", targets={"orders": [statement["reference"]]}))
    run_jobs()
    ended, _ = _told(parts, creator)
    assert ended.what == "ended"
    assert "was lifted" in ended.words


@pytest.mark.parametrize("kind", ["suspend_account", "preserve", "disclose"])
def test_an_account_that_is_named_is_told(parts, run_jobs, world, kind):
    body, creator, _ = world
    _submit(parts, body.order(kind, targets=people(creator)))
    run_jobs()
    assert [one.what for one in _told(parts, creator)] == ["in_force"]


def test_of_copies_that_are_destroyed_the_person_is_told_so(parts, run_jobs, world):
    body, creator, _ = world
    statement = body.statement("preserve", targets=people(creator))
    _submit(parts, body.sign(statement))
    _submit(parts, body.order("lift", targets={"orders": [statement["reference"]]}))
    run_jobs()
    ended = next(one for one in _told(parts, creator) if one.what == "ended")
    assert "the copies kept here for it are destroyed" in ended.words


def test_of_a_confidential_order_nobody_is_told_anything(parts, run_jobs, world):
    body, creator, video = world
    statement = body.statement("remove", targets=videos(video), confidential=True)
    _submit(parts, body.sign(statement))
    _submit(parts, body.order("lift", targets={"orders": [statement["reference"]]}))
    run_jobs()
    assert _told(parts, creator) == []


def test_a_job_that_is_run_again_tells_nobody_twice(parts, run_jobs, world):
    body, creator, video = world
    order_id = _submit(parts, body.order("remove", targets=videos(video)))
    with parts.transaction() as session:
        assert moderation.tell_affected(session, parts, order_id) == 1
    with parts.transaction() as session:
        assert moderation.tell_affected(session, parts, order_id) == 0
    run_jobs()
    assert len(_told(parts, creator)) == 1


def test_who_was_erased_is_told_nothing_and_keeps_no_notice(parts, run_jobs, world):
    body, creator, video = world
    with parts.transaction() as session:
        accounts.erase_account(session, parts, creator)
        moderation.tell(
            session, parts, creator, about="order", about_id=1, what="in_force", words="x"
        )
    order_id = _submit(parts, body.order("remove", targets=videos(video)))
    with parts.transaction() as session:
        assert moderation.tell_affected(session, parts, order_id) == 0


def test_notices_are_sealed_counted_and_marked(session, parts):
    one, other = (signed_up(session, parts).account_id for _ in range(2))
    for number in range(3):
        moderation.tell(
            session, parts, one, about="order", about_id=number, what="in_force", words="secret"
        )
    first = moderation.my_notices(session, parts, one)[0]
    assert moderation.unread(session, one) == 3
    moderation.mark_read(session, parts, one, first.id)
    moderation.mark_read(session, parts, one, first.id)
    assert moderation.unread(session, one) == 2
    with pytest.raises(Missing):
        moderation.mark_read(session, parts, other, first.id)
    moderation.mark_all_read(session, parts, one)
    assert (moderation.unread(session, one), moderation.unread(session, other)) == (0, 0)
    page = moderation.my_notices(session, parts, one, before=first.id, limit=1)
    assert len(page) == 1


def test_the_creator_is_told_which_video_by_its_caption_and_page(parts, run_jobs):
    with parts.transaction() as session:
        creator = signed_up(session, parts, handle="asha").account_id
        other = signed_up(session, parts).account_id
        body = make_body(session)
        named = make_video(session, creator, caption="Sunset at the beach")
        plain = make_video(session, creator, caption="")
        make_video(session, creator, caption="Not ordered")
        foreign = make_video(session, other, caption="Somebody else's")
    statement = body.statement("remove", targets=videos(named, plain, foreign), countries=["ES"])
    _submit(parts, body.sign(statement))
    run_jobs()
    (notice,) = _told(parts, creator)
    assert notice.words.startswith("2 videos of yours are withheld by a legal order in ES:\n")
    assert f"“Sunset at the beach” (No. {named})\nNo. {plain}\n" in notice.words
    assert [one.page_url for one in notice.videos] == [f"/@asha/{named}", f"/@asha/{plain}"]
    assert "Not ordered" not in notice.words
    assert "Somebody else" not in notice.words
    _submit(parts, body.order("lift", targets={"orders": [statement["reference"]]}))
    run_jobs()
    assert "Sunset at the beach" in _told(parts, creator)[0].words
    (told,) = [one for one in _told(parts, other) if one.what == "in_force"]
    assert told.words.startswith("A video of yours is withheld by a legal order in ES:")


def test_whose_account_is_named_is_told_that_all_is_withheld(parts, run_jobs, world):
    body, creator, video = world
    targets = {**people(creator), **videos(video)}
    _submit(parts, body.order("geo_restrict", targets=targets, countries=["US"]))
    run_jobs()
    assert _told(parts, creator)[0].words.startswith("All that you posted is withheld")


def test_of_many_videos_twenty_are_named(parts, run_jobs):
    with parts.transaction() as session:
        creator = signed_up(session, parts).account_id
        body = make_body(session)
        many = [make_video(session, creator, caption="x" * 80) for _ in range(23)]
    _submit(parts, body.order("remove", targets=videos(*many)))
    run_jobs()
    (notice,) = _told(parts, creator)
    assert "23 videos of yours are" in notice.words
    assert "and 3 more" in notice.words
    assert len(notice.videos) == 20
    assert notice.videos[0].title == "x" * 59 + "…"
