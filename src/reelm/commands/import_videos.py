"""`reelm import`: bring local files in, through the same pipeline as uploads."""

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reelm import accounts, app, videos
from reelm.foundation.errors import ReelmError, Unavailable
from reelm.foundation.jobs import run_worker
from reelm.foundation.parts import Parts

LOOK_EVERY_S = 0.1


class Rendition(msgspec.Struct, frozen=True):
    """One file that was made."""

    width: int
    height: int
    codec: str
    bitrate_bps: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file; times are from its last byte being stored."""

    file: str
    outcome: str
    video_id: str | None
    reason: str | None
    seconds_to_playable: float | None
    seconds_to_ladder: float | None
    renditions: list[Rendition]


Tell = Callable[[Outcome], None]


def run(
    parts: Parts, handle: str, files: Sequence[Path], *, as_json: bool, worker_running: bool
) -> int:
    """Import files for an account and return the exit status: 1 if any was refused.

    Args:
        parts: the open region.
        handle: who posts; the account is made if it is not there.
        files: local files.
        as_json: print one JSON line for each file instead of a progress bar.
        worker_running: a server's worker runs the jobs; else they run in this process.
    """
    with parts.transaction() as session:
        account_id = accounts.ensure_account(session, parts, handle)
    with (
        _shown(len(files), as_json=as_json) as tell,
        _working(parts, is_needed=not worker_running) as check_worker,
    ):
        outcomes = list(import_files(parts, account_id, files, tell, check_worker))
    return int(any(outcome.outcome == "refused" for outcome in outcomes))


def import_files(
    parts: Parts,
    account_id: int,
    files: Sequence[Path],
    tell: Tell,
    check_worker: Callable[[], None],
) -> Iterator[Outcome]:
    """Import files while a worker runs, telling and yielding what became of each as it settles."""
    waiting: dict[int, str] = {}
    draft = videos.Draft(audience="public")
    for path in files:
        try:
            video_id = videos.import_file(parts, account_id=account_id, path=path, draft=draft)
        except ReelmError as refusal:
            yield _told(tell, _refused(_name(path), refusal.sentence))
        else:
            waiting[video_id] = _name(path)
        for outcome in _settled(parts, waiting):
            yield _told(tell, outcome)
    while waiting:
        time.sleep(LOOK_EVERY_S)
        check_worker()
        for outcome in _settled(parts, waiting):
            yield _told(tell, outcome)


def _told(tell: Tell, outcome: Outcome) -> Outcome:
    tell(outcome)
    return outcome


def _settled(parts: Parts, waiting: dict[int, str]) -> list[Outcome]:
    """Take out of `waiting` what no job works on any more."""
    outcomes = []
    ids = list(waiting)[: videos.MAX_VIEWS]
    with parts.transaction() as session:
        views = {view.id: view for view in videos.load_views(session, ids)}
    for video_id in ids:
        view = views.get(video_id)
        if view is None:
            outcomes.append(_refused(waiting.pop(video_id), "It was deleted meanwhile."))
        elif view.state == "failed":
            # The outcome tells the reason; the account keeps no trace of a file that was refused.
            with parts.transaction() as session:
                videos.delete_video(session, account_id=view.account_id, video_id=video_id)
            reason = view.reason or "It cannot be published."
            outcomes.append(_refused(waiting.pop(video_id), reason))
        elif view.is_settled:
            outcomes.append(_published(waiting.pop(video_id), view))
    return outcomes


def _published(file: str, view: videos.VideoView) -> Outcome:
    return Outcome(
        file=file,
        outcome="published",
        video_id=str(view.id),
        reason=view.reason,
        seconds_to_playable=_seconds(view.created_at, view.published_at),
        seconds_to_ladder=_seconds(view.created_at, view.ladder_at),
        renditions=[
            Rendition(r.width, r.height, _codec(r.codecs), r.bitrate_bps) for r in view.renditions
        ],
    )


def _refused(file: str, reason: str) -> Outcome:
    return Outcome(
        file=file,
        outcome="refused",
        video_id=None,
        reason=reason,
        seconds_to_playable=None,
        seconds_to_ladder=None,
        renditions=[],
    )


def _name(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def _codec(codecs: str) -> str:
    # RFC 6381 writes H.264 as avc1 with profile and level.
    return "h264" if codecs.startswith("avc1") else codecs.partition(",")[0]


def _seconds(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else round((end - begin).total_seconds(), 3)


@contextmanager
def _shown(count: int, *, as_json: bool) -> Iterator[Tell]:
    if as_json:
        yield _print_json
        return
    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console()) as progress:
        task = progress.add_task("", total=count)

        def tell(outcome: Outcome) -> None:
            progress.advance(task)
            progress.console.print(_line(outcome), markup=False, highlight=False, soft_wrap=True)

        yield tell


def _print_json(outcome: Outcome) -> None:
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
    sys.stdout.flush()


def _line(outcome: Outcome) -> str:
    name = _printable(outcome.file)
    if outcome.outcome == "refused":
        return f"{name}: refused. {outcome.reason}"
    playable = f"playable after {outcome.seconds_to_playable} s"
    if outcome.seconds_to_ladder is None:
        return f"{name}: {playable}; no other sizes: {outcome.reason}"
    return f"{name}: {playable}, all sizes after {outcome.seconds_to_ladder} s"


def _printable(name: str) -> str:
    # A file's name may hold what moves the cursor or turns the line around.
    return "".join(character if character.isprintable() else "?" for character in name)


@contextmanager
def _working(parts: Parts, *, is_needed: bool) -> Iterator[Callable[[], None]]:
    """Run jobs in a thread of this process for as long as the block lasts.

    Yields a function that raises what ended the worker, if anything did.
    """
    if not is_needed:
        yield lambda: None
        return
    worker = _Worker(parts)
    worker.start()
    try:
        yield worker.check
    finally:
        worker.stop()


class _Worker(threading.Thread):
    def __init__(self, parts: Parts) -> None:
        super().__init__(name="jobs")
        self._parts = parts
        self._loop = asyncio.new_event_loop()
        self._stop_wanted = asyncio.Event()
        self._failure: BaseException | None = None

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._until_stopped())

    def check(self) -> None:
        """Raise what ended the worker, if it has ended."""
        if not self.is_alive():
            sentence = "The jobs have ended before all files were done; the log says why."
            raise Unavailable(sentence) from self._failure

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # its loop has ended by itself
            self._loop.call_soon_threadsafe(self._stop_wanted.set)
        self.join()

    async def _until_stopped(self) -> None:
        queues = app.queues(self._parts.settings)
        worker = asyncio.ensure_future(run_worker(self._parts, app.JOBS, queues=queues))
        stop = asyncio.ensure_future(self._stop_wanted.wait())
        await asyncio.wait({worker, stop}, return_when=asyncio.FIRST_COMPLETED)
        if worker.done():
            self._failure = worker.exception()
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
