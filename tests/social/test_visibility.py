"""The rule in SQL and the rule in memory give the same answer for every combination."""

from itertools import product

import pytest
from sqlalchemy import select
from tests.social.factory import make_account, make_video

from reelm import social
from reelm.accounts.models import Account
from reelm.foundation.clock import now
from reelm.foundation.database import Session
from reelm.foundation.errors import Missing
from reelm.social.models import Block, Follow
from reelm.social.visibility import follows
from reelm.videos.models import Video

VIDEOS = list(product(("public", "followers", "unlisted", "private"),
                      ("ready", "processing", "failed")))  # fmt: skip
CREATORS = list(product((False, True), ("active", "erasing")))
FOLLOWS = (None, "requested", "accepted")
BLOCKS = ("none", "by_viewer", "by_creator", "both")


def _relate(session: Session, viewer: int, creator: int, follow: str | None, block: str) -> None:
    moment = now()
    if follow:
        session.add(Follow(account_id=viewer, creator_id=creator, state=follow, created_at=moment))
    if block in ("by_viewer", "both"):
        session.add(Block(account_id=viewer, blocked_id=creator, created_at=moment))
    if block in ("by_creator", "both"):
        session.add(Block(account_id=creator, blocked_id=viewer, created_at=moment))


def test_sql_and_memory_agree_for_every_combination(session):
    creators = {}
    for is_private, state in CREATORS:
        creator = make_account(session, is_private=is_private, state=state)
        creators[creator] = [make_video(session, creator, audience=a, state=s) for a, s in VIDEOS]
    viewers: list[int | None] = [None, *creators]
    for follow, block in product(FOLLOWS, BLOCKS):
        viewer = make_account(session)
        viewers.append(viewer)
        for creator in creators:
            _relate(session, viewer, creator, follow, block)
    session.flush()
    compared = 0
    for who in viewers:
        listed = set(session.scalars(social.visible_to(who, Video.id)))
        addressed = set(session.scalars(social.watchable_by(who, Video.id)))
        for creator, videos in creators.items():
            relation = social.relation_of(session, who, creator)
            for video in videos:
                access = social.access_of(session, video)
                assert access is not None
                how = {"follows": relation.follows, "blocked": relation.blocked}
                assert social.allows(access, who, **how) == (video in addressed), access
                assert social.lists(access, who, **how) == (video in listed), access
                assert _opens(session, who, video) == (video in addressed)
                compared += 1
        assert listed <= addressed
    assert compared == len(viewers) * len(CREATORS) * len(VIDEOS)


def _opens(session, who, video):
    """Whether the verbs that act on a video take it from this viewer."""
    try:
        social.require_watchable(session, who, video)
    except Missing:
        return False
    return True


def test_a_stranger_sees_public_ready_videos_only(session):
    creator = make_account(session)
    made = {a: make_video(session, creator, audience=a)
            for a in ("public", "followers", "unlisted", "private")}  # fmt: skip
    make_video(session, creator, state="processing")
    assert list(session.scalars(social.visible_to(None, Video.id))) == [made["public"]]
    addressed = set(session.scalars(social.watchable_by(None, Video.id)))
    assert addressed == {made["public"], made["unlisted"]}


def test_a_private_account_shows_even_unlisted_videos_to_followers_only(session):
    creator = make_account(session, is_private=True)
    follower, asker = make_account(session), make_account(session)
    _relate(session, follower, creator, "accepted", "none")
    _relate(session, asker, creator, "requested", "none")
    session.flush()
    video = make_video(session, creator, audience="unlisted")
    assert _opens(session, follower, video)
    assert not _opens(session, asker, video)
    assert not _opens(session, None, video)


@pytest.mark.parametrize("viewer", ["blocker", "blocked"])
def test_a_block_hides_both_from_each_other(session, viewer):
    one, other = make_account(session), make_account(session)
    videos = {one: make_video(session, one), other: make_video(session, other)}
    social.block(session, one, other)
    me, them = (one, other) if viewer == "blocker" else (other, one)
    assert set(session.scalars(social.visible_to(me, Video.id))) == {videos[me]}
    assert not _opens(session, me, videos[them])


def test_the_rule_can_fail(session):
    """A query that forgets the rule shows what the rule hides: the test above is no accident."""
    creator = make_account(session)
    video = make_video(session, creator, audience="private")
    assert list(session.scalars(select(Video.id).join(Account, Account.id == creator))) == [video]
    assert not list(session.scalars(social.visible_to(None, Video.id)))


def test_the_rule_keeps_its_own_follows_inside_a_query_of_follows(session):
    me, followed, asked = (make_account(session) for _ in range(3))
    _relate(session, me, followed, "accepted", "none")
    _relate(session, me, asked, "requested", "none")
    session.flush()
    query = select(Follow.creator_id, follows(me, Follow.creator_id))
    assert dict(session.execute(query).all()) == {followed: True, asked: False}
