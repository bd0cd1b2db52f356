"""`reelm prove canaries`: tokens in every personal field, and a look everywhere else."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psycopg
from psycopg import sql

from reelm import app
from reelm.commands.prove.filling import Filling
from reelm.commands.prove.journey import Person, make_clip, wait_until
from reelm.commands.prove.sweep import Found, Sweep
from reelm.commands.prove.tokens import MARK, personal_fields, plant, token
from reelm.foundation.classes import Form
from reelm.foundation.config import load
from reelm.foundation.database import Base
from reelm.foundation.database.embedded import running
from reelm.foundation.egress.confined import Order, confined
from reelm.foundation.errors import Unavailable
from reelm.foundation.home import Home

Say = Callable[[str], None]
LEAKS = ("logs", "metrics", "jobs", "files")
LEAKED = "account_private.birth_date"
SENT = "(sent to provoke an error)"
# What is in a table is looked for in files too: a backup or a debugging copy would be one.
DATABASE_FILES = "postgres"


class Outcome(msgspec.Struct, frozen=True):
    """What was swept, and what was found."""

    is_clean: bool
    fields: dict[str, str]  # each personal field, and how its token got there
    places: list[str]
    found: list[Found]


@dataclass
class _Show:
    """One run: two regions, one with tokens."""

    folder: Path
    leaks: Sequence[str]
    say: Say
    tokens: dict[str, str] = field(default_factory=dict)
    by_product: set[str] = field(default_factory=set)
    places: list[str] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)

    @property
    def home(self) -> Home:
        """The region with the tokens."""
        return Home(self.folder / "a")

    def look(self, place: str, found: Iterator[Found]) -> None:
        """Sweep one place."""
        self.places.append(place)
        self.found += found
        self.say(f"swept {place}")


def prove(leaks: Sequence[str], say: Say, *, as_json: bool) -> int:
    """Fill every personal field with a token, and sweep for all of them.

    Returns:
        0 if no token is where it must not be, else 1.

    Raises:
        Unavailable: the show itself does not work; says why.
    """
    folder = Path(tempfile.mkdtemp(prefix="reelm-prove-"))
    folder.chmod(0o755)  # as root the database runs as a user of its own
    try:
        outcome = _run(_Show(folder, leaks, say))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if leaks and outcome.is_clean:
        raise Unavailable("The planted leak was not found: the sweep cannot be believed.")
    _print(outcome, as_json=as_json)
    return 0 if outcome.is_clean else 1


def _run(show: _Show) -> Outcome:
    fields = personal_fields(Base.metadata)
    show.tokens = {name: token() for name in fields}
    show.tokens |= {"(password)": token(), SENT: token()}
    for name in ("a", "b"):
        app.make_region(
            show.folder / name,
            jurisdiction="neutral",
            operator=f"Operator {name} (a show)",
            name=name,
            number=7,
        )
    with _serving(show, "b"), _serving(show, "a") as port:
        filling = Filling(port, show.tokens)
        show.by_product = filling.fill(make_clip(show.folder / "cwd-a"))
        show.say(f"{len(show.by_product)} fields were filled by the product")
        _plant_rest(show, fields)
        sweep = Sweep(show.tokens, MARK)
        show.look("answers to provoked errors", _errors(filling, sweep))
        show.look("/metrics", sweep.bytes("/metrics", filling.metrics()))
        show.look("job arguments and the audit log", _jobs(show, sweep))
        _crash(show, port)
        _sweep_database(show, sweep, fields)
    _sweep_files(show, sweep)
    ways = {n: "the product" if n in show.by_product else "written directly" for n in fields}
    return Outcome(not show.found, ways, show.places, show.found)


@contextmanager
def _serving(show: _Show, name: str) -> Iterator[int]:
    """Serve a region as its operator does, where core dumps would be allowed."""
    home = show.folder / name
    folder = show.folder / f"cwd-{name}"
    folder.mkdir()
    command = [str(Path(sys.executable).with_name("reelm")), "serve", "--region", str(home)]
    environment = {
        **os.environ,
        "REELM_HTTP_PORT": "0",
        "REELM_HTTP_RATE_LIMITS": "false",
        "REELM_HTTP_TRUSTED_PROXIES": "127.0.0.1",
    }
    if name == "a" and show.leaks:
        command = [sys.executable, "-m", "reelm.commands.prove.planted_token", str(home)]
        environment["REELM_PLANTED_TOKEN"] = f"{','.join(show.leaks)} {show.tokens[LEAKED]}"
    dumps = {"CORE": resource.getrlimit(resource.RLIMIT_CORE)[1]}
    log = _log(show, name)
    with log.open("wb") as file:
        process = subprocess.Popen(
            confined(command, Order(limits=dumps)),
            stdout=file,
            stderr=file,
            env=environment,
            cwd=folder,
        )
    try:
        yield wait_until(lambda: _port(process, log), f"region {name} is served")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _log(show: _Show, name: str) -> Path:
    return show.folder / f"{name}.log"


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int | None:
    words = log.read_text("utf-8", "replace")
    if process.poll() is not None:
        raise Unavailable(f"`reelm serve` did not start: {words[-2000:]}")
    _, _, rest = words.partition(" is at http://127.0.0.1:")
    return int(rest.split()[0]) if rest else None


def _plant_rest(show: _Show, fields: dict[str, Form]) -> None:
    rest = {name: show.tokens[name] for name in fields if name not in show.by_product}
    settings = load(show.home.path)
    with ExitStack() as stack:
        server = stack.enter_context(running(show.home.path))
        parts = stack.enter_context(app.join_region(show.home.path))
        connection = stack.enter_context(psycopg.connect(server.conninfo(), autocommit=True))
        connection.execute("SET ROLE NONE")
        with parts.transaction() as session:
            plant(connection, session, parts, Base.metadata, rest)
    show.say(f"{len(rest)} fields were written directly ({settings.region.name})")


def _errors(filling: Filling, sweep: Sweep) -> Iterator[Found]:
    for what, data in filling.provoke():
        # An answer may repeat to somebody what they have just sent; nothing else may.
        answer = sweep.bytes(f"the answer to {what}", data)
        yield from (one for one in answer if one.field != SENT)


def _jobs(show: _Show, sweep: Sweep) -> Iterator[Found]:
    """Look into what jobs are given and say, and into the audit log, which is public."""
    with running(show.home.path) as server, psycopg.connect(server.conninfo()) as connection:
        for table in ("procrastinate_jobs", "procrastinate_events", "job_report", "audit_entry"):
            query = sql.SQL("SELECT to_jsonb(t)::text FROM {} AS t").format(sql.Identifier(table))
            rows = "\n".join(str(row[0]) for row in connection.execute(query))
            yield from sweep.bytes(f"table {table}", rows.encode())


def _crash(show: _Show, port: int) -> None:
    """End web and worker as a crash does, and wait until they are back."""
    from reelm.foundation.egress.state import read  # noqa: PLC0415

    before = {held.process: held.pid for held in read(show.home.path)}
    for process, number in (("worker", signal.SIGSEGV), ("web", signal.SIGABRT)):
        os.kill(before[process], number)
    wait_until(
        lambda: (
            {h.process for h in read(show.home.path) if h.pid not in before.values()}
            == {"web", "worker"}
            or None
        ),
        "web and worker are started again",
    )
    with contextlib.suppress(OSError):
        Person(port, "after")
    show.say("web and worker were crashed, and are back")


def _sweep_database(show: _Show, sweep: Sweep, fields: dict[str, Form]) -> None:
    """Look for sealed tokens in the database's own files; those in plain show that it sees."""
    with running(show.home.path) as server:
        with psycopg.connect(server.conninfo(), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        files = list(sweep.folder(show.home.path / DATABASE_FILES))
    sealed = {name for name, form in fields.items() if form is Form.SEALED}
    plain = fields.keys() - sealed
    lacking = plain - {one.field for one in files}
    if lacking:
        raise Unavailable(
            "The sweep of the database's files does not see what is there in plain: "
            + ", ".join(sorted(lacking))
        )
    hidden = (one for one in files if one.field not in plain)
    show.look("the database's files and WAL, for what is sealed", hidden)


def _sweep_files(show: _Show, sweep: Sweep) -> None:
    home = show.home.path
    show.look("the region home but its database", sweep.folder(home, {DATABASE_FILES}))
    show.look("the folder of the other region", sweep.folder(show.folder / "b"))
    for name in ("a", "b"):
        log = _log(show, name)
        show.look(f"what `reelm serve` of region {name} printed", sweep.file(log.name, log))
        show.look(f"crash dumps of region {name}", sweep.folder(show.folder / f"cwd-{name}"))
    dumps = list((show.folder / "cwd-a").glob("core*"))
    show.found += [Found("(a whole process)", str(path.name), "crash dump") for path in dumps]


def _print(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(outcome).decode())  # noqa: T201 - the output of the command
        return
    direct = sum(way != "the product" for way in outcome.fields.values())
    print(  # noqa: T201
        f"{len(outcome.fields)} personal fields had a token, {direct} of them written directly; "
        f"{len(outcome.places)} places were swept."
    )
    for one in outcome.found:
        print(f"  {one.field} is in {one.place}, {one.form}")  # noqa: T201
    print("No token was found where it must not be." if outcome.is_clean else "LEAKED.")  # noqa: T201
