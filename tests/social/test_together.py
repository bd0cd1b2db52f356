"""What happens when people act at the same moment."""

import threading
from typing import Any

from sqlalchemy import select, text
from tests.social.factory import make_account, make_video

from reelm import social
from reelm.foundation.errors import ReelmError
from reelm.social.models import Follow, VideoCount


def _together(parts, *acts: Any):
    """Run each act in a thread and a transaction of its own; return what went wrong inside."""
    start, faults = threading.Barrier(len(acts)), []

    def run(act):
        try:
            with parts.transaction() as session:
                session.execute(select(1))
                start.wait(10)
                act(session)
        except ReelmError:
            pass
        except Exception as error:  # noqa: BLE001 - told by the main thread
            faults.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return faults


def test_likes_at_once_are_each_counted_once(parts):
    with parts.transaction() as session:
        video_id = make_video(session, make_account(session))
        fans = [make_account(session) for _ in range(3)]
    for verb, total in ((social.like, 3), (social.unlike, 0)):
        acts = [lambda s, fan=fan, verb=verb: verb(s, fan, video_id) for fan in fans * 2]
        assert not _together(parts, *acts)
        with parts.transaction() as session:
            assert session.scalar(select(VideoCount.likes)) == total


def test_no_follow_survives_a_block_at_the_same_moment(parts):
    for _ in range(8):
        with parts.transaction() as session:
            one, other = make_account(session), make_account(session)
        faults = _together(
            parts,
            lambda s, a=one, b=other: social.follow(s, a, b),
            lambda s, a=one, b=other: social.follow(s, b, a),
            lambda s, a=one, b=other: social.block(s, b, a),
        )
        assert not faults
        with parts.transaction() as session:
            assert session.scalars(select(Follow.account_id)).all() == []


def test_a_like_and_the_end_of_its_video_at_the_same_moment_are_no_fault(parts):
    for _ in range(5):
        with parts.transaction() as session:
            creator, fan = make_account(session), make_account(session)
            video_id = make_video(session, creator)
        faults = _together(
            parts,
            lambda s, fan=fan, video=video_id: social.like(s, fan, video),
            lambda s, fan=fan, video=video_id: social.comment(s, fan, video, "Hi"),
            lambda s, video=video_id: s.execute(
                text("DELETE FROM video WHERE id = :id"), {"id": video}
            ),
        )
        assert not faults
