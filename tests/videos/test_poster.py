import base64
from pathlib import Path

import av
import numpy as np
import pytest
from tests.videos.factory import SECRETS, Clips, real_clip, with_comment

from reelm.foundation.errors import Invalid, TooLarge
from reelm.videos.avatar import make_avatar
from reelm.videos.poster import make_poster
from reelm.videos.probe import probe


def _size(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("phone", (360, 640)),
        ("rotated90", (180, 320)),
        ("longgop", (180, 320)),
        ("4k", (720, 1280)),
    ],
)
def test_the_poster_has_the_shape_of_the_video(clips: Clips, work: Path, kind: str, size):
    poster = make_poster(clips(kind), probe(clips(kind), work=work), work=work)
    assert (poster.width, poster.height) == size == _size(poster.path)
    data = poster.path.read_bytes()
    assert [word for word in (*SECRETS, b"Lavc", b"Exif") if word in data] == []
    assert [path.name for path in work.iterdir()] == ["poster.jpg"]


def test_the_placeholder_is_tiny_and_a_picture(work):
    poster = make_poster(
        real_clip("bigbuckbunny"), probe(real_clip("bigbuckbunny"), work=work), work=work
    )
    assert len(poster.placeholder) < 600
    head, _, data = poster.placeholder.partition(",")
    assert head == "data:image/webp;base64"
    (work / "tiny.webp").write_bytes(base64.b64decode(data))
    assert _size(work / "tiny.webp") == (32, 18)


def test_a_black_beginning_is_not_the_poster(clips, work):
    poster = make_poster(clips("fade"), probe(clips("fade"), work=work), work=work)
    with av.open(str(poster.path)) as container:
        assert np.mean(next(container.decode(video=0)).to_ndarray(format="gray")) > 50


def test_an_avatar_is_a_small_square_that_tells_nothing(clips, work):
    portrait = clips.changed("picture", "portrait.jpg", with_comment)
    made = make_avatar(portrait, work=work)
    assert _size(made) == (256, 256)
    assert b"SECRETCOMMENT" in portrait.read_bytes()
    assert b"SECRETCOMMENT" not in made.read_bytes()


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_an_avatar_may_be_png_or_webp(clips, work, kind):
    assert _size(make_avatar(clips(kind), work=work)) == (256, 256)


def test_what_is_no_picture_is_refused_as_an_avatar(clips, work):
    with pytest.raises(Invalid, match="not a JPEG, PNG or WebP"):
        make_avatar(clips("mp4"), work=work)
    broken = clips.changed("png", "broken.png", lambda data: data[:40])
    with pytest.raises(Invalid, match="cannot be read"):
        make_avatar(broken, work=work)
    big = work / "big.png"
    big.write_bytes(bytes(11 * 1024**2))
    with pytest.raises(TooLarge, match="10 MB"):
        make_avatar(big, work=work)


def test_a_picture_bomb_is_refused(clips, work):
    with pytest.raises(Invalid, match="50 million pixels"):
        make_avatar(clips("bomb"), work=work)
