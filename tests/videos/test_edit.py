import pytest
from sqlalchemy import event
from tests.videos.acts import imported, person, seen

from reelm import videos
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.videos import publish as publishing

VTT = b"WEBVTT\n\n00:00.500 --> 00:01.500\nHello\n"


@pytest.fixture
def posted(parts, clips):
    """A video of ana."""
    ana = person(parts)
    video_id = imported(parts, ana, clips("mp4"))
    publishing.publish(parts, video_id)
    return ana, video_id


@pytest.mark.parametrize(
    ("caption", "tags"),
    [
        ("no tags", ()),
        ("#Cats and #cats and #CATS", ("cats",)),
        ("#हिन्दी #தமிழ் #日本語 #straße", ("हिन्दी", "தமிழ்", "日本語", "strasse")),
        ("#one#two", ("one", "two")),
        ("C#major #1 ## # #_ a", ()),
        ("(#a_b1).", ("a_b1",)),
        ("#caf\u0065\u0301", ("caf\u00e9",)),
        ("#" + "x" * 101, ()),
        (" ".join(f"#t{i}" for i in range(40)), tuple(f"t{i}" for i in range(30))),
    ],
)
def test_hashtags_are_words_of_any_script(caption, tags):
    assert videos.hashtags(caption) == tags


def test_an_owner_changes_caption_audience_and_language(parts, posted):
    ana, video_id = posted
    with parts.transaction() as session:
        videos.edit(
            session,
            account_id=ana,
            video_id=video_id,
            caption=" New #dog ",
            audience="followers",
            language="PT-br",
        )
    view = seen(parts, video_id)
    assert (view.caption, view.hashtags) == ("New #dog", ("dog",))
    assert (view.audience, view.language) == ("followers", "pt-BR")
    with parts.transaction() as session:
        videos.edit(session, account_id=ana, video_id=video_id, language="")
    view = seen(parts, video_id)
    assert (view.caption, view.language) == ("New #dog", None)


def test_nobody_changes_the_video_of_another(parts, posted):
    _, video_id = posted
    ben = person(parts, "ben")
    with parts.transaction() as session, pytest.raises(Missing):
        videos.edit(session, account_id=ben, video_id=video_id, caption="mine")
    with parts.transaction() as session, pytest.raises(Missing):
        videos.delete_video(session, account_id=ben, video_id=video_id)
    with parts.transaction() as session, pytest.raises(Missing):
        videos.put_captions(session, account_id=ben, video_id=video_id, language="en", data=VTT)


def test_a_refused_change_changes_nothing(parts, posted):
    ana, video_id = posted
    before = seen(parts, video_id)
    for wrong in ({"caption": "x" * 2201}, {"audience": "all"}, {"language": "e"}):
        with pytest.raises(Invalid), parts.transaction() as session:
            videos.edit(session, account_id=ana, video_id=video_id, **wrong)
    assert seen(parts, video_id) == before


def test_captions_are_set_changed_and_removed(parts, posted):
    ana, video_id = posted
    mine = {"account_id": ana, "video_id": video_id}
    for text in (VTT, VTT.replace(b"Hello", b"Bye")):
        with parts.transaction() as session:
            assert videos.put_captions(session, **mine, language="EN", data=text) == "en"
    with parts.transaction() as session:
        source = videos.media_sources(session, video_id)["en.vtt"]
    assert source.data is not None
    assert b"Bye" in source.data
    with parts.transaction() as session:
        videos.delete_captions(session, **mine, language="en")
    assert seen(parts, video_id).captions == ()
    with parts.transaction() as session, pytest.raises(Missing):
        videos.delete_captions(session, **mine, language="en")


def test_captions_of_a_video_that_is_not_read_yet_wait(parts, clips):
    ana = person(parts)
    video_id = imported(parts, ana, clips("mp4"))
    with parts.transaction() as session, pytest.raises(Conflict, match="in a moment"):
        videos.put_captions(session, account_id=ana, video_id=video_id, language="en", data=VTT)


def test_reading_many_videos_takes_as_many_queries_as_reading_one(parts, posted, clips):
    ana, video_id = posted
    ids = [video_id, *(imported(parts, ana, clips("mp4")) for _ in range(3))]

    def queries(wanted: list[int]) -> int:
        count = 0

        def counted(*_args: object) -> None:
            nonlocal count
            count += 1

        event.listen(parts.database.engine, "before_cursor_execute", counted)
        with parts.transaction() as session:
            found = videos.load_views(session, wanted)
        event.remove(parts.database.engine, "before_cursor_execute", counted)
        assert [view.id for view in found] == wanted
        return count

    assert queries(ids) == queries([video_id]) == 4
    assert queries(list(reversed(ids))) == 4
