"""Fill the demo region: its people, and clips that are drawn, imported and published."""

import json
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyotp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from reelm import accounts, social, videos
from reelm.commands.demo_clips import Clip, make_clip, title_font
from reelm.commands.demo_topics import TOPICS
from reelm.foundation.database import Session
from reelm.foundation.errors import Missing, Unavailable
from reelm.foundation.parts import Parts
from reelm.regions import TERMS_VERSION

# Each ffmpeg is one busy thread; more than eight would only wait for the publishing.
DRAWN_AT_ONCE = max(2, min(8, os.cpu_count() or 2))
LOOK_EVERY_S = 0.1
# Nothing became playable for so long: something is wrong, and waiting on would hide it.
PATIENCE_S = 120.0

VIEWER, STAFF = "demo_viewer", "demo_staff"
# They are followed, and like and comment.
FRIENDS = ("demo_ana", "demo_bo", "demo_caro", "demo_dev", "demo_eli")
BIO = "A made-up account of the demo. Nobody is behind it."
PRAISE = ("Lovely colours! (demo comment)", "Could watch this for hours. (demo comment)")


def code_of_staff(home: Path) -> str:
    """Return the code of the second factor of the demo's staff, as it is now.

    Raises:
        Missing: there is no demo at `home`, or it has not made its people yet.
    """
    secret = _Note(home / "demo.json").secrets.get(STAFF)
    if secret is None:
        raise Missing(f"There is no demo in {home} yet: `reelm demo` makes it.")
    return pyotp.TOTP(secret).now()


class Stopped(Exception):
    """The demo was told to stop."""


@dataclass(frozen=True)
class Filled:
    """How many videos there are, and how long after the start of the command they played."""

    videos: int
    first_playable_s: float
    all_playable_s: float

    def numbers(self) -> dict[str, float]:
        """Return the numbers under the names of the summary."""
        return {
            "videos": self.videos,
            "seconds_to_first_playable": round(self.first_playable_s, 2),
            "seconds_to_all_playable": round(self.all_playable_s, 2),
        }


@dataclass
class Filling:
    """One run over a demo region; what an earlier run has made stays."""

    parts: Parts
    began: float
    stop: threading.Event
    say: Callable[[str], None]
    first_playable_s: float | None = None
    posted: dict[str, int] = field(default_factory=dict)

    def ensure_people(self) -> dict[str, str]:
        """Make the accounts that are missing; return the passwords to sign in with."""
        note = _Note(self.parts.home.path / "demo.json")
        for handle in (VIEWER, STAFF):
            if handle not in note.passwords:
                note.passwords[handle] = secrets.token_urlsafe(9)
                note.write()
            self._ensure_person(handle, note.passwords[handle])
        with self.parts.transaction() as session:
            accounts.set_role(session, handle=STAFF, role="owner")
            if STAFF not in note.secrets:
                note.secrets[STAFF] = self._enrol(session, note.passwords[STAFF])
        note.write()
        return dict(note.passwords)

    def ensure_videos(self, wanted: Sequence[Clip]) -> Filled:
        """Draw and import the clips that are missing, and wait until all are playable.

        Raises:
            Stopped: the demo was told to stop.
            Unavailable: a clip could not be made or was not published; says why.
        """
        note = _Note(self.parts.home.path / "demo.json")
        self.posted = {
            clip.name: note.videos[clip.name] for clip in wanted if clip.name in note.videos
        }
        missing = [clip for clip in wanted if clip.name not in note.videos]
        with self._bar(len(wanted)) as show, _drawing(self.parts, missing, self.stop) as drawn:
            self._take_in(wanted, drawn, note, show)
        all_playable_s = time.monotonic() - self.began
        if missing:
            self._react()
            self.say("All clips are playable; smaller and larger sizes are still being made.")
        first_s = all_playable_s if self.first_playable_s is None else self.first_playable_s
        return Filled(len(wanted), first_s, all_playable_s)

    def _take_in(
        self,
        wanted: Sequence[Clip],
        drawn: "dict[Future[Path], Clip]",
        note: "_Note",
        show: Callable[[int], None],
    ) -> None:
        """Import each clip once it is drawn; return when all are playable."""
        ready: set[int] = set()
        changed_at = time.monotonic()
        while len(ready) < len(wanted):
            if self.stop.is_set():
                raise Stopped
            done, _ = wait(drawn, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
            if not drawn:
                time.sleep(LOOK_EVERY_S)
            for future in done:
                clip = drawn.pop(future)
                self.posted[clip.name] = note.videos[clip.name] = self._post(clip, future.result())
                note.write()
            before = len(ready)
            ready |= self._playable([i for i in self.posted.values() if i not in ready])
            if ready and self.first_playable_s is None:
                self.first_playable_s = time.monotonic() - self.began
            if len(ready) > before or done:
                changed_at = time.monotonic()
            if time.monotonic() - changed_at > PATIENCE_S:
                raise Unavailable("The clips are not published: `reelm jobs` may say why.")
            show(len(ready))

    def _post(self, clip: Clip, path: Path) -> int:
        draft = videos.Draft(
            file_name=path.name, caption=clip.caption, audience="public", language="en"
        )
        with self.parts.transaction() as session:
            account_id = self._creator(session, clip.handle)
        video_id = videos.import_file(self.parts, account_id=account_id, path=path, draft=draft)
        path.unlink()
        return video_id

    def _playable(self, ids: Sequence[int]) -> set[int]:
        with self.parts.transaction() as session:
            views = videos.load_views(session, ids)
        for view in views:
            if view.state == "failed":
                raise Unavailable(f"A demo clip was refused: {view.reason}")
        return {view.id for view in views if view.state == "ready"}

    def _react(self) -> None:
        """Let the demo's people follow, like and comment, so that the pages are not bare."""
        with self.parts.transaction() as session:
            people = [self._creator(session, handle) for handle in FRIENDS]
            viewer = accounts.account_named(session, VIEWER)
            for creator in people[:2]:
                social.follow(session, viewer, creator)
            for place, video_id in enumerate(self.posted.values()):
                # By rounds, so that no topic is liked more than another.
                for person in people[: place // len(TOPICS) * 7 % (len(people) + 1)]:
                    social.like(session, person, video_id)
                if place % 3 == 0:
                    words = PRAISE[place // 3 % len(PRAISE)]
                    social.comment(session, people[place % len(people)], video_id, words)

    def _creator(self, session: Session, handle: str) -> int:
        """Return the account of somebody who posts; made with the first clip, not before it."""
        known = accounts.account_of(session, handle)
        if known is not None:
            return known
        account_id = accounts.ensure_account(session, self.parts, handle)
        name = f"{handle.removeprefix('demo_').title()} (demo)"
        edit = accounts.ProfileEdit(display_name=name, bio=BIO, language="en")
        accounts.edit_profile(session, account_id, edit)
        return account_id

    def _ensure_person(self, handle: str, password: str) -> None:
        with self.parts.transaction() as session:
            if accounts.account_of(session, handle) is not None:
                return
            new = accounts.NewAccount(
                handle=handle,
                password=password,
                birth_date=date(1990, 1, 1),
                terms_version=TERMS_VERSION,
                display_name=f"{handle.removeprefix('demo_').title()} (demo)",
                language="en",
            )
            accounts.sign_up(session, self.parts, new, address="127.0.0.1")

    def _enrol(self, session: Session, password: str) -> str:
        """Set up the second factor of the demo's staff, on a device that is a line of a file."""
        account_id = accounts.account_named(session, STAFF)
        accounts.forget_second_factor(session, account_id)  # of a run that was cut off here
        made = accounts.begin_session(
            session, self.parts, account_id, address="127.0.0.1", user_agent="reelm demo"
        )
        begun = accounts.begin_enrolment(session, self.parts, account_id, password=password)
        accounts.finish_enrolment(
            session,
            self.parts,
            account_id,
            code=pyotp.TOTP(begun.secret).now(),
            address="127.0.0.1",
            session_id=made.session_id,
        )
        accounts.revoke_sessions(session, account_id)
        return begun.secret

    @contextmanager
    def _bar(self, total: int) -> Iterator[Callable[[int], None]]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task: TaskID = progress.add_task("Clips playable", total=total)
            yield lambda count: progress.update(task, completed=count)


class _Note:
    """What the demo remembers beside its region: how to sign in, and which clips are posted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        known = json.loads(path.read_text("utf-8")) if path.exists() else {}
        self.passwords: dict[str, str] = known.get("passwords", {})
        self.secrets: dict[str, str] = known.get("secrets", {})
        self.videos: dict[str, int] = known.get("videos", {})

    def write(self) -> None:
        """Put the file in place at once, readable by its owner only."""
        new = self._path.with_suffix(".new")
        new.touch(mode=0o600)
        known = {"passwords": self.passwords, "secrets": self.secrets, "videos": self.videos}
        new.write_text(json.dumps(known), "utf-8")
        new.replace(self._path)


@contextmanager
def _drawing(
    parts: Parts, missing: Sequence[Clip], stop: threading.Event
) -> "Iterator[dict[Future[Path], Clip]]":
    """Draw clips in the background; yield what is under way."""
    folder = Path(tempfile.mkdtemp(prefix="reelm-demo-"))
    font = title_font() if missing else None
    ffmpeg = parts.settings.media.ffmpeg or None

    def draw(clip: Clip) -> Path:
        if stop.is_set():
            raise Stopped
        own = folder / clip.name
        own.mkdir()
        return make_clip(clip, own, font=font, ffmpeg=ffmpeg)

    pool = ThreadPoolExecutor(DRAWN_AT_ONCE, "draw")
    try:
        yield {pool.submit(draw, clip): clip for clip in missing}
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(folder, ignore_errors=True)
