import os
import time
from datetime import timedelta

from tests.videos.acts import (
    begun,
    forgotten_removed,
    imported,
    left_files,
    person,
    seen,
    sent,
    stored,
    swept,
)

from reelm import videos
from reelm.foundation import clock
from reelm.foundation.workspace import workspace
from reelm.videos import publish as publishing
from reelm.videos.models import Rendition, UnneededObject
from reelm.videos.objects import ORIGINALS, RENDITIONS, forget, remove_forgotten


def aged(parts, key: str, seconds: float = 2 * 3600) -> None:
    path = parts.store.local_path(key)
    os.utime(path, (time.time() - seconds,) * 2)


def test_objects_that_no_row_names_go_after_an_hour(parts, clips):
    video_id = imported(parts, person(parts), clips("mp4"))
    publishing.publish(parts, video_id)
    named = stored(parts)
    old = parts.store.put_bytes(RENDITIONS, b"old").key
    young = parts.store.put_bytes(RENDITIONS, b"young").key
    for key in (*named, old):
        aged(parts, key)
    swept(parts)
    assert stored(parts) == named | {young}


def test_a_retired_rendition_is_kept_for_a_day(parts, clips, run_jobs):
    video_id = imported(parts, person(parts), clips("phone"))
    run_jobs()

    def retired(hours: float) -> str:
        with parts.transaction() as session:
            source = session.get_one(Rendition, (video_id, "source"))
            source.retired_at = clock.now() - timedelta(hours=hours)
            return str(source.object)

    key = retired(23)
    swept(parts)
    with parts.transaction() as session:
        assert session.get(Rendition, (video_id, "source")) is not None
    retired(25)
    swept(parts)
    forgotten_removed(parts)
    with parts.transaction() as session:
        assert session.get(Rendition, (video_id, "source")) is None
    assert key not in stored(parts)
    assert seen(parts, video_id).state == "ready"


def test_stray_files_go_and_those_in_use_stay(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, 100)
    sent(parts, ana, upload_id, 0, b"x" * 10)
    (parts.home.uploads / "123").write_bytes(b"stray")
    dead = parts.home.work / "ladder-1-dead"
    dead.mkdir()
    (dead / "360.mp4").write_bytes(b"x")
    os.utime(dead, (time.time() - 100,) * 2)
    with workspace(parts.home, "alive") as alive:
        os.utime(alive, (time.time() - 100,) * 2)
        swept(parts)
        assert {path.name for path in left_files(parts)} == {str(upload_id), alive.name}
    assert {path.name for path in left_files(parts)} == {str(upload_id)}


def test_equal_bytes_of_two_people_go_with_the_last_of_them(parts, clips, run_jobs):
    ana, ben = person(parts), person(parts, "ben")
    first, second = imported(parts, ana, clips("mp4")), imported(parts, ben, clips("mp4"))
    run_jobs()
    both = stored(parts)
    with parts.transaction() as session:
        videos.delete_video(session, account_id=ana, video_id=first)
    forgotten_removed(parts)
    assert stored(parts) == both
    with parts.transaction() as session:
        sources = videos.media_sources(session, second)
    assert all(parts.store.size_bytes(s.key) for s in sources.values() if s.key)
    with parts.transaction() as session:
        videos.delete_video(session, account_id=ben, video_id=second)
    forgotten_removed(parts)
    assert stored(parts) == set()


def test_an_original_is_kept_while_the_same_bytes_may_be_on_their_way(parts):
    ana = person(parts)
    key = parts.store.put_bytes(ORIGINALS, b"x" * 10).key
    upload_id = begun(parts, ana, 10)
    with parts.transaction() as session:
        forget(session, [key])
    remove_forgotten(parts)
    assert stored(parts) == {key}
    assert sent(parts, ana, upload_id, 0, b"x" * 10).video_id is not None
    remove_forgotten(parts)
    assert stored(parts) == {key}
    with parts.transaction() as session:
        assert session.get(UnneededObject, key) is None


def test_a_rendition_stored_anew_outlives_its_removal(parts):
    key = parts.store.put_bytes(RENDITIONS, b"x").key
    aged(parts, key)
    with parts.transaction() as session:
        forget(session, [key])
        row = session.get_one(UnneededObject, key)
        row.since = clock.now() - timedelta(minutes=11)
    parts.store.put_bytes(RENDITIONS, b"x")
    remove_forgotten(parts)
    assert stored(parts) == {key}


def test_erasing_removes_all_videos_uploads_and_objects_of_an_account_only(parts, clips, run_jobs):
    ana, ben = person(parts), person(parts, "ben")
    mine = [imported(parts, ana, clips("mp4")), imported(parts, ana, clips("audio_only"))]
    other = imported(parts, ben, clips("silent"))
    run_jobs()
    sent(parts, ana, begun(parts, ana, 100), 0, b"half")
    videos.erase_videos(parts, ana)
    videos.erase_videos(parts, ana)
    with parts.transaction() as session:
        assert [view.id for view in videos.load_views(session, [*mine, other])] == [other]
        kept = {s.key for s in videos.media_sources(session, other).values() if s.key}
    forgotten_removed(parts)
    assert stored(parts) == kept
    assert left_files(parts) == []
