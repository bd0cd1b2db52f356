"""A state machine of follows, blocks, likes and comments against a plain model in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, text, update
from tests.social.factory import make_account, make_video

from reelm import social
from reelm.accounts.models import Account
from reelm.foundation.errors import Conflict, Forbidden, Invalid, Missing, ReelmError
from reelm.social.models import VideoCount
from reelm.videos.models import Video

PEOPLE, VIDEOS = 4, 6
person = st.integers(0, PEOPLE - 1)
video = st.integers(0, VIDEOS - 1)
AUDIENCES = ("public", "followers", "unlisted", "private")


class Acts(RuleBasedStateMachine):
    """Each example is one transaction that is rolled back."""

    parts: Any

    def __init__(self) -> None:
        super().__init__()
        self.open = self.parts.transaction()
        self.session = self.open.__enter__()
        self.ids = [make_account(self.session) for _ in range(PEOPLE)]
        self.creators = [n % 3 for n in range(VIDEOS)]
        self.videos = [make_video(self.session, self.ids[c]) for c in self.creators]
        self.audience = ["public"] * VIDEOS
        self.private = [False] * PEOPLE
        self.follows: dict[tuple[int, int], str] = {}
        self.blocks: set[tuple[int, int]] = set()
        self.likes: set[tuple[int, int]] = set()
        self.comments: dict[int, tuple[int, int]] = {}

    def teardown(self) -> None:
        self.session.rollback()
        self.open.__exit__(None, None, None)

    def blocked(self, one: int, other: int) -> bool:
        return bool({(one, other), (other, one)} & self.blocks)

    def sees(self, who: int, which: int, *, listed: bool = False) -> bool:
        creator, audience = self.creators[which], self.audience[which]
        if who == creator:
            return True
        if self.blocked(who, creator) or audience == "private":
            return False
        if listed and audience == "unlisted":
            return False
        if self.follows.get((who, creator)) == "accepted":
            return True
        return audience != "followers" and not self.private[creator]

    @contextmanager
    def expecting(self, kind: type[ReelmError] | None) -> Iterator[None]:
        raised = None
        try:
            yield
        except ReelmError as error:
            raised = type(error)
        assert raised is kind, (raised, kind)

    @rule(who=person, whom=person)
    def follow(self, who, whom):
        kind: type[ReelmError] | None = None
        if who == whom:
            kind = Invalid
        elif (whom, who) in self.blocks:
            kind = Missing
        elif (who, whom) in self.blocks:
            kind = Conflict
        with self.expecting(kind):
            state = social.follow(self.session, self.ids[who], self.ids[whom])
            new = "requested" if self.private[whom] else "accepted"
            assert state == self.follows.setdefault((who, whom), new)

    @rule(who=person, whom=person)
    def unfollow(self, who, whom):
        assert social.unfollow(self.session, self.ids[who], self.ids[whom]) == "none"
        self.follows.pop((who, whom), None)

    @rule(who=person, whom=person, accept=st.booleans())
    def answer_request(self, who, whom, accept):
        state = self.follows.get((who, whom))
        verb = social.accept_request if accept else social.refuse_request
        known = state is not None if accept else state == "requested"
        with self.expecting(None if known else Missing):
            verb(self.session, self.ids[whom], self.ids[who])
        if known and accept:
            self.follows[who, whom] = "accepted"
        elif known:
            del self.follows[who, whom]

    @rule(who=person, private=st.booleans())
    def change_privacy(self, who, private):
        statement = update(Account).where(Account.id == self.ids[who]).values(is_private=private)
        self.session.execute(statement)
        self.private[who] = private
        if not private:
            social.accept_all_requests(self.session, self.ids[who])
            for pair in self.follows:
                if pair[1] == who:
                    self.follows[pair] = "accepted"

    @rule(who=person, whom=person)
    def block(self, who, whom):
        with self.expecting(Invalid if who == whom else None):
            social.block(self.session, self.ids[who], self.ids[whom])
        if who != whom:
            self.blocks.add((who, whom))
            self.follows.pop((who, whom), None)
            self.follows.pop((whom, who), None)

    @rule(who=person, whom=person)
    def unblock(self, who, whom):
        social.unblock(self.session, self.ids[who], self.ids[whom])
        self.blocks.discard((who, whom))

    @rule(which=video, audience=st.sampled_from(AUDIENCES))
    def change_audience(self, which, audience):
        statement = update(Video).where(Video.id == self.videos[which]).values(audience=audience)
        self.session.execute(statement)
        self.audience[which] = audience

    @rule(who=person, which=video)
    def like(self, who, which):
        with self.expecting(None if self.sees(who, which) else Missing):
            told = social.like(self.session, self.ids[who], self.videos[which])
            self.likes.add((who, which))
            assert told == social.Likes(self.total_likes(which), is_liked=True)

    @rule(who=person, which=video)
    def unlike(self, who, which):
        may = (who, which) in self.likes or self.sees(who, which)
        with self.expecting(None if may else Missing):
            told = social.unlike(self.session, self.ids[who], self.videos[which])
            self.likes.discard((who, which))
            assert told == social.Likes(self.total_likes(which), is_liked=False)

    @rule(who=person, which=video)
    def comment(self, who, which):
        with self.expecting(None if self.sees(who, which) else Missing):
            made = social.comment(self.session, self.ids[who], self.videos[which], "Nice")
            self.comments[made] = (who, which)

    @rule(who=person, data=st.data(), delete=st.booleans())
    def change_comment(self, who, data, delete):
        if not self.comments:
            return
        made = data.draw(st.sampled_from(sorted(self.comments)))
        author, which = self.comments[made]
        owners = {author, self.creators[which]} if delete else {author}
        kind = None if who in owners else Forbidden if self.sees(who, which) else Missing
        with self.expecting(kind):
            if delete:
                social.delete_comment(self.session, self.ids[who], made)
                del self.comments[made]
            else:
                social.edit_comment(self.session, self.ids[who], made, "Edited")

    def total_likes(self, which: int) -> int:
        return sum(1 for _, liked in self.likes if liked == which)

    @invariant()
    def each_sees_what_the_model_says(self):
        for who in range(PEOPLE):
            listed = set(self.session.scalars(social.visible_to(self.ids[who], Video.id)))
            opened = set(self.session.scalars(social.watchable_by(self.ids[who], Video.id)))
            expected = range(VIDEOS)
            assert listed == {self.videos[v] for v in expected if self.sees(who, v, listed=True)}
            assert opened == {self.videos[v] for v in expected if self.sees(who, v)}

    @invariant()
    def totals_are_exact(self):
        rows = self.session.execute(
            select(VideoCount.video_id, VideoCount.likes, VideoCount.comments)
        )
        found = {row.video_id: (row.likes, row.comments) for row in rows}
        for which, video_id in enumerate(self.videos):
            comments = sum(1 for _, under in self.comments.values() if under == which)
            expected = (self.total_likes(which), comments)
            assert found.get(video_id, (0, 0)) == expected


def test_follows_blocks_likes_and_comments_behave_as_the_model(parts):
    class Bound(Acts):
        pass

    Bound.parts = parts
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_totals_follow_an_account_that_is_erased(session):
    creator, fan = make_account(session), make_account(session)
    video_id = make_video(session, creator)
    social.like(session, fan, video_id)
    social.comment(session, fan, video_id, "Hello")
    session.execute(text("DELETE FROM account WHERE id = :id"), {"id": fan})
    totals = session.execute(select(VideoCount.likes, VideoCount.comments)).one()
    assert tuple(totals) == (0, 0)


def test_rows_loaded_with_their_totals_are_not_counted_twice(session):
    creator, fan = make_account(session), make_account(session)
    video_id = make_video(session, creator)
    session.execute(text("SET LOCAL reelm.loading = 'on'"))
    session.add(VideoCount(video_id=video_id, likes=1))
    session.flush()
    social.like(session, fan, video_id)
    assert session.scalar(select(VideoCount.likes)) == 1


def test_a_deleted_video_takes_its_likes_and_comments_along(session):
    creator, fan = make_account(session), make_account(session)
    video_id = make_video(session, creator)
    social.like(session, fan, video_id)
    social.comment(session, fan, video_id, "Hello")
    session.execute(text("DELETE FROM video"))
    assert session.scalar(text("SELECT count(*) FROM video_like")) == 0
    assert session.scalar(select(VideoCount.likes)) is None
