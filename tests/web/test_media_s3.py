"""A region whose objects are in an S3-compatible store publishes and serves as any other."""

import asyncio
from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient
from tests.foundation.test_storage import s3
from tests.s3 import s3_settings
from tests.videos.acts import imported, person
from tests.videos.factory import Clips

from reelm import app
from reelm.foundation.jobs import run_worker
from reelm.foundation.parts import Parts
from reelm.foundation.storage import open_store
from reelm.web.application import build

__all__ = ["s3"]  # a fixture, used by name


def test_a_video_is_published_and_served_from_s3(parts: Parts, s3: str, tmp_path: Path) -> None:
    remote = replace(parts, store=open_store(s3_settings(s3), parts.home))
    clip = Clips(tmp_path)("mp4")
    video_id = imported(remote, person(remote), clip)
    asyncio.run(run_worker(remote, app.JOBS, queues={"publish": 1}, until_idle=True))
    with TestClient(build(remote), base_url="https://localhost") as client:
        url = f"/media/{video_id}/source.mp4"
        whole = client.get(url)
        assert whole.status_code == 200
        part = client.get(url, headers={"range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, whole.content[100:200])
        assert client.get(f"/media/{video_id}/poster.jpg").content[:2] == b"\xff\xd8"
