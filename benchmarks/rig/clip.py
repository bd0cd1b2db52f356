"""A clip like those of a phone: 1080x1920, motion, sensor noise, one key frame a second."""

import subprocess
from pathlib import Path

from reelm.videos.sandbox import ffmpeg_path

BITRATE = "14M"


def phone_clip(
    target: Path, *, duration_s: int = 15, width: int = 1080, height: int = 1920
) -> None:
    """Write an H.264/AAC MP4 of about 14 Mbit/s.

    A picture full of edges drifts under a hand that shakes, with grain on top: what a phone's
    encoder spends its bits on. No B frames and closed groups of a second, as phones write them.
    """
    zoom = "start_x=-0.743644:start_y=-0.131826:start_scale=1.2:end_scale=0.02:end_pts=500"
    texture = f"mandelbrot=s={width // 4}x{height // 4}:r=30:maxiter=160:{zoom}"
    colours = (
        f"gradients=s={width // 8}x{height // 8}:r=30:n=4:speed=0.01:seed=3,"
        f"scale={width // 4}:{height // 4}"
    )
    shake = (
        f"scale={width + 120}:{height + 120}:flags=bicubic,"
        f"crop={width}:{height}:'60+40*sin(t*1.7)+8*sin(t*11)':'60+40*cos(t*1.3)+8*sin(t*13)'"
    )
    graph = (
        f"{texture},format=gray,eq=contrast=0.7,format=gbrp[t];{colours},format=gbrp[c];"
        f"[c][t]blend=all_mode=softlight,{shake},noise=alls=7:allf=t,setsar=1,format=yuv420p[v];"
        f"aevalsrc='0.2*sin(2*PI*220*t)+0.05*(random(0)-0.5)|0.2*sin(2*PI*331*t)':s=48000[a]"
    )
    subprocess.run(
        [
            *(ffmpeg_path(), "-hide_banner", "-loglevel", "error", "-y"),
            *("-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-t", str(duration_s)),
            *("-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-bf", "0"),
            *("-b:v", BITRATE, "-maxrate", BITRATE, "-bufsize", BITRATE),
            *("-g", "30", "-keyint_min", "30", "-sc_threshold", "0", "-flags", "+cgop"),
            *("-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", str(target)),
        ],
        check=True,
    )
