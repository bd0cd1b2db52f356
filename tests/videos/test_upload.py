import fcntl
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from tests.videos.acts import (
    DRAFT,
    arriving,
    begun,
    left_files,
    looked,
    person,
    sent,
    stored,
    swept,
)

from reelm import videos
from reelm.foundation import clock
from reelm.foundation.errors import Conflict, Gone, Invalid, Missing, TooLarge
from reelm.foundation.parts import Parts
from reelm.videos import receive, upload
from reelm.videos.models import Upload

DATA = bytes(range(256)) * 40


def limited(parts: Parts, **limits) -> Parts:
    changed = msgspec.structs.replace(parts.settings.upload, **limits)
    settings = msgspec.structs.replace(parts.settings, upload=changed)
    return Parts(parts.home, settings, parts.database, parts.store)


def checksum(data: bytes, algorithm: str = "sha1") -> videos.Checksum:
    return videos.Checksum(algorithm, hashlib.new(algorithm, data).digest())


def test_an_upload_in_two_requests_becomes_a_video_with_the_words_that_came_with_it(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    first = sent(parts, ana, upload_id, 0, DATA[:4000])
    assert first == videos.Received(4000, None)
    assert looked(parts, ana, upload_id).offset_bytes == 4000
    last = sent(parts, ana, upload_id, 4000, DATA[4000:])
    assert last.offset_bytes == len(DATA)
    assert last.video_id is not None
    with parts.transaction() as session:
        view = videos.load_view(session, last.video_id)
    assert view is not None
    assert (view.caption, view.hashtags, view.audience) == ("A #cat", ("cat",), "public")
    assert view.state == "processing"
    (original,) = stored(parts, "originals")
    assert parts.store.get(original) == DATA
    assert left_files(parts) == []


def test_a_finished_upload_still_says_which_video_it_became(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    done = sent(parts, ana, upload_id, 0, DATA)
    assert looked(parts, ana, upload_id).video_id == done.video_id
    # The answer got lost and the client sends its empty rest again.
    assert sent(parts, ana, upload_id, len(DATA), b"") == done
    assert left_files(parts) == []


def test_sizes_are_judged_before_the_first_byte(parts):
    ana = person(parts)
    with pytest.raises(Invalid, match="empty"):
        begun(parts, ana, 0)
    with pytest.raises(TooLarge, match=r"at most 1,073,741,824 \(1 GiB\)"):
        begun(parts, ana, (1 << 30) + 1)


def test_the_quota_counts_originals_and_open_uploads_and_says_what_is_left(parts):
    ana, small = person(parts), limited(parts, quota_bytes=1 << 20)
    upload_id = begun(small, ana, 700_000)
    with pytest.raises(TooLarge, match=r"340\.4 KiB are left"):
        begun(small, ana, 400_000)
    begun(small, person(parts, "ben"), 400_000)
    with parts.transaction() as session:
        videos.terminate(session, account_id=ana, upload_id=upload_id)
    sent(small, ana, begun(small, ana, len(DATA)), 0, DATA)
    with parts.transaction() as session:
        left = videos.quota_left(session, ana, small.settings.upload)
    assert left == (1 << 20) - len(DATA)


def test_an_account_has_so_many_uploads_open_and_no_more(parts, monkeypatch):
    monkeypatch.setattr(upload, "MAX_OPEN_UPLOADS", 2)
    ana = person(parts)
    begun(parts, ana, 10)
    begun(parts, ana, 10)
    with pytest.raises(Conflict, match="2 uploads are unfinished"):
        begun(parts, ana, 10)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\0b.mp4", "😀.mp4", "\u202egp4.mp4", "/", "con", "x" * 1024]
)
def test_a_file_name_is_kept_as_words_and_never_used_as_a_path(parts, name):
    ana = person(parts)
    draft = videos.Draft(file_name=name)
    upload_id = begun(parts, ana, len(DATA), draft)
    assert looked(parts, ana, upload_id).draft.file_name == name
    sent(parts, ana, upload_id, 0, DATA[:-1])
    assert [path.name for path in parts.home.uploads.iterdir()] == [str(upload_id)]


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (videos.Draft(caption="x" * 2201), "2201 characters; at most 2200"),
        (videos.Draft(caption="a\0b"), "not text"),
        (videos.Draft(audience="everyone"), "no such audience"),
        (videos.Draft(language="../en"), "language must be a tag"),
        (videos.Draft(file_name="x" * 1025), "file name is longer"),
    ],
)
def test_words_that_cannot_be_kept_are_refused_before_the_first_byte(parts, draft, sentence):
    ana = person(parts)
    with pytest.raises(Invalid, match=sentence):
        begun(parts, ana, 10, draft)
    assert left_files(parts) == []


def test_the_draft_is_sealed_in_the_database(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, 10, videos.Draft(caption="SECRETDRAFT"))
    with parts.transaction() as session:
        draft = session.get_one(Upload, (ana, upload_id)).draft
    assert b"SECRETDRAFT" not in draft


def test_bytes_at_a_wrong_offset_are_refused_and_change_nothing(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    sent(parts, ana, upload_id, 0, DATA[:100])
    for offset in (0, 99, 101, len(DATA)):
        with pytest.raises(Conflict, match="offset 100"):
            arriving(parts, ana, upload_id, offset)
    assert sent(parts, ana, upload_id, 100, DATA[100:]).video_id is not None
    (original,) = stored(parts, "originals")
    assert parts.store.get(original) == DATA


def test_more_bytes_than_announced_are_refused(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, 100)
    with pytest.raises(TooLarge, match="announced with 100 bytes"):
        sent(parts, ana, upload_id, 0, DATA)
    assert sent(parts, ana, upload_id, 0, DATA[:100]).video_id is not None


def test_another_account_finds_no_such_upload(parts):
    ana, ben = person(parts), person(parts, "ben")
    upload_id = begun(parts, ana, 100)
    with pytest.raises(Missing):
        looked(parts, ben, upload_id)
    with pytest.raises(Missing):
        arriving(parts, ben, upload_id, 0)
    with parts.transaction() as session, pytest.raises(Missing):
        videos.terminate(session, account_id=ben, upload_id=upload_id)
    assert left_files(parts) == []


def test_of_two_requests_at_once_one_is_told_to_wait(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    first = arriving(parts, ana, upload_id, 0)
    first.write(DATA[:10])
    with pytest.raises(videos.Locked, match="wait a moment"):
        arriving(parts, ana, upload_id, 0)
    first.end()
    assert sent(parts, ana, upload_id, 10, DATA[10:]).video_id is not None


@pytest.mark.parametrize("algorithm", videos.CHECKSUMS)
def test_bytes_with_their_checksum_are_kept(parts, algorithm):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    kept = sent(parts, ana, upload_id, 0, DATA[:9], checksum=checksum(DATA[:9], algorithm))
    assert kept.offset_bytes == 9


def test_bytes_with_another_checksum_are_dropped(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    sent(parts, ana, upload_id, 0, DATA[:5])
    with pytest.raises(videos.WrongChecksum):
        sent(parts, ana, upload_id, 5, DATA[5:], checksum=checksum(b"other"))
    assert looked(parts, ana, upload_id).offset_bytes == 5
    assert upload.file_of(parts.home, upload_id).read_bytes() == DATA[:5]
    assert stored(parts) == set()
    assert sent(parts, ana, upload_id, 5, DATA[5:]).video_id is not None


def test_an_unknown_checksum_is_refused(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    with pytest.raises(Invalid, match="sha1, sha256"):
        arriving(parts, ana, upload_id, 0, checksum=videos.Checksum("crc32", b"x"))


def test_what_arrived_before_the_connection_broke_is_kept(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    arrival = arriving(parts, ana, upload_id, 0)
    arrival.write(DATA[:123])
    arrival.cut()
    assert looked(parts, ana, upload_id).offset_bytes == 123


def test_a_cut_request_with_a_checksum_leaves_nothing_that_was_not_checked(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    arrival = arriving(parts, ana, upload_id, 0, checksum=checksum(DATA))
    arrival.write(DATA[:123])
    arrival.cut()
    assert looked(parts, ana, upload_id).offset_bytes == 0
    assert upload.file_of(parts.home, upload_id).stat().st_size == 0


def test_a_long_request_is_saved_while_it_goes_on(parts, monkeypatch):
    monkeypatch.setattr(receive, "SAVE_EVERY_BYTES", 1000)
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    arrival = arriving(parts, ana, upload_id, 0)
    arrival.write(DATA[:1500])
    assert looked(parts, ana, upload_id).offset_bytes == 1500
    arrival.write(DATA[1500:])
    # The last byte counts only with the video.
    assert looked(parts, ana, upload_id).offset_bytes == 1500
    assert arrival.end().video_id is not None


def test_after_kill_9_what_lies_beyond_the_saved_offset_is_sent_again(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    sent(parts, ana, upload_id, 0, DATA[:1000])
    # A process that was killed left torn bytes, and the kernel has let go of its lock.
    with upload.file_of(parts.home, upload_id).open("ab") as file:
        file.write(b"torn" * 500)
    assert looked(parts, ana, upload_id).offset_bytes == 1000
    done = sent(parts, ana, upload_id, 1000, DATA[1000:])
    assert done.video_id is not None
    (original,) = stored(parts, "originals")
    assert parts.store.get(original) == DATA


def test_kill_9_between_the_object_and_the_rows_leaves_an_upload_that_can_be_ended(
    parts, monkeypatch
):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    sent(parts, ana, upload_id, 0, DATA[:1000])

    class Killed(BaseException):
        pass

    def killed(*_args: object, **_more: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(receive, "ingest", killed)
        with pytest.raises(Killed):
            sent(parts, ana, upload_id, 1000, DATA[1000:])
    assert looked(parts, ana, upload_id).offset_bytes == 1000
    done = sent(parts, ana, upload_id, 1000, DATA[1000:])
    assert done.video_id is not None
    assert len(stored(parts, "originals")) == 1


def test_an_upload_whose_bytes_are_lost_says_so_and_ends(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    sent(parts, ana, upload_id, 0, DATA[:1000])
    os.truncate(upload.file_of(parts.home, upload_id), 10)
    with pytest.raises(Gone, match="lost"):
        arriving(parts, ana, upload_id, 1000)
    with pytest.raises(Missing):
        looked(parts, ana, upload_id)
    assert left_files(parts) == []


def test_a_terminated_upload_leaves_nothing_even_while_it_is_sent(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    arrival = arriving(parts, ana, upload_id, 0)
    arrival.write(DATA[:100])
    with parts.transaction() as session:
        videos.terminate(session, account_id=ana, upload_id=upload_id)
    videos.discard_file(parts.home, upload_id)
    with pytest.raises(Gone):
        arrival.end()
    assert left_files(parts) == []
    with pytest.raises(Missing):
        arriving(parts, ana, upload_id, 0)
    assert left_files(parts) == []


def test_an_expired_upload_is_gone_and_its_file_is_swept(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    sent(parts, ana, upload_id, 0, DATA[:1000])
    with parts.transaction() as session:
        row = session.get_one(Upload, (ana, upload_id))
        assert row.expires_at > clock.now() + timedelta(hours=23)
        row.expires_at = clock.now() - timedelta(seconds=1)
    with pytest.raises(Gone, match="expired"):
        looked(parts, ana, upload_id)
    with pytest.raises(Gone):
        arriving(parts, ana, upload_id, 1000)
    swept(parts)
    with pytest.raises(Missing):
        looked(parts, ana, upload_id)
    assert left_files(parts) == []


def test_each_request_prolongs_the_upload(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    before = looked(parts, ana, upload_id).expires_at
    sent(parts, ana, upload_id, 0, DATA[:10])
    assert looked(parts, ana, upload_id).expires_at > before


def test_two_uploads_begun_at_once_cannot_both_take_the_last_of_the_quota(parts):
    ana, small = person(parts), limited(parts, quota_bytes=1 << 20)
    with parts.transaction() as first, ThreadPoolExecutor(1) as beside:
        videos.create(first, small, account_id=ana, size_bytes=800_000, draft=DRAFT)
        other = beside.submit(begun, small, ana, 800_000)
        with pytest.raises(TimeoutError):
            other.result(timeout=0.3)
        first.commit()
        with pytest.raises(TooLarge, match="are left"):
            other.result(timeout=10)


def test_the_lock_of_an_upload_ends_with_its_request(parts):
    ana = person(parts)
    upload_id = begun(parts, ana, len(DATA))
    sent(parts, ana, upload_id, 0, DATA[:10])
    with upload.file_of(parts.home, upload_id).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
