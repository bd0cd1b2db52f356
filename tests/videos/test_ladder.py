from pathlib import Path

import av
import msgspec
import pytest
from tests.videos.factory import SECRETS, Clips, real_clip

from reelm.foundation.errors import Invalid
from reelm.videos.ladder import Ladder, _progress, make_ladder, sizes
from reelm.videos.probe import Probe, probe
from reelm.videos.repackage import can_repackage, repackage

_MAKERS = (b"Lavc", b"Lavf", b"x264", b"Handler")


def _ladder(source: Path, work: Path) -> tuple[Probe, Ladder]:
    seen = probe(source, work=work)
    beside = repackage(source, seen, work=work) if can_repackage(seen) is None else None
    return seen, make_ladder(source, seen, work=work, beside=beside)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("webm", {"180": (180, 320)}),
        ("ogv", {"180": (180, 320)}),
        ("rotated90", {"180": (180, 320)}),
        ("rotated180", {"180": (320, 180)}),
        ("anamorphic", {"198": (360, 198)}),
        ("tiny", {"144": (176, 144)}),
        ("odd", {"180": (180, 320)}),
        ("interlaced", {"240": (320, 240)}),
        ("hdr", {"180": (180, 320)}),
        (
            "4k",
            {"360": (360, 640), "540": (540, 960), "720": (720, 1280), "1080": (1080, 1920)},
        ),
    ],
)
def test_each_rung_has_its_size_and_plays(clips: Clips, work: Path, kind: str, expected):
    seen, ladder = _ladder(clips(kind), work)
    assert {rung.name: (rung.width, rung.height) for rung in ladder.rungs} == expected
    for rung in ladder.rungs:
        again = probe(rung.path, work=work)
        assert (again.video.width, again.video.height) == (rung.width, rung.height)
        assert (again.video.codec, again.video.pix_fmt) == ("h264", "yuv420p")
        assert again.video.rotation == 0
        assert again.video.is_square_pixels
        assert not again.video.is_hdr
        assert again.duration_ms == pytest.approx(seen.duration_ms, abs=80)
        assert can_repackage(again) is None


@pytest.mark.parametrize(
    ("kind", "rate"),
    [("10fps", 10), ("60fps", 60), ("120fps", 60), ("vfr", pytest.approx(20, 0.1))],
)
def test_frame_rates_stay_as_they_are_up_to_60(clips, work, kind, rate):
    _, ladder = _ladder(clips(kind), work)
    assert ladder.rungs[0].frame_rate == rate


@pytest.mark.parametrize(("kind", "channels"), [("51", 2), ("mono", 2), ("mp4", 2), ("silent", 0)])
def test_sound_becomes_stereo_or_stays_absent(clips, work, kind, channels):
    _, ladder = _ladder(clips(kind), work)
    audio = probe(ladder.rungs[0].path, work=work).audio
    assert (audio.channels if audio else 0) == channels
    assert ("mp4a.40.2" in ladder.rungs[0].codecs) == bool(channels)


def test_rungs_cut_at_the_same_frames_as_the_source(work):
    source = real_clip("bikes")
    seen = probe(source, work=work)
    beside = repackage(source, seen, work=work)
    ladder = make_ladder(source, seen, work=work, beside=beside)
    assert ladder.matches_source
    assert [s.duration_ms for s in ladder.rungs[0].segments] == [
        s.duration_ms for s in beside.segments
    ]


def test_without_a_source_rung_all_rungs_cut_every_two_seconds(work):
    _, ladder = _ladder(real_clip("bigbuckbunny"), work)
    assert not ladder.matches_source
    assert [rung.name for rung in ladder.rungs] == ["360", "540", "720"]
    for rung in ladder.rungs:
        assert [segment.duration_ms for segment in rung.segments] == [2000, 2000, 1280]
        with av.open(str(rung.path)) as container:
            keys = [p.pts for p in container.demux(video=0) if p.is_keyframe]
        assert keys == [0, 180_000, 360_000]
    assert sorted(rung.bitrate_bps for rung in ladder.rungs) == [
        rung.bitrate_bps for rung in ladder.rungs
    ]


def test_a_turned_source_rung_is_retired(clips, work):
    assert not _ladder(clips("rotated270"), work)[1].matches_source


def test_turned_pictures_come_out_the_right_way_up(clips, work):
    """The clip's red corner is at the top left before it is turned."""
    corners = {"rotated90": (10, -10), "rotated180": (-10, -10), "rotated270": (-10, 10)}
    for kind, (across, down) in corners.items():
        _, ladder = _ladder(clips(kind), work)
        with av.open(str(ladder.rungs[0].path)) as container:
            picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
        red, green, blue = (int(value) for value in picture[down, across])
        assert red > 180, kind
        assert max(green, blue) < 80, kind


def test_hdr_is_brought_to_ordinary_light(clips, work):
    _, ladder = _ladder(clips("hdr"), work)
    with av.open(str(ladder.rungs[0].path)) as container:
        frame = next(container.decode(video=0))
        assert (int(frame.colorspace), int(frame.color_trc), int(frame.color_primaries)) == (
            1,
            1,
            1,
        )
        luma = frame.to_ndarray(format="gray")
    assert 40 < luma.mean() < 220
    assert luma.std() > 20


def test_no_byte_of_a_rung_tells_of_the_source(clips, work):
    _, ladder = _ladder(clips("phone"), work)
    for rung in ladder.rungs:
        data = rung.path.read_bytes()
        assert [secret for secret in (*SECRETS, *_MAKERS) if secret in data] == []
    assert sorted(path.name for path in work.iterdir()) == ["360.mp4", "source.mp4"]


def test_damage_that_only_decoding_shows_ends_the_ladder_with_its_reason(clips, work):
    def scratch(data: bytes) -> bytes:
        at = len(data) // 2
        return data[:at] + bytes(range(200)) + data[at + 200 :]

    path = clips.changed("phone", "scratched.mp4", scratch)
    with pytest.raises(Invalid, match="parts of it cannot be decoded"):
        make_ladder(path, probe(path, work=work), work=work)


def test_progress_rises_to_the_end(clips, work):
    told: list[float] = []
    seen = probe(clips("mp4"), work=work)
    make_ladder(clips("mp4"), seen, work=work, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1, abs=0.1)


def test_progress_stays_where_it_was_when_ffmpeg_steps_back():
    told: list[float] = []
    on_line = _progress(told.append, seconds=2)
    for value in ("-1", "N/A", "1000000", "900000", "3000000"):
        on_line(f"out_time_us={value}")
    assert told == [0, 0.5, 0.5, 1]


def test_a_source_between_two_edges_gets_a_rung_of_its_own_size_if_that_is_worth_it(clips, work):
    seen = probe(clips("mp4"), work=work)

    def edges(width: int, height: int) -> list[int]:
        video = msgspec.structs.replace(seen.video, display_width=width, display_height=height)
        return [size.edge for size in sizes(msgspec.structs.replace(seen, video=video))]

    assert edges(480, 854) == [360, 480]
    assert edges(600, 1000) == [360, 540]
    assert edges(1920, 1080) == [360, 540, 720, 1080]
    assert edges(2160, 3840) == [360, 540, 720, 1080]
    assert edges(175, 143) == [142]
