import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.videos.factory import Clips, real_clip

from reelm.foundation.errors import Invalid, ReelmError, TooLarge
from reelm.videos.probe import Limits, probe


def _middle(data: bytes, noise: bytes) -> bytes:
    at = len(data) // 2
    return data[:at] + noise + data[at + len(noise) :]


def _elsewhere(data: bytes) -> bytes:
    """Say that the media lies in another file: clear the self-contained flag of the first dref."""
    at = data.index(b"url ", data.index(b"dref"))
    return data[:at] + b"url \0\0\0\0" + data[at + 8 :]


def _unknown_sound(data: bytes) -> bytes:
    """Name a codec that nobody knows, as new phones do."""
    return data.replace(b"mp4a", b"zzzz").replace(b"esds", b"zzzz")


_NOISE = random.Random(7).randbytes(20_000)
_HLS = b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"

_BAD: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "empty": ("mp4", lambda _: b"", "is empty"),
    "text": ("mp4", lambda _: b"hello world\n" * 100, "not a video file"),
    "zeros": ("mp4", lambda _: bytes(100_000), "not a video file"),
    "truncated": ("mp4", lambda data: data[: len(data) // 2], "cut off"),
    "truncated webm": ("webm", lambda data: data[: len(data) // 2], "cut off after"),
    "truncated avi": ("avi", lambda data: data[: len(data) // 3], "cut off after"),
    "corrupt middle": ("phone", lambda data: _middle(data, _NOISE), "damaged at about 2.5 s"),
    "corrupt ogg": ("ogv", lambda data: _middle(data, _NOISE), "damaged at about"),
    "playlist": ("mp4", lambda _: _HLS, "is a playlist"),
    "concat": ("mp4", lambda _: b"ffconcat version 1.0\nfile '/etc/passwd'\n", "is a playlist"),
    "another file": ("mp4", _elsewhere, "points to other files"),
    "unknown sound": ("mp4", _unknown_sound, "sound is in a format"),
    "audio only": ("audio_only", bytes, "sound but no picture"),
    "picture": ("picture", bytes, "a picture, not a video"),
    "one picture": ("one_picture", bytes, "single picture"),
}


@pytest.mark.parametrize("case", _BAD)
def test_what_cannot_be_published_is_refused_in_one_sentence(clips: Clips, work: Path, case: str):
    kind, change, sentence = _BAD[case]
    with pytest.raises(Invalid, match=sentence) as refusal:
        probe(clips.changed(kind, f"{case}.mp4", change), work=work)
    assert str(refusal.value).endswith(".")
    assert str(refusal.value).count("\n") == 0


def test_too_wide_too_long_and_too_big_say_the_limit(clips, work):
    with pytest.raises(TooLarge, match=r"20000x16 pixels; at most 8192x8192"):
        probe(clips("wide"), work=work)
    with pytest.raises(TooLarge, match=r"61:40 min long; at most 10:00 min"):
        probe(clips("long"), work=work)
    with pytest.raises(TooLarge, match="at most 0 MB"):
        probe(clips("mp4"), work=work, limits=Limits(max_size_bytes=1000))


@pytest.mark.parametrize(
    ("kind", "container", "codec", "audio"),
    [
        ("mp4", "mov", "h264", "aac"),
        ("mov", "mov", "h264", "aac"),
        ("mkv", "matroska", "h264", "aac"),
        ("webm", "matroska", "vp9", "opus"),
        ("avi", "avi", "mpeg4", "mp3float"),
        ("ogv", "ogg", "theora", "vorbis"),
        ("ts", "mpegts", "h264", "aac"),
    ],
)
def test_real_containers_are_read(clips, work, kind, container, codec, audio):
    seen = probe(clips(kind), work=work)
    assert (seen.container, seen.video.codec) == (container, codec)
    assert seen.audio is not None
    assert seen.audio.codec == audio
    assert seen.duration_ms == pytest.approx(2200, abs=60)
    assert (seen.video.display_width, seen.video.display_height) == (180, 320)


def test_a_real_clip_is_read(work):
    seen = probe(real_clip("bigbuckbunny"), work=work)
    assert (seen.video.width, seen.video.height, seen.video.frame_rate) == (1280, 720, 25)
    assert seen.audio is not None
    assert seen.audio.channels == 6


def test_turns_shapes_rates_and_light_are_found(clips, work):
    def video(kind: str):
        return probe(clips(kind), work=work).video

    assert [video(f"rotated{turn}").rotation for turn in (90, 180, 270)] == [90, 180, 270]
    assert (video("rotated90").display_width, video("rotated90").display_height) == (180, 320)
    assert (video("anamorphic").display_width, video("anamorphic").display_height) == (360, 198)
    assert video("vfr").is_vfr
    assert not video("60fps").is_vfr
    assert video("10fps").frame_rate == 10
    assert video("hdr").is_hdr
    assert video("interlaced").is_interlaced
    assert video("opengop").has_open_gops
    assert not video("phone").has_open_gops


def test_noise_never_breaks_the_probe(clips, work):
    """Whatever is changed, the answer is a Probe or a domain error."""
    dice = random.Random(11)
    data = clips("mp4").read_bytes()
    for round_ in range(12):
        changed = bytearray(data)
        for _ in range(30):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        path = work / f"{round_}.mp4"
        path.write_bytes(changed)
        try:
            probe(path, work=work)
        except ReelmError as refusal:
            assert str(refusal)  # noqa: PT017 - either answer is right
