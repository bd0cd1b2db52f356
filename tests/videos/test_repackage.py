from pathlib import Path

import av
import pytest
from tests.videos.factory import SECRETS, Clips, real_clip

from reelm.videos.boxes import boxes, top_level
from reelm.videos.fragments import package
from reelm.videos.probe import probe
from reelm.videos.repackage import can_repackage, repackage

_MAKERS = (b"Lavc", b"Lavf", b"x264", b"Handler")


def _box_names(path: Path) -> set[bytes]:
    data, names = path.read_bytes(), set()

    def walk(start: int, end: int) -> None:
        for name, body, stop in boxes(data, start, end):
            names.add(name)
            if name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"):
                walk(body, stop)

    walk(0, len(data))
    return names


@pytest.mark.parametrize("kind", ["mp4", "phone", "mov", "mkv", "silent", "mono", "vfr"])
def test_what_browsers_play_is_published_without_encoding(clips: Clips, work: Path, kind: str):
    seen = probe(clips(kind), work=work)
    assert can_repackage(seen) is None
    rung = repackage(clips(kind), seen, work=work)
    again = probe(rung.path, work=work)
    assert again.video.frame_count == seen.video.frame_count
    assert again.duration_ms == pytest.approx(seen.duration_ms, abs=40)
    assert (again.audio is None) == (seen.audio is None)
    assert [path.name for path in work.iterdir()] == ["source.mp4"]


def test_no_byte_tells_of_the_source(clips, work):
    data = clips("phone").read_bytes()
    for secret in SECRETS[:1] + SECRETS[2:]:
        assert secret in data, "the clip does not carry what is to be removed"
    rung = repackage(clips("phone"), probe(clips("phone"), work=work), work=work)
    published = rung.path.read_bytes()
    assert [secret for secret in (*SECRETS, *_MAKERS) if secret in published] == []
    allowed = set(
        b"ftyp moov mvhd trak tkhd edts mdia mdhd hdlr minf vmhd smhd dinf stbl stsd stts stsc stsz"
        b" stco mvex mehd trex sidx moof mfhd traf tfhd tfdt trun mdat".split()
    )
    assert _box_names(rung.path) - allowed == set()


def test_segments_begin_at_key_frames_and_cover_the_file(clips, work):
    rung = repackage(clips("phone"), probe(clips("phone"), work=work), work=work)
    assert [segment.duration_ms for segment in rung.segments] == [2000, 2000, 1000]
    data = rung.path.read_bytes()
    assert data[4:8] == b"ftyp"
    for segment in rung.segments:
        assert data[segment.offset + 4 : segment.offset + 8] == b"moof"
    ends = [segment.offset + segment.length for segment in rung.segments]
    assert ends == [*(segment.offset for segment in rung.segments[1:]), rung.size_bytes]
    alone = work / "alone.mp4"
    last = rung.segments[-1]
    alone.write_bytes(data[: rung.init_length] + data[last.offset :])
    with av.open(str(alone)) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 30
    assert frames[0].key_frame


def test_a_turned_phone_clip_keeps_its_display_matrix(clips, work):
    seen = probe(clips("rotated90"), work=work)
    assert can_repackage(seen) is None
    rung = repackage(clips("rotated90"), seen, work=work)
    assert (rung.width, rung.height) == (180, 320)
    assert probe(rung.path, work=work).video.rotation == 90


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("webm", "vp9"),
        ("avi", "container"),
        ("51", "6 channels"),
        ("hdr", "hevc"),
        ("anamorphic", "not square"),
        ("opengop", "open"),
        ("longgop", "7.0 s apart"),
        ("120fps", "120 frames"),
        ("4k", "level"),
    ],
)
def test_what_browsers_may_not_play_goes_to_the_ladder(clips, work, kind, reason):
    assert reason in (can_repackage(probe(clips(kind), work=work)) or "")


def test_packaging_a_published_file_again_changes_nothing(work):
    rung = repackage(real_clip("bikes"), probe(real_clip("bikes"), work=work), work=work)
    again = package(rung.path, work / "again.mp4")
    assert (work / "again.mp4").read_bytes() == rung.path.read_bytes()
    assert again.segments == rung.segments
    with rung.path.open("rb") as file:
        assert [name for name, _, _ in top_level(file)][:3] == [b"ftyp", b"moov", b"sidx"]


def test_pictures_and_sound_stay_together(clips, work):
    rung = repackage(clips("phone"), probe(clips("phone"), work=work), work=work)
    with av.open(str(rung.path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.start_time == 0
        assert (audio.start_time or 0) / 48_000 == pytest.approx(0, abs=0.025)
