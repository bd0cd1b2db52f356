"""Small made-up logs, and a stand-in for the ranker."""

import math
import os
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from reelm.feed.ranker import Prediction, VideoFacts
from reelm.feed.signals import Kind, Signal

BEGIN_MS = 1_650_900_000_000
DAY_MS = 86_400_000


def events(count: int = 400, users: int = 30, videos: int = 40, seed: int = 1):
    """Return events as columns: each user likes videos of one rest, modulo three."""
    chance = random.Random(seed)
    rows = []
    time_ms = BEGIN_MS
    for _ in range(count):
        time_ms += chance.randrange(2 * DAY_MS // count)
        user, video = chance.randrange(users), chance.randrange(videos)
        is_long = chance.random() < (0.8 if user % 3 == video % 3 else 0.2)
        duration_ms = 10_000 + 1000 * video
        rows.append(
            {
                "user_id": user,
                "video_id": video,
                "time_ms": time_ms,
                "play_time_ms": duration_ms if is_long else chance.randrange(5000),
                "duration_ms": duration_ms,
                "surface": chance.randrange(3),
                "long_view": int(is_long),
                "is_like": int(chance.random() < 0.1),
                "is_follow": int(chance.random() < 0.05),
                "is_comment": int(chance.random() < 0.05),
                "is_forward": int(chance.random() < 0.05),
                "is_hate": int(chance.random() < 0.05),
                "is_profile_enter": int(chance.random() < 0.05),
            }
        )
    return rows


def videos(count: int = 40):
    """Return the videos of those events."""
    return [
        {
            "video_id": video,
            "author_id": video // 4,
            "duration_ms": 10_000.0 + 1000 * video if video % 7 else None,
            "tag": "unknown" if video % 5 == 0 else f"{video % 3},{video % 4}",
            "music_id": video,
            "upload_dt": "2022-04-10",
        }
        for video in range(count)
    ]


def history(users: int = 30):
    """Return what those users did before."""
    return [
        {
            "user_id": user,
            "last_time_ms": BEGIN_MS - 1000 * user,
            "watch_seq": [user % 3, user % 3 + 1, user % 3 + 3],
            "long_watch_seq": [user % 3, user % 3 + 3],
            "like_seq": [user % 3 + 3] if user % 2 else [],
        }
        for user in range(users)
    ]


def write_log(folder: Path, event_rows=None, video_rows=None, history_rows=None) -> Path:
    """Write a log into a new folder."""
    folder.mkdir()
    event_rows = events() if event_rows is None else event_rows
    pq.write_table(pa.Table.from_pylist(event_rows), folder / "events.parquet")
    video_rows = videos() if video_rows is None else video_rows
    pq.write_table(pa.Table.from_pylist(video_rows), folder / "videos.parquet")
    if history_rows:
        pq.write_table(pa.Table.from_pylist(history_rows), folder / "history.parquet")
    return folder


def real_log() -> Path | None:
    """Return the folder of KuaiRand-Pure: REELM_KUAIRAND, or beside the repository."""
    beside = Path(__file__).parents[4] / "shared" / "data" / "kuairand"
    folder = Path(os.environ.get("REELM_KUAIRAND") or beside)
    return folder if (folder / "events.parquet").is_file() else None


class Mean:
    """A stand-in that knows each video's share of long views; keeps what it was told."""

    def __init__(self) -> None:
        self.videos: dict[int, VideoFacts] = {}
        self.signals: list[Signal] = []
        self.views: dict[int, list[bool]] = {}
        self.asked: list[tuple[int, int, int, frozenset[int]]] = []

    def add_videos(self, facts: Iterable[VideoFacts]) -> None:
        self.videos.update((video.video_id, video) for video in facts)

    def observe(self, batch: Sequence[Signal]) -> None:
        self.signals += batch
        for signal in batch:
            if signal.kind == Kind.WATCH:
                self.views.setdefault(signal.video_id, []).append(signal.long_view)

    def predict(
        self,
        viewer_id: int,  # noqa: ARG002
        video_id: int,
        *,
        at_ms: int,  # noqa: ARG002
        surface: int,
    ) -> Prediction:
        share = self.share(video_id)
        return Prediction(share, 10_000 * share + surface, *(math.nan,) * 4)

    def rank_of(
        self,
        viewer_id: int,
        video_id: int,
        *,
        at_ms: int,
        surface: int,  # noqa: ARG002
        without: frozenset[int],
    ) -> int:
        self.asked.append((viewer_id, video_id, at_ms, without))
        key = (-self.share(video_id), video_id)
        return 1 + sum(
            (-self.share(other), other) < key for other in self.videos if other not in without
        )

    def share(self, video_id: int) -> float:
        views = self.views.get(video_id, [])
        return (sum(views) + 1) / (len(views) + 2)
