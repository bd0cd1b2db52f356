"""The decoders an upload may reach: what phones, cameras, browsers and old archives write."""

_PICTURE = (
    "h264 hevc vp8 vp9 av1 libdav1d mpeg4 mpeg2video mpeg1video theora mjpeg prores dnxhd dvvideo "
    "h263 flv msmpeg4v2 msmpeg4v3 msmpeg4 wmv1 wmv2 wmv3 vc1 ffv1 cinepak svq1 svq3 qtrle rawvideo"
)
_SOUND = (
    "aac mp3 mp3float mp2 mp2float opus libopus vorbis libvorbis ac3 eac3 flac alac amrnb amrwb "
    "wmav1 wmav2 pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_f32le pcm_u8 pcm_mulaw "
    "pcm_alaw adpcm_ima_wav adpcm_ima_qt adpcm_ms"
)
_TEXT = "mov_text srt subrip ass ssa webvtt text"
DECODERS = f"{_PICTURE} {_SOUND} {_TEXT}".replace(" ", ",")
