"""Rotate the region key: wrap every data key anew, while the region serves.

The steps, each of which may be cut off and run again:
1. write the new key beside the old one, as `region-key-next`;
2. wrap all data keys anew, in short transactions;
3. keep the old key as `region-key-previous` and put the new one in its place, by one rename;
4. wrap what was made under the old key meanwhile, alone under a lock;
5. remove the old key.
A key is looked up by its version in all three files, so what was wrapped by either opens.
Nothing but the data keys outlives a rotation under the old key: what else is derived from the
region key (rate limit subjects, cursors) is short-lived and is simply made anew.
"""

import os
import secrets
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reelm.accounts.keys import (
    ROTATION_LOCK,
    current_region_key,
    region_keys,
    unwrap,
    version_of,
    wrap,
)
from reelm.accounts.models import AccountKey
from reelm.audit import record
from reelm.foundation.durable import sync
from reelm.foundation.errors import Unavailable
from reelm.foundation.home import write_secret
from reelm.foundation.parts import Parts

BATCH = 500


def rotate_region_key(parts: Parts) -> int:
    """Replace the region key and return how many data keys were wrapped anew.

    Raises:
        Unavailable: a data key is wrapped by a region key that is not here; nothing is lost.
    """
    keys = parts.home.keys
    current, following, previous = (
        keys / name for name in ("region-key", "region-key-next", "region-key-previous")
    )
    count = 0
    if not previous.exists():
        if not following.exists():
            _write_whole(following, secrets.token_hex(32))
        count += _wrap_all(parts, bytes.fromhex(parts.home.secret(following.name)))
        os.link(current, previous)
    if following.exists():
        following.replace(current)
        sync(keys)
    count += _finish(parts)
    previous.unlink()
    sync(keys)
    return count


def _wrap_all(parts: Parts, region_key: bytes) -> int:
    count = 0
    while True:
        with parts.transaction() as session:
            wrapped = _wrap_batch(session, parts, region_key)
        count += wrapped
        if wrapped < BATCH:
            return count


def _finish(parts: Parts) -> int:
    """Wrap the last ones; nobody makes a key meanwhile, and later makers read the new one."""
    count, region_key = 0, current_region_key(parts)
    with parts.transaction() as session:
        session.execute(select(func.pg_advisory_xact_lock(ROTATION_LOCK)))
        while wrapped := _wrap_batch(session, parts, region_key):
            count += wrapped
            session.flush()
        record(session, "accounts.region_key_rotated", version=str(version_of(region_key)))
    return count


def _wrap_batch(session: Session, parts: Parts, region_key: bytes) -> int:
    version = version_of(region_key)
    here = region_keys(parts)
    rows = session.scalars(
        select(AccountKey)
        .where(AccountKey.region_key_version != version)
        .order_by(AccountKey.account_id)
        .limit(BATCH)
        .with_for_update()
    ).all()
    for row in rows:
        if row.region_key_version not in here:
            raise Unavailable(
                f"The key of account {row.account_id} is wrapped by a region key that is not in "
                "keys/: put that key there as region-key-previous and rotate again."
            )
        secret = unwrap(here[row.region_key_version], row.account_id, row.wrapped_key)
        row.wrapped_key = wrap(region_key, row.account_id, secret)
        row.region_key_version = version
    return len(rows)


def _write_whole(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    write_secret(part, text)
    sync(part)
    part.rename(path)
    sync(path.parent)
