"""Fifty people of a region, who did through the API whatever can be done there."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from httpx2 import Response
from tests.accounts.factory import code_of
from tests.conftest import _waiting
from tests.social.factory import make_video
from tests.transfer.shows.browser import Browser
from tests.videos.acts import imported

from reelm import accounts, app, videos
from reelm.foundation.clock import now
from reelm.foundation.jobs import run_worker
from reelm.foundation.parts import Parts
from reelm.videos import publish as publishing
from reelm.videos.models import Rendition, Video

MANY = 50
BORN = "1990-05-17"
VTT = b"WEBVTT\n\n00:00.500 --> 00:01.500\nHello\n"
CATS = videos.Draft(file_name="a.mp4", caption="Cats #cat", audience="public")
PICTURE = b"\x89PNG a picture"
# Who has a part of their own; the others are named by number.
CAST = (
    "ana", "ben", "cleo", "priya", "shy", "dara", "young", "paused", "gone", "going", "banned",
    "frozen_out", "officer", "owner",
)  # fmt: skip


@dataclass
class Person:
    """Somebody with an account, and what only they know."""

    handle: str
    password: str
    id: int = 0
    device: str = ""
    steps: int = 0


@dataclass
class Village:
    """A region's people, and the ids of what they made, by name."""

    parts: Parts
    client: Browser
    clip: Path
    people: dict[str, Person] = field(default_factory=dict)
    videos: dict[str, int] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    began: datetime = field(default_factory=now)

    def as_(self, handle: str) -> None:
        """Sign somebody in, by the password they have always had, and nobody else."""
        answer = self.sign_in(handle)
        assert answer.status_code == 201, (handle, answer.text)

    def sign_in(self, handle: str, **more: str) -> Response:
        """Try to sign somebody in."""
        self.client.cookies.clear()
        who = {"handle": handle, "password": self.people[handle].password, **more}
        return self.client.request("POST", "/api/sessions", who)

    def come_in(self, handle: str) -> Response:
        """Sign somebody in; the staff with a code, or with a new device where they have none."""
        secret = self.people[handle].device
        answer = self.sign_in(handle)
        if secret and answer.is_success:
            self.enrol(handle)
        elif secret:
            self.people[handle].steps += 1
            answer = self.sign_in(handle, code=code_of(secret, self.people[handle].steps))
            assert answer.is_success, answer.text
        if secret:
            self.do("POST", "staff/purposes", {"purpose": "handling grievances"})
        return answer

    def enrol(self, handle: str) -> None:
        """Set up a device for codes, as the staff must."""
        begun = self.do("POST", "me/second-factor", {"password": self.people[handle].password})
        self.do("POST", "me/second-factor/confirmation", {"code": code_of(begun["secret"])})
        self.people[handle].device, self.people[handle].steps = begun["secret"], 0

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """Do one thing as whoever is signed in."""
        answer = self.client.request(method, f"/api/{path}", body)
        assert answer.is_success, (method, path, answer.text)
        return answer.json() if answer.content else None

    def run_jobs(self) -> None:
        """Run every queued job to its end."""
        queues = app.queues(self.parts.settings)
        while _waiting(self.parts):
            asyncio.run(run_worker(self.parts, app.JOBS, queues=queues, until_idle=True))


def settle(village: Village) -> None:
    """Let everybody sign up, post, follow, like, comment, hide and choose."""
    terms = village.do("GET", "region")["terms_version"]
    handles = [*CAST, *(f"v{number:02}" for number in range(MANY - len(CAST)))]
    for handle in handles:
        village.client.cookies.clear()
        person = village.people[handle] = Person(handle, f"the old words of {handle}")
        born = f"{2026 - 15}-01-01" if handle == "young" else BORN
        form = {"handle": handle, "password": person.password, "birth_date": born}
        made = village.do("POST", "accounts", {**form, "terms_version": terms})
        person.id = int(made["account"]["id"])
    _post(village)
    for number, handle in enumerate(handles):
        village.as_(handle)
        _live(village, number, handle)
    _answer_requests(village)


def _post(village: Village) -> None:
    parts, people = village.parts, village.people
    first = imported(parts, people["ana"].id, village.clip, CATS)
    publishing.publish(parts, first)
    village.videos["ana"] = first
    with parts.transaction() as session:
        made = session.get_one(Video, first)
        files = session.query(Rendition).filter_by(video_id=first).all()
        copied = ("poster_object", "placeholder", "duration_ms", "width", "height", "sound_id")
        more = {name: getattr(made, name) for name in copied}
        plan = (
            ("ben", "ben", "public"), ("cleo", "cleo", "public"), ("priya", "priya", "public"),
            ("shy", "shy", "public"), ("banned", "banned", "public"),
            ("frozen_out", "frozen_out", "public"), ("ordered", "ben", "public"),
            ("decided", "cleo", "public"), ("mine", "ana", "private"),
            ("inner", "ana", "followers"), ("link", "ana", "unlisted"),
        )  # fmt: skip
        for name, whose, audience in plan:
            video_id = make_video(
                session, people[whose].id, tags=("cat", name), audience=audience, **more
            )
            village.videos[name] = video_id
            for one in files:
                fields = {
                    column.name: getattr(one, column.name) for column in Rendition.__table__.columns
                }
                session.add(Rendition(**{**fields, "video_id": video_id}))
        videos.put_captions(
            session, account_id=people["ana"].id, video_id=first, language="en", data=VTT
        )
        picture = parts.store.put_bytes("avatars", PICTURE)
        accounts.set_avatar(session, people["ana"].id, picture.key)


def _live(village: Village, number: int, handle: str) -> None:
    """One person's acts; each kind is done by many, and some by one alone."""
    do, videos, ben = village.do, village.videos, village.people["ben"]
    public = [videos[name] for name in ("ana", "ben", "cleo", "ordered", "decided")]
    liked = public[number % 5]
    do("PATCH", "me", {"bio": f"I am {handle} \u2028 😀", "language": "hi" if number % 2 else None})
    do("POST", f"videos/{liked}/like")
    said = do("POST", f"videos/{public[number % 2]}/comments", {"body": f"From {handle} नमस्ते"})
    village.ids[f"comment of {handle}"] = said["id"]
    watched = [
        {"video_id": str(one), "watched_ms": 900 * (number + 1), "duration_ms": 2200}
        for one in (liked, public[(number + 1) % 5])
    ]
    do("POST", "watches", {"watches": watched})
    do("POST", "signals", {"signals": [{"kind": "share", "video_id": str(liked)}]})
    for other in ("ana", "shy", f"v{number % 30:02}"):
        if other != handle:
            do("POST", f"accounts/{other}/follow")
    if number % 7 == 3:
        do("PATCH", "feed/settings", {"newness": 0.25, "topics": ["cat"], "languages": ["hi"]})
        do("POST", "feed/hidden", {"kind": "video", "subject": str(videos["cleo"])})
        do("POST", "feed/hidden", {"kind": "hashtag", "subject": "dogs"})
    choices: dict[str, Any] = {
        "dara": ("PATCH", "feed/settings", {"is_profiled": False}),
        "paused": ("PATCH", "feed/settings", {"history_paused": True}),
        "shy": ("PATCH", "me", {"is_private": True}),
        "priya": ("POST", "accounts/ben/block", None),
        "v05": ("PATCH", f"comments/{said['id']}", {"body": "Said otherwise."}),
        "v06": ("DELETE", f"comments/{said['id']}", None),
        "v07": ("DELETE", f"videos/{liked}/like", None),
        "v08": ("POST", "feed/hidden", {"kind": "creator", "subject": str(ben.id)}),
    }
    if handle in choices:
        do(*choices[handle])


def _answer_requests(village: Village) -> None:
    village.as_("shy")
    first, second, *_ = (one["id"] for one in village.do("GET", "me/follow-requests")["requests"])
    village.do("POST", f"me/follow-requests/{first}/acceptance")
    village.do("DELETE", f"me/follow-requests/{second}")
