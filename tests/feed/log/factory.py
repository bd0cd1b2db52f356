"""A stand-in that learns by counting, and the log as the database has it."""

import hashlib
import json
from collections import Counter

import numpy as np
import psycopg
from sqlalchemy import text
from tests.social.factory import make_account, make_video

from reelm.feed.ranker import Pick, State, VideoFacts
from reelm.feed.signals import Kind, Signal

VERSION = 3


class Counting:
    """Learns how often each viewer did what with which video; the order of batches tells."""

    def __init__(self) -> None:
        self.facts: dict[int, VideoFacts] = {}
        self.seen: Counter[tuple[int, ...]] = Counter()
        self.batches = 0
        self.chain = ""
        self.delay_s = 0.0

    def add_videos(self, facts):
        self.facts |= {one.video_id: one for one in facts}

    def remove_videos(self, video_ids):
        for video_id in video_ids:
            self.facts.pop(video_id, None)

    def videos(self):
        return list(self.facts)

    def observe(self, batch):
        self.batches += 1
        for one in batch:
            self.seen[one.viewer_id, one.video_id, int(one.kind)] += 1
        told = json.dumps([list(one) for one in batch])
        self.chain = hashlib.sha256((self.chain + told).encode()).hexdigest()

    def recommend(self, ask):
        seen = {video_id for viewer_id, video_id, _ in self.seen if viewer_id == ask.viewer_id}
        there = [v for v in sorted(self.facts) if v not in ask.without and v not in seen]
        return [Pick(v, "newest", 1.0, 0.5, (("fresh", 1.0),)) for v in there[: ask.limit]]

    def forget(self, viewer_id):
        self.seen = Counter({k: n for k, n in self.seen.items() if k[0] != viewer_id})

    def viewers(self):
        return sorted({viewer_id for viewer_id, _, _ in self.seen})

    def known_of(self, viewer_id):
        return {str(k[1]): n for k, n in self.seen.items() if k[0] == viewer_id}

    def state(self):
        rows = sorted((*k, n) for k, n in self.seen.items())
        header = {"version": VERSION, "batches": self.batches, "chain": self.chain}
        return State(header, {"seen": np.array(rows, np.int64).reshape(-1, 4)})

    @classmethod
    def from_state(cls, state) -> "Counting":
        if state.header["version"] != VERSION:
            raise ValueError("another version")
        made = cls()
        made.batches, made.chain = state.header["batches"], state.header["chain"]
        for *key, count in state.arrays["seen"].tolist():
            made.seen[tuple(key)] = count
        return made

    def digest(self):
        header, arrays = self.state()
        told = json.dumps(header, sort_keys=True).encode() + arrays["seen"].tobytes()
        return hashlib.sha256(told).hexdigest()


def watch(viewer_id, video_id, watched_ms=9_500, **fields):
    return Signal(
        viewer_id, video_id, Kind.WATCH, watched_ms=watched_ms, duration_ms=10_000, **fields
    )


def shown(viewer_id, video_id, **fields):
    return Signal(viewer_id, video_id, Kind.IMPRESSION, source="newest", propensity=0.1, **fields)


def some_videos(parts, count=3):
    """Return the creator and the videos of one."""
    with parts.transaction() as session:
        creator_id = make_account(session)
        return creator_id, [make_video(session, creator_id) for _ in range(count)]


def log_rows(parts, *columns: str):
    with parts.transaction() as session:
        query = text(f"SELECT {', '.join(columns or ('seq',))} FROM signal ORDER BY seq")
        rows = session.execute(query).all()
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]


def totals(parts, video_id):
    with parts.transaction() as session:
        query = text(
            "SELECT views, completions, watched_ms FROM video_count WHERE video_id = :video_id"
        )
        row = session.execute(query, {"video_id": video_id}).one_or_none()
        return None if row is None else tuple(row)


def backend_of(parts, name="reelm feed"):
    """Return the process of the database that serves the appender."""
    with psycopg.connect(parts.database.conninfo, autocommit=True) as connection:
        row = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s"
            " AND datname = current_database()",
            [name],
        ).fetchone()
        return None if row is None else row[0]
