"""The probes: what somebody would try who wants to get at the seller's data.

Each is made before anything is destroyed, to show that it finds what is there, and again at the
end, when it has to find nothing.
"""

import http.client
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from reelm import accounts
from reelm.accounts import Canary
from reelm.foundation.database.roles import app_conninfo
from reelm.foundation.errors import ReelmError
from reelm.foundation.parts import Parts
from reelm.foundation.storage.store import CHECK
from reelm.transfer.wind_down.copies import backup_places, entries_under
from reelm.transfer.wind_down.database import owner_parts
from reelm.transfer.wind_down.journal import Journal
from reelm.transfer.wind_down.register import Register
from reelm.transfer.wind_down.site import Site

CHUNK_BYTES = 1 << 20
KEY_BYTES = 32
# A file of keys is small; in one, a key may stand at any byte.
KEY_FILE_BYTES = 4096
LEFT = ("uploads", "work", "logs")
LEFT_FILE = "wind-down-canary"
ANSWER_S = 5.0
REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound
HEX_KEY = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")


@dataclass(frozen=True)
class Found:
    """What a probe found; `is_open` where it got at something."""

    name: str
    tried: str
    is_open: bool
    words: str


def plant_files(site: Site, canary: Canary) -> None:
    """Put the canary's text where plain data lies: in the store, and in the folders of the home."""
    site.store.put_bytes(CHECK, canary.text.encode())
    for name in LEFT:
        (site.home.path / name).mkdir(mode=0o700, exist_ok=True)
        (site.home.path / name / LEFT_FILE).write_text(canary.text, "utf-8")


def remove_files(site: Site) -> None:
    """Take the canary out of the folders again: one that is held stays, without it."""
    for name in LEFT:
        (site.home.path / name / LEFT_FILE).unlink(missing_ok=True)


def probe_access(site: Site, canary: Canary, owner: str | None) -> Iterator[Found]:
    """Try the old credentials on the database; None: it is gone, and nothing can be asked."""
    if owner is None:
        yield from _gone()
        return
    yield Found("database", "connected as its owner", is_open=True, words="it answers")
    with owner_parts(site, owner) as parts:
        for name, tried, ask in _logins(parts, canary):
            words = ask()
            yield Found(name, tried, is_open=bool(words), words=words or "refused")


def probe_serving_role(site: Site, owner: str, epoch: int) -> Found:
    """Try to connect as the role that served, with its password."""
    conninfo = app_conninfo(owner, epoch, site.home.secret("database-app"))
    tried = f"connected as the serving role of epoch {epoch}, with its password"
    try:
        psycopg.connect(conninfo, connect_timeout=10).close()
    except psycopg.OperationalError:
        return Found("serving-role", tried, is_open=False, words="refused")
    return Found("serving-role", tried, is_open=True, words="let in")


def probe_copies(site: Site, register: Register, canary: Canary) -> Iterator[Found]:
    """Look for the region key, for objects, and for the canary, sealed and plain."""
    key_files = sorted(path.name for path in site.home.keys.glob("region-key*"))
    tried = f"looked for region-key in {site.home.keys}"
    yield Found("region-key", tried, bool(key_files), ", ".join(key_files) or "not there")
    held = {kind for kind in site.store.kinds() if register.held(f"objects/{kind}")}
    left = [kind for kind in site.store.kinds() - held if any(site.store.list(kind))]
    words = f"objects of {', '.join(sorted(left))}" if left else "none is listed"
    tried = "listed the object store" + (f", but {', '.join(sorted(held))}" if held else "")
    yield Found("objects", tried, bool(left), words)
    tried = "tried every key that is left in home, backups and exchange folder on a sealed value"
    opened_by = next((path for path in _files(site) if _opens(path, canary)), None)
    words = f"opened with what is in {opened_by}" if opened_by else "no key opens it"
    yield Found("sealed-canary", tried, opened_by is not None, words)
    tried = "searched every byte in home, backups and exchange folder for a plain text"
    text = canary.text.encode()
    holds_it = next((path for path in _files(site) if _holds(path, text)), None)
    words = f"found in {holds_it}" if holds_it else "not found"
    yield Found("plain-canary", tried, holds_it is not None, words)


def probe_address(site: Site, canary: Canary, paths: Sequence[str]) -> Found:
    """Ask the old address with an old session for an account, its uploads, and a media file."""
    address, port = _address(site)
    tried = f"asked {address}:{port} with an old session for {', '.join(paths)}"
    said = [_status(address, port, path, canary.token) for path in paths]
    is_open = any(status is not None and 200 <= status < 300 for status in said)
    words = ", ".join("no answer" if status is None else str(status) for status in said)
    return Found("old-address", tried, is_open, words)


def note(journal: Journal, phase: str, found: Found, *, wants_open: bool) -> bool:
    """Write down what a probe found; return whether it was as it has to be."""
    passed = found.is_open is wants_open
    journal.append(
        "probed",
        name=found.name,
        phase=phase,
        tried=found.tried[:1000],
        expected="to get at it" if wants_open else "to be refused, or to find nothing",
        found=found.words[:1000],
        passed=passed,
    )
    return passed


def _logins(parts: Parts, canary: Canary) -> list[tuple[str, str, Callable[[], str]]]:
    def signed_in(token: str) -> str:
        with parts.transaction() as session:
            viewer = accounts.viewer_of(session, token)
        return "" if viewer is None else f"signed in, role {viewer.role or 'none'}"

    def password() -> str:
        try:
            with parts.transaction() as session:
                known = {"handle": canary.handle, "password": canary.password}
                accounts.sign_in(session, parts, **known, address="127.0.0.1")
        except ReelmError:
            return ""
        return "signed in"

    def staff() -> str:
        words = signed_in(canary.staff_token)
        return "" if words.endswith("none") else words

    return [
        ("session", "used the token of an old session", lambda: signed_in(canary.token)),
        ("password", "signed in with an old handle and password", password),
        ("staff", "used the token of a signed-in moderator", staff),
    ]


def _gone() -> Iterator[Found]:
    tried = "looked for the database"
    for name in ("database", "session", "password", "staff"):
        yield Found(name, tried, is_open=False, words="there is no database that could answer")


def _files(site: Site) -> Iterator[Path]:
    for folder in (site.home.path, *backup_places(site), site.bundle):
        yield from entries_under(folder)


def _opens(path: Path, canary: Canary) -> bool:
    return any(accounts.opens(canary, key) for key in _keys_in(path))


def _keys_in(path: Path) -> Iterator[bytes]:
    """Yield what may be a key: 64 hex digits anywhere, and each 32 bytes of a small file."""
    tail = b""
    for chunk in _chunks(path):
        for match in HEX_KEY.finditer(tail + chunk):
            yield bytes.fromhex(match[0].decode())
        tail = (tail + chunk)[-2 * KEY_BYTES - 1 :]
        if len(chunk) <= KEY_FILE_BYTES:
            for start in range(len(chunk) - KEY_BYTES + 1):
                yield chunk[start : start + KEY_BYTES]


def _holds(path: Path, text: bytes) -> bool:
    tail = b""
    for chunk in _chunks(path):
        if text in tail + chunk:
            return True
        tail = chunk[-len(text) :]
    return False


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
    except FileNotFoundError:
        return  # the running database removes its own files


def _address(site: Site) -> tuple[str, int]:
    address, port = site.settings.http.address, site.settings.http.port
    try:
        told = (site.home.path / "serve.lock").read_text("ascii").split()
        address, port = told[0], int(told[1])
    except (OSError, ValueError, IndexError):
        pass
    return REACHED_AT.get(address, address), port


def _status(address: str, port: int, path: str, token: str) -> int | None:
    connection = http.client.HTTPConnection(address, port, timeout=ANSWER_S)
    try:
        connection.request("GET", path, headers={"Cookie": f"reelm_session={token}"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
