import pytest
from tests.videos.acts import forgotten_removed, imported, left_files, person, seen, stored
from tests.videos.factory import SECRETS

from reelm import videos
from reelm.foundation.database import Session
from reelm.foundation.errors import Unavailable
from reelm.foundation.jobs.worker import Job, JobRun
from reelm.videos import convert, jobs, ladder
from reelm.videos import publish as publishing
from reelm.videos.models import Rendition, Video


class Killed(BaseException):
    """The process ends here, as by kill -9: nothing after it runs."""


def killed(*_args: object, **_more: object) -> None:
    raise Killed


def test_a_phone_clip_is_playable_before_its_ladder_is_made(parts, clips):
    video_id = imported(parts, person(parts), clips("phone"))
    publishing.publish(parts, video_id)
    view = seen(parts, video_id)
    assert view.state == "ready"
    assert view.published_at is not None
    assert [r.name for r in view.renditions] == ["source"]
    assert (view.width, view.height) == (360, 640)
    assert 4900 < view.duration_ms < 5100
    assert view.has_poster
    assert view.placeholder.startswith("data:image/")
    assert view.sound_id is not None
    assert not view.is_settled


def test_its_ladder_follows_and_the_original_goes(parts, clips, run_jobs):
    video_id = imported(parts, person(parts), clips("phone"))
    run_jobs()
    view = seen(parts, video_id)
    assert view.ladder_at is not None
    assert view.is_settled
    assert {r.name for r in view.renditions} >= {"360"}
    assert stored(parts, "originals") == set()
    assert left_files(parts) == []
    for key in stored(parts):
        data = parts.store.get(key)
        assert not [secret for secret in SECRETS if secret in data], key


def test_what_cannot_be_published_at_once_is_published_by_its_ladder(parts, clips, run_jobs):
    video_id = imported(parts, person(parts), clips("webm"))
    publishing.publish(parts, video_id)
    view = seen(parts, video_id)
    assert (view.state, view.has_poster, view.width) == ("processing", True, 180)
    run_jobs()
    view = seen(parts, video_id)
    assert view.state == "ready"
    assert view.published_at is not None
    assert [r.name for r in view.renditions] == ["180"]


def test_captions_inside_the_file_come_with_it(parts, clips, run_jobs):
    video_id = imported(parts, person(parts), clips("captioned"))
    run_jobs()
    assert seen(parts, video_id).captions == ("en",)


def test_a_silent_clip_has_no_sound(parts, clips):
    video_id = imported(parts, person(parts), clips("silent"))
    publishing.publish(parts, video_id)
    assert seen(parts, video_id).sound_id is None


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("audio_only", "sound but no picture"),
        ("picture", "picture, not a video"),
        ("wide", "pixels"),
        ("long", "long; at most"),
    ],
)
def test_a_file_that_is_no_fit_video_is_refused_with_its_reason_and_leaves_nothing(
    parts, clips, run_jobs, kind, sentence
):
    video_id = imported(parts, person(parts), clips(kind))
    run_jobs()
    view = seen(parts, video_id)
    assert view.state == "failed"
    assert view.reason is not None
    assert sentence in view.reason
    assert view.is_settled
    assert stored(parts) == set()
    assert left_files(parts) == []


def test_publishing_again_changes_nothing(parts, clips, run_jobs):
    video_id = imported(parts, person(parts), clips("mp4"))
    publishing.publish(parts, video_id)
    before, objects = seen(parts, video_id), stored(parts)
    publishing.publish(parts, video_id)
    assert (seen(parts, video_id), stored(parts)) == (before, objects)
    run_jobs()
    before, objects = seen(parts, video_id), stored(parts)
    publishing.publish(parts, video_id)
    convert.convert(parts, video_id, lambda _: None)
    assert (seen(parts, video_id), stored(parts)) == (before, objects)


@pytest.mark.parametrize(
    "where", ["reelm.videos.publish._record", "reelm.videos.poster.make_poster"]
)
def test_publishing_killed_anywhere_is_done_by_the_next_try(
    parts, clips, run_jobs, monkeypatch, where
):
    video_id = imported(parts, person(parts), clips("mp4"))
    with monkeypatch.context() as patched:
        patched.setattr(where, killed)
        with pytest.raises(Killed):
            publishing.publish(parts, video_id)
    assert seen(parts, video_id).state == "processing"
    run_jobs()
    assert seen(parts, video_id).state == "ready"
    assert stored(parts, "originals") == set()


@pytest.mark.parametrize("where", ["_record", "store_rung", "make_ladder"])
def test_a_ladder_killed_anywhere_is_made_by_the_next_try(
    parts, clips, run_jobs, monkeypatch, where
):
    video_id = imported(parts, person(parts), clips("webm"))
    publishing.publish(parts, video_id)
    with monkeypatch.context() as patched:
        patched.setattr(convert, where, killed)
        with pytest.raises(Killed):
            convert.convert(parts, video_id, lambda _: None)
    assert seen(parts, video_id).state == "processing"
    run_jobs()
    view = seen(parts, video_id)
    assert view.state == "ready"
    assert stored(parts, "originals") == set()


def test_a_source_rung_whose_key_frames_the_ladder_shares_stays(parts, clips, run_jobs):
    video_id = imported(parts, person(parts), clips("phone"))
    run_jobs()
    with parts.transaction() as session:
        source = session.get_one(Rendition, (video_id, "source"))
        ladder_rung = session.get_one(Rendition, (video_id, "360"))
    assert source.retired_at is None
    assert len(source.segments) == len(ladder_rung.segments)


def test_a_source_rung_that_does_not_match_is_retired_and_still_served(
    parts, clips, run_jobs, monkeypatch
):
    monkeypatch.setattr(ladder, "_matches", lambda *_: False)
    video_id = imported(parts, person(parts), clips("phone"))
    run_jobs()
    assert "source" not in {r.name for r in seen(parts, video_id).renditions}
    with parts.transaction() as session:
        assert session.get_one(Rendition, (video_id, "source")).retired_at is not None
        assert "source.mp4" in videos.media_sources(session, video_id)


def test_a_ladder_that_fails_for_good_leaves_what_is_playable_and_says_why(parts, clips):
    video_id = imported(parts, person(parts), clips("phone"))
    publishing.publish(parts, video_id)
    jobs.ladder_failed(JobRun(parts, 1), "It takes too long.", video_id=video_id)
    jobs.ladder_failed(JobRun(parts, 1), "It takes too long.", video_id=video_id)
    view = seen(parts, video_id)
    assert (view.state, view.reason, view.ladder_at) == ("ready", "It takes too long.", None)
    assert view.is_settled
    forgotten_removed(parts)
    assert stored(parts, "originals") == set()
    assert stored(parts, "renditions") != set()


def test_a_file_that_is_damaged_in_the_middle_is_refused_after_all(parts, clips, run_jobs):
    damaged = clips.changed("phone", "scratched.mp4", scratched)
    video_id = imported(parts, person(parts), damaged)
    run_jobs()
    view = seen(parts, video_id)
    assert (view.state, view.renditions) == ("failed", ())
    assert "damaged" in (view.reason or "")
    forgotten_removed(parts)
    assert stored(parts) == set()


def scratched(data: bytes) -> bytes:
    """Overwrite the inside of one coded picture, and nothing that a container knows of."""
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    return (
        data[:middle] + bytes(b ^ 0x5A for b in data[middle : middle + 200]) + data[middle + 200 :]
    )


def test_a_ladder_that_fails_for_good_ends_a_video_that_has_nothing_playable(parts, clips):
    video_id = imported(parts, person(parts), clips("webm"))
    publishing.publish(parts, video_id)
    jobs.ladder_failed(JobRun(parts, 1), "It takes too long.", video_id=video_id)
    view = seen(parts, video_id)
    assert (view.state, view.reason) == ("failed", "It takes too long.")
    forgotten_removed(parts)
    assert stored(parts) == set()


def test_a_part_that_is_away_is_waited_for_and_not_held_against_the_video(
    parts, clips, monkeypatch
):
    video_id = imported(parts, person(parts), clips("mp4"))

    def away(*_args: object, **_more: object) -> None:
        raise Unavailable("The object store does not work.")

    monkeypatch.setattr(publishing, "store_rung", away)
    with pytest.raises(Unavailable):
        publishing.publish(parts, video_id)
    assert seen(parts, video_id).state == "processing"


def test_an_accident_inside_a_job_ends_the_video_with_a_sentence(
    parts, clips, run_jobs, monkeypatch
):
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("reelm.videos.publish.probe.probe", broken)
    video_id = imported(parts, person(parts), clips("mp4"))
    failed = Job(jobs.run_publish, jobs.publish_failed).on_failed
    assert failed is not None
    failed(JobRun(parts, 1), "Something went wrong inside.", video_id=video_id)
    assert seen(parts, video_id).reason == "Something went wrong inside."


def test_a_video_deleted_while_it_is_published_leaves_no_object(parts, clips, monkeypatch):
    ana = person(parts)
    video_id = imported(parts, ana, clips("mp4"))
    record = publishing._record

    def deleted_first(session: Session, number: int, found: publishing.Found) -> None:
        with parts.transaction() as other:
            videos.delete_video(other, account_id=ana, video_id=video_id)
        record(session, number, found)

    monkeypatch.setattr(publishing, "_record", deleted_first)
    publishing.publish(parts, video_id)
    forgotten_removed(parts)
    assert stored(parts) == set()
    with parts.transaction() as session:
        assert session.get(Video, video_id) is None


def test_progress_is_told_while_the_ladder_is_made(parts, clips):
    video_id = imported(parts, person(parts), clips("phone"))
    publishing.publish(parts, video_id)
    told: list[float] = []
    convert.convert(parts, video_id, told.append)
    assert told
    assert all(0 <= fraction <= 1 for fraction in told)
