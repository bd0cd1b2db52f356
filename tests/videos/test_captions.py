import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reelm.foundation.errors import Invalid, ReelmError, TooLarge
from reelm.videos.captions import extract_captions, normalise
from reelm.videos.probe import probe

_FILE = b"""\xef\xbb\xbfWEBVTT - a title with a name\r
Kind: captions\r
\r
NOTE made by someone at somewhere\r
\r
STYLE\r
::cue { background: url(https://example.org/track) }\r
\r
REGION\r
id:one\r
\r
second\r
00:03.000 --> 00:04.500 region:one align:start line:90%\r
<v Alice><c.red>Hi</c> <b>there <i>you</b></i> <script>alert(1)</script> a < b &amp; c\r
\r
00:00:01.000 --> 00:00:02.000\r
First\r
line two\r
\r
00:01:00.000 --> 00:01:01.000\r
after the end\r
"""


def test_only_cues_and_plain_tags_remain():
    captions = normalise(_FILE, language="en", duration_ms=4_000)
    assert captions.text == (
        "WEBVTT\n\n"
        "00:00:01.000 --> 00:00:02.000\nFirst\nline two\n\n"
        "00:00:03.000 --> 00:00:04.000 align:start line:90%\n"
        "Hi <b>there <i>you</i></b> alert(1) a &lt; b &amp; c\n"
    )
    assert captions.cue_count == 2


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "first line must be WEBVTT"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nsrt\n", "first line must be WEBVTT"),
        (b"WEBVTT\n\n\xff\xfe", "not UTF-8"),
        (b"WEBVTT\n\n00:05 --> soon\nhello\n", "Line 3 .* no valid times"),
        (b"WEBVTT\n\n00:05.000 --> 00:04.000\nhello\n", "Line 3 .* ends before it starts"),
        (b"WEBVTT\n\nNOTE nothing\n", "no cue"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(data, sentence):
    with pytest.raises(Invalid, match=sentence):
        normalise(data, language="en", duration_ms=60_000)


def test_too_much_is_refused():
    cue = b"00:01.000 --> 00:02.000\nx\n\n"
    with pytest.raises(TooLarge, match="KiB"):
        normalise(b"WEBVTT\n\n" + cue * 40_000, language="en", duration_ms=60_000)
    with pytest.raises(TooLarge, match="5000 cues"):
        normalise(b"WEBVTT\n\n" + cue * 6_000, language="en", duration_ms=60_000)


@example("0\n\x1f")
@example("\x1f\n0")
@example("0\n\x1f\n\x1f\n1")
@given(st.text(max_size=300))
def test_whatever_is_written_comes_out_safe_and_stable(said):
    source = f"WEBVTT\n\n00:01.000 --> 00:02.000\n{said}\n".encode("utf-8", "ignore")
    try:
        first = normalise(source, language="en", duration_ms=60_000)
    except ReelmError:
        return
    assert normalise(first.text.encode(), language="en", duration_ms=60_000) == first
    left = first.text
    for tag in ("<b>", "</b>", "<i>", "</i>", "<u>", "</u>"):
        left = left.replace(tag, "")
    assert "<" not in left


def test_subtitles_inside_an_upload_become_captions(clips, work):
    (captions,) = extract_captions(
        clips("captioned"), probe(clips("captioned"), work=work), work=work
    )
    assert captions.language == "en"
    assert captions.text == "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\n<i>Hello</i> there\n"
    assert extract_captions(clips("mp4"), probe(clips("mp4"), work=work), work=work) == ()
    assert list(work.iterdir()) == []
