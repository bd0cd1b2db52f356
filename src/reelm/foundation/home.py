"""The region home: one folder that holds all of a region on this machine."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import tomli_w
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reelm.foundation.clock import now
from reelm.foundation.errors import BadSetting, Conflict, Invalid, Unavailable
from reelm.foundation.home_files import FOLDERS

# Each is 32 random bytes as text; a key file has mode 0600 in a folder of mode 0700.
SECRETS = ("region-key", "postgres-superuser", "database-owner", "database-app")


@dataclass(frozen=True)
class Home:
    """Paths inside a region home."""

    path: Path

    @property
    def keys(self) -> Path:
        """Folder of key files."""
        return self.path / "keys"

    @property
    def objects(self) -> Path:
        """Folder of the local object store."""
        return self.path / "objects"

    @property
    def uploads(self) -> Path:
        """Folder of unfinished uploads."""
        return self.path / "uploads"

    @property
    def work(self) -> Path:
        """Folder of temporary files of running jobs."""
        return self.path / "work"

    @property
    def logs(self) -> Path:
        """Folder of log files."""
        return self.path / "logs"

    def secret(self, name: str) -> str:
        """Return the secret in key file `name`."""
        try:
            return (self.keys / name).read_text("ascii").strip()
        except OSError as error:
            reason = error.strerror or "unreadable"
            sentence = f"The key file {self.keys / name} cannot be read: {reason}."
            raise BadSetting(f"{sentence} `reelm doctor` says how to mend it.") from None

    def check_keys(self) -> None:
        """Read every key file, so that nothing starts that could not go on.

        Raises:
            BadSetting: one is missing or unreadable; names it.
        """
        for name in SECRETS:
            self.secret(name)
        self.operator_key()

    def operator_key(self) -> Ed25519PrivateKey:
        """Return the operator's private key."""
        pem = self.secret("operator-ed25519.pem").encode("ascii")
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, Ed25519PrivateKey):
            raise Unavailable(f"{self.keys / 'operator-ed25519.pem'} is not an Ed25519 key.")
        return key

    def operator_public_key(self) -> str:
        """Return the public half of the operator's key, in hex."""
        return self.operator_key().public_key().public_bytes_raw().hex()


def create(path: Path, *, jurisdiction: str, operator: str, name: str, number: int) -> Home:
    """Make a region home at `path` with its folders, keys and region.toml.

    Raises:
        Conflict: there is something at `path` already.
        Invalid: the name of the operator or region is not printable.
    """
    for text in (operator, name):
        if not text.strip() or not text.isprintable():
            raise Invalid("The names of operator and region need printable text.")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise Conflict(f"{path} is no empty folder: choose a new one for the region.")
    path.mkdir(parents=True, exist_ok=True)
    home = Home(path)
    for folder in FOLDERS:
        (path / folder).mkdir(mode=0o700)
    for secret in SECRETS:
        write_secret(home.keys / secret, secrets.token_hex(32))
    write_secret(home.keys / "operator-ed25519.pem", _operator_key())
    region = {
        "number": number,
        "name": name.strip(),
        "jurisdiction": jurisdiction,
        "operator": operator.strip(),
    }
    head = f"# A Reelm region, made {now():%Y-%m-%d}. docs/operate.md lists every setting.\n"
    # Written last: a home without region.toml is one whose making was cut off.
    (path / "region.toml").write_text(head + tomli_w.dumps({"region": region}), "utf-8")
    return home


def write_secret(path: Path, text: str) -> None:
    """Write a new key file that only its owner can read."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text + "\n", "ascii")


def _operator_key() -> str:
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode("ascii")
        .strip()
    )
