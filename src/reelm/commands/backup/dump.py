"""pg_dump and pg_restore of the right version, without a secret in their arguments."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reelm.foundation.database.embedded_binaries import INSTALLS, Version, binaries
from reelm.foundation.errors import Unavailable

DEBIAN = Path("/usr/lib/postgresql")
SECRET = ("password", "sslpassword")
# An upload's bytes are not part of a backup, so neither is the row that speaks of them. Snapshots
# of the ranker are made anew from the log, and are replaced faster than a large one is copied.
ROWS_LEFT_OUT = ("upload", "rate_limit", "ranker_snapshot")


def dump(owner: str, major: int, snapshot: str, target: Path) -> None:
    """Dump the database as the exported snapshot shows it, into the existing file `target`."""
    arguments = ["--format=custom", f"--file={target}", f"--snapshot={snapshot}"]
    arguments += ["--no-owner", "--no-privileges"]
    arguments += [f"--exclude-table-data=public.{name}" for name in ROWS_LEFT_OUT]
    _run("pg_dump", major, owner, arguments)


def load(owner: str, major: int, source: Path) -> None:
    """Load a dump into the empty database of `owner`, wholly or not at all."""
    arguments = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run("pg_restore", major, owner, [*arguments, str(source)])


def program(name: str, major: int) -> Path:
    """Return the program of just this major version: another may not read or load the dump.

    Raises:
        Unavailable: it is not installed; says what to install.
    """
    candidates = []
    for version in INSTALLS:
        if version == str(major):
            known: Version = "18" if version == "18" else "16"
            candidates.append(binaries(known) / name)
    candidates.append(DEBIAN / str(major) / "bin" / name)
    if found := shutil.which(name):
        candidates.append(Path(found))
    for path in candidates:
        if path.is_file() and _major_of(path) == major:
            return path
    raise Unavailable(
        f"The database is PostgreSQL {major}, and no {name} of that version is installed: "
        f"install its client programs (Debian: postgresql-client-{major})."
    )


def _major_of(path: Path) -> int | None:
    asked = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\) (\d+)", asked.stdout)
    return int(found[1]) if found else None


def _run(name: str, major: int, owner: str, arguments: list[str]) -> None:
    known = conninfo_to_dict(owner)
    public = make_conninfo(
        **{key: str(value) for key, value in known.items() if value and key not in SECRET}
    )
    environment = {**os.environ, "LC_ALL": "C", "PGPASSWORD": str(known.get("password") or "")}
    ran = subprocess.run(
        [program(name, major), f"--dbname={public}", "--no-password", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        words = " ".join(ran.stderr.split())[:500]
        raise Unavailable(f"{name} failed: {words or f'status {ran.returncode}'}")
