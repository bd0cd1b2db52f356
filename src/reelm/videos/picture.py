"""From any upload's pixels to plain ones: right size, square, progressive, 8-bit BT.709."""

from reelm.videos.probe import Video

_UNSPECIFIED = 2
# AVCOL_SPC_* of libavutil/pixfmt.h, as the scale filter names them
_MATRICES = {1: "bt709", 5: "smpte170m", 6: "smpte170m", 9: "bt2020"}
_PQ = 16


def picture_steps(video: Video, width: int, height: int, *, tone_map: bool = True) -> list[str]:
    """List the ffmpeg filters that bring an upload's (already turned) picture to this size.

    HDR follows the usual path of linear light, BT.709 primaries, Hable's curve; 100 cd/m2 is white.
    """
    steps = ["bwdif=mode=send_frame:deint=interlaced"] if video.is_interlaced else []
    if video.is_hdr and tone_map:
        curve = "smpte2084" if video.transfer == _PQ else "arib-std-b67"
        steps += [
            f"zscale=w={width}:h={height}:tin={curve}:pin=bt2020:min=bt2020nc:t=linear:npl=100",
            "format=gbrpf32le",
            "zscale=p=bt709",
            "tonemap=tonemap=hable:desat=0",
            "zscale=t=bt709:m=bt709:r=tv",
        ]
    else:
        steps.append(
            f"scale={width}:{height}:flags=bicubic"
            f":in_color_matrix={_matrix(video)}:out_color_matrix=bt709:out_range=tv"
        )
    return [
        *steps,
        "format=yuv420p",
        "setsar=1",
        "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
    ]


def _matrix(video: Video) -> str:
    """Name the source's colour matrix; an unnamed one is guessed by size, as players do."""
    if video.matrix == _UNSPECIFIED:
        return "bt709" if video.height >= 720 or video.width >= 1280 else "smpte170m"
    return _MATRICES.get(video.matrix, "auto")
