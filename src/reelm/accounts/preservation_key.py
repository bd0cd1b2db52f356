"""The key to which preserved copies are encrypted: an age identity that is kept elsewhere.

`keys/preservation-recipient` is its public half and all that the region needs to write copies.
`keys/preservation.age` is the identity that opens them: docs/orders.md says to take it off the
machine. Both are made with the region, or when a home from before has need of them.
"""

import os
import secrets
from pathlib import Path

import pyrage

from reelm.foundation.durable import sync
from reelm.foundation.errors import BadSetting, Invalid
from reelm.foundation.home import Home, write_secret

IDENTITY = "preservation.age"
RECIPIENT = "preservation-recipient"
_SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - how every age identity begins


def preservation_recipient(home: Home) -> pyrage.x25519.Recipient:
    """Return the recipient of preserved copies; its key is made where there is none yet.

    Raises:
        BadSetting: the file is damaged; says which.
    """
    path = home.keys / RECIPIENT
    if not path.exists():
        _make(home)
    try:
        return pyrage.x25519.Recipient.from_str(home.secret(RECIPIENT))
    except pyrage.RecipientError:
        raise BadSetting(f"{path} holds no age recipient, one line that begins age1.") from None


def read_identity(path: Path) -> pyrage.x25519.Identity:
    """Return the identity in a file as age-keygen writes it: comments, and one line with the key.

    Raises:
        Invalid: the file cannot be read, or holds none.
    """
    try:
        lines = path.read_text("ascii").splitlines()
        (line,) = [line.strip() for line in lines if line.startswith(_SECRET)]
        return pyrage.x25519.Identity.from_str(line)
    except (OSError, ValueError, pyrage.IdentityError):
        raise Invalid(f"{path} holds no age identity, one line that begins {_SECRET}.") from None


def _make(home: Home) -> None:
    identity = home.keys / IDENTITY
    if not identity.exists():
        made = pyrage.x25519.Identity.generate()
        _write_once(identity, f"# public key: {made.to_public()}\n{made}")
    _write_once(home.keys / RECIPIENT, str(read_identity(identity).to_public()))


def _write_once(path: Path, text: str) -> None:
    """Write a file whole and durably; where another process was first, its file stays."""
    whole = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    write_secret(whole, text)
    try:
        sync(whole)
        os.link(whole, path)
    except FileExistsError:
        pass
    finally:
        whole.unlink()
    sync(path.parent)
