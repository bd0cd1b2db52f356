"""The region home: keys, folders, disk; and the machine's clock."""

import os
import shutil
import stat
import time
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection

from reelm.accounts.preservation_key import IDENTITY
from reelm.commands.doctor.check import Check, fail, ok, warn
from reelm.foundation.clock import now
from reelm.foundation.config import Settings
from reelm.foundation.errors import ReelmError
from reelm.foundation.home import SECRETS, Home
from reelm.foundation.home_files import FOLDERS
from reelm.foundation.ids import EPOCH_MS

GIB = 1 << 30
OPERATOR_KEY = "operator-ed25519.pem"
FROM_BACKUP = "Copy the key back from a backup (keys/): it cannot be made again."


_PRESERVED = """
    SELECT count(*) FROM sealed_copy
    JOIN legal_order ON legal_order.id = order_id AND kind = 'preserve'
"""


def check_keys(home: Home) -> Check:
    """Each key is there, is what it should be, and only its owner can read it."""
    name = "keys"
    for key in (*SECRETS, OPERATOR_KEY):
        path = home.keys / key
        if not path.is_file():
            return fail(name, f"{path} is missing.", FROM_BACKUP)
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o177:
            return fail(
                name,
                f"{path} has mode {mode:04o}, so others may read it.",
                f"chmod 600 {path}; if others use this machine, count the key as known to them.",
            )
    try:
        is_whole = len(bytes.fromhex(home.secret("region-key"))) == 32
        home.operator_key()
    except (ReelmError, ValueError, TypeError):
        is_whole = False
    if not is_whole:
        sentence = f"The region key or {OPERATOR_KEY} in {home.keys} is damaged."
        return fail(name, sentence, FROM_BACKUP)
    return ok(name, f"All {len(SECRETS) + 1} are there, and only their owner can read them.")


def check_preservation(connection: Connection[Any], home: Home) -> Check:
    """Whoever has the copies that orders preserve does not have the key that opens them."""
    name, key = "preservation", home.keys / IDENTITY
    row = connection.execute(_PRESERVED).fetchone()
    count = row[0] if row else 0
    if count and key.exists():
        return warn(
            name,
            f"The key that opens {count} preserved copies lies beside them: {key}.",
            "Move it to a safe that is not on this machine (docs/orders.md, Preserve).",
        )
    return ok(name, f"{count} copies are preserved, and no key that opens one lies beside them.")


def check_folders(home: Home) -> Check:
    """Each folder of the home is there, writable and private."""
    name = "folders"
    for folder in FOLDERS:
        path = home.path / folder
        if not path.is_dir():
            return fail(name, f"The folder {path} is missing.", f"mkdir -m 700 {path}")
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            sentence = f"{path} has mode {mode:04o}, so others may look inside."
            return fail(name, sentence, f"chmod 700 {path}")
        if not os.access(path, os.W_OK | os.X_OK):
            sentence = f"{path} is not writable for this user."
            return fail(name, sentence, "Run Reelm as the user who owns the region home.")
    return ok(name, f"All {len(FOLDERS)} are there and private.")


def check_disk(home: Home, settings: Settings) -> Check:
    """There is room for the next uploads."""
    free = shutil.disk_usage(home.path).free
    sentence = f"{free / GIB:.1f} GiB are free at {home.path}."
    mend = "Free some space or move the region home to a larger disk."
    # An upload lies there once as it came and once as an object while it is converted.
    needed = 2 * settings.upload.max_bytes
    if free < needed:
        why = f" The largest upload that is allowed needs {needed / GIB:.1f} GiB."
        return fail("disk", sentence + why, mend + " Or lower upload.max_bytes.")
    if free < 5 * needed:
        return warn("disk", sentence, mend)
    return ok("disk", sentence)


def check_clock() -> Check:
    """The clock is after the time ids count from, and runs."""
    epoch = datetime.fromtimestamp(EPOCH_MS / 1000, UTC)
    mend = "Set this machine's clock right, by NTP: ids and orders depend on it."
    if now() < epoch:
        return fail("clock", f"It says {now():%Y-%m-%d}, which is before {epoch:%Y-%m-%d}.", mend)
    # adjtimex would say more, but not in containers; two clocks that disagree show a jump.
    before = time.time() - time.monotonic()
    time.sleep(0.02)
    if abs(time.time() - time.monotonic() - before) > 0.5:
        return fail("clock", "It jumps.", mend)
    return ok("clock", f"It says {now():%Y-%m-%d %H:%M:%S} UTC.")
