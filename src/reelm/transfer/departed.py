"""What stays in the home of a region that has gone: the two documents that say where it went.

The old address answers from them alone (web/departed.py), also once database and keys are
destroyed. Both are public: the scope that everybody signed, and the cutover that both operators do.
"""

import os
from pathlib import Path

import msgspec

from reelm.foundation.database.embedded_lock import give_to_owner_of
from reelm.foundation.durable import sync, write_whole
from reelm.foundation.errors import Invalid
from reelm.foundation.home import Home
from reelm.foundation.strict_json import canonical
from reelm.proofs.handover import Cutover, read_cutover
from reelm.proofs.sale import Scope, digest_of, read_scope

FOLDER = "departed"
SCOPE = "scope.json"
CUTOVER = "cutover.dsse"


class Departure(msgspec.Struct, frozen=True):
    """Where a region went; `is_done` once the new operator has signed, and so is in charge."""

    scope: Scope
    cutover: Cutover
    is_done: bool


def document_paths(home: Home) -> tuple[Path, Path]:
    """Return where scope and cutover lie in the home."""
    folder = home.path / FOLDER
    return folder / SCOPE, folder / CUTOVER


def has_departed(home: Home) -> bool:
    """Whether the home says that its region has gone; the cutover is written last."""
    return document_paths(home)[1].exists()


def leave_documents(home: Home, scope: bytes, cutover: bytes) -> None:
    """Leave the documents in the seller's home; what both have signed is never taken back.

    Raises:
        Invalid: they do not belong together, or are not about this home's region.
    """
    told = _read(home, scope, cutover)
    paths = document_paths(home)
    if has_departed(home) and read_departure(home).is_done and not told.is_done:
        return
    paths[0].parent.mkdir(mode=0o700, exist_ok=True)
    for path, data in zip(paths, (scope, cutover), strict=True):
        if not path.exists() or path.read_bytes() != data:
            write_whole(path, data)
    for path in (paths[0].parent, *paths):
        _give_to_owner(home, path)
    sync(home.path)


def read_departure(home: Home) -> Departure:
    """Return where the region went, as the documents in its home prove it.

    Raises:
        Invalid: they are damaged, or not about this home's region.
    """
    try:
        scope, cutover = (path.read_bytes() for path in document_paths(home))
    except OSError as error:
        raise Invalid(f"{error.filename} cannot be read: {error.strerror}.") from None
    return _read(home, scope, cutover)


def _read(home: Home, scope_text: bytes, cutover_text: bytes) -> Departure:
    scope = read_scope(scope_text)
    own = home.operator_public_key()
    if own != scope.seller.public_key:
        raise Invalid(f"This home's operator key is not that of the seller in {SCOPE}.")
    cutover, signed_by = read_cutover(cutover_text, scope, digest_of(canonical(scope)))
    return Departure(scope, cutover, "buyer" in signed_by)


def _give_to_owner(home: Home, path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        give_to_owner_of(home.path, descriptor)
    finally:
        os.close(descriptor)
