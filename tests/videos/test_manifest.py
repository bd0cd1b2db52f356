import re

from tests.videos.factory import Clips

from reelm.videos.manifest import CaptionTrack, captions_playlist, master_playlist, media_playlist
from reelm.videos.probe import probe
from reelm.videos.repackage import Rung, repackage


def _rung(clips: Clips, work) -> Rung:
    return repackage(clips("phone"), probe(clips("phone"), work=work), work=work)


def test_the_master_playlist_states_measured_rates(clips, work):
    rung = _rung(clips, work)
    text = master_playlist([rung])
    assert text.startswith("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n")
    assert "RESOLUTION=360x640" in text
    assert f'CODECS="{rung.codecs}"' in text
    assert text.endswith("\nsource.m3u8\n")
    peak, average = map(int, re.findall(r"BANDWIDTH=(\d+)", text))
    assert average == round(rung.path.stat().st_size * 8 / 5)
    fastest = max(s.length * 8000 / s.duration_ms for s in rung.segments)
    assert peak == round(fastest) > average


def test_the_media_playlist_covers_every_byte_once(clips, work):
    rung = _rung(clips, work)
    text = media_playlist(rung)
    assert "#EXT-X-TARGETDURATION:2\n" in text
    assert f'#EXT-X-MAP:URI="source.mp4",BYTERANGE="{rung.init_length}@0"' in text
    ranges = [tuple(map(int, pair)) for pair in re.findall(r"-BYTERANGE:(\d+)@(\d+)", text)]
    assert [start + length for length, start in ranges] == [
        *(start for _, start in ranges[1:]),
        rung.path.stat().st_size,
    ]
    assert sum(map(float, re.findall(r"#EXTINF:([\d.]+),", text))) == 5
    assert text.endswith("#EXT-X-ENDLIST\n")


def test_captions_are_a_group_that_a_label_cannot_break(clips, work):
    text = master_playlist([_rung(clips, work)], [CaptionTrack("en", 'En"glish\n#EXT')])
    assert 'NAME="English#EXT",LANGUAGE="en"' in text
    assert ',SUBTITLES="captions"\nsource.m3u8\n' in text
    assert captions_playlist("en", 5_000).endswith("#EXTINF:5.000,\nen.vtt\n#EXT-X-ENDLIST\n")
