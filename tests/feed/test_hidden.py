"""What a viewer hides, finds in a list, and takes back."""

from importlib import import_module
from typing import Any

import pytest
from tests.social.factory import make_account, make_video

from reelm.feed.hidden import After, hidden, hide, show_again
from reelm.feed.signals import Kind
from reelm.foundation.clock import now
from reelm.foundation.database import Base
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.ids import new_id
from reelm.videos.models import Sound


@pytest.fixture
def bea(session):
    return make_account(session, "bea")


@pytest.fixture
def as_viewer(session, parts):
    """Hide and list as one anonymous viewer."""
    viewer_id = new_id()
    me: Any = {"viewer_id": viewer_id, "account_id": None}

    class Viewer:
        id = viewer_id

        def hides(self, kind, subject, **more):
            return hide(session, parts, **me, kind=kind, subject=str(subject), **more)

        def shows(self, kind, subject):
            return show_again(session, viewer_id=self.id, kind=kind, subject=str(subject))

        def lists(self, limit=50, after=None):
            return hidden(session, **me, limit=limit, after=after)

    return Viewer()


def test_each_kind_is_hidden_listed_with_its_name_and_told_to_the_log(session, as_viewer, bea):
    video_id = make_video(session, bea, tags=("cats",))
    sound = Sound(id=new_id(), account_id=bea, created_at=now())
    session.add(sound)
    session.flush()
    told = [
        as_viewer.hides("video", video_id)[1],
        as_viewer.hides("creator", bea, video_id=video_id)[1],
        as_viewer.hides("hashtag", "#Cats")[1],
        as_viewer.hides("sound", sound.id)[1],
    ]
    assert [(s.kind, s.video_id, s.subject) for (s,) in told] == [
        (Kind.NOT_INTERESTED, video_id, ""),
        (Kind.HIDE_CREATOR, video_id, str(bea)),
        (Kind.HIDE_HASHTAG, 0, "cats"),
        (Kind.HIDE_SOUND, 0, str(sound.id)),
    ]
    assert [(e.kind, e.name, e.url) for e in as_viewer.lists()] == [
        ("sound", "Sound of Bea", None),
        ("hashtag", "#cats", None),
        ("creator", "Bea", "/@bea"),
        ("video", "#cats", f"/@bea/{video_id}"),
    ]


def test_hiding_again_changes_nothing_and_is_told_again(as_viewer, bea):
    first = as_viewer.hides("creator", bea)
    assert as_viewer.hides("creator", bea) == first
    assert as_viewer.lists() == [first[0]]


def test_taking_back_is_told(as_viewer, bea):
    as_viewer.hides("creator", bea)
    as_viewer.hides("hashtag", "cats")
    for _ in range(2):
        (shown,) = as_viewer.shows("creator", bea)
        assert (shown.viewer_id, shown.kind, shown.subject) == (
            as_viewer.id, Kind.SHOW_CREATOR, str(bea),
        )  # fmt: skip
    assert as_viewer.shows("hashtag", "#CATS")[0].kind == Kind.SHOW_HASHTAG
    assert as_viewer.lists() == []
    with pytest.raises(Invalid):
        as_viewer.shows("creator", "bea")


def test_the_list_goes_on_over_pages(as_viewer):
    for number in range(7):
        as_viewer.hides("hashtag", f"tag{number}")
    names, after = [], None
    while page := as_viewer.lists(limit=3, after=after):
        names += [entry.name for entry in page]
        after = After(page[-1].created_at, page[-1].kind, page[-1].subject)
    assert names == [f"#tag{number}" for number in reversed(range(7))]


def test_what_is_gone_stays_in_the_list_so_that_it_can_be_taken_back(session, as_viewer, bea):
    video_id = make_video(session, bea)
    as_viewer.hides("video", video_id)
    session.execute(Base.metadata.tables["video"].update().values(state="failed"))
    (entry,) = as_viewer.lists()
    assert (entry.subject, entry.url) == (str(video_id), None)


@pytest.mark.parametrize(("kind", "subject", "error"), [
    ("video", "12", Missing),
    ("creator", "12", Missing),
    ("sound", "12", Missing),
    ("video", "x", Invalid),
    ("creator", "", Invalid),
    ("sound", "9" * 30, Invalid),
    ("hashtag", "no tag", Invalid),
])  # fmt: skip
def test_what_is_not_there_cannot_be_hidden(as_viewer, kind, subject, error):
    with pytest.raises(error):
        as_viewer.hides(kind, subject)
    assert as_viewer.lists() == []


def test_nobody_hides_without_end(as_viewer, monkeypatch):
    monkeypatch.setattr(import_module("reelm.feed.hidden"), "MOST_HIDDEN", 2)
    as_viewer.hides("hashtag", "a")
    as_viewer.hides("hashtag", "b")
    with pytest.raises(Conflict, match="take one back"):
        as_viewer.hides("hashtag", "c")
