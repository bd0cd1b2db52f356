"""A `reelm serve` whose web process brings a token to where it must not be.

Only `reelm prove canaries --leak` starts it: `python -m reelm.commands.prove.planted_token HOME`.
"""

import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import psycopg

from reelm import app
from reelm.commands import child
from reelm.commands.serve import Supervisor
from reelm.foundation.config import load
from reelm.foundation.home import Home
from reelm.web import metrics

PLANTED = "REELM_PLANTED_TOKEN"


@dataclass
class _PlantedSupervisor(Supervisor):
    """The supervisor, whose processes are this module."""

    module: str = "reelm.commands.prove.planted_token"


def serve(path: str) -> None:
    """Serve the region at `path` with the leak in it."""
    supervisor = _PlantedSupervisor(
        Home(Path(path).resolve()),
        load(Path(path)),
        lambda sentence: print(sentence, flush=True),  # noqa: T201
    )
    supervisor.run(lambda port: print(f" is at http://127.0.0.1:{port}", flush=True))  # noqa: T201


def be_child(role: str, home: str, parent: str, listener: str = "") -> None:
    """Be web or worker as ever; the web leaks once."""
    if role == "web":
        leaks, token = os.environ[PLANTED].split()
        for leak in leaks.split(","):
            timer = threading.Timer(1.0, _leak, (leak, token, Path(home)))
            timer.daemon = True
            timer.start()
    child.main(role, home, parent, listener)


def _leak(leak: str, token: str, home: Path) -> None:
    if leak == "logs":
        print(f"web: somebody was born on {token}", file=sys.stderr, flush=True)  # noqa: T201
    elif leak == "metrics":
        metrics.JOBS.labels(token).set(1)
    elif leak == "files":
        (home / "work" / "forgotten.txt").write_text(token, "ascii")
    else:
        with (
            app.owner_connection(Home(home), load(home), None) as owner,
            psycopg.connect(owner, autocommit=True) as connection,
        ):
            connection.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
                " VALUES ('nobody', 'planted', jsonb_build_object('born', %s::text))",
                [token],
            )


if __name__ == "__main__":
    if len(sys.argv) == 2:
        serve(sys.argv[1])
    else:
        be_child(*sys.argv[1:])
