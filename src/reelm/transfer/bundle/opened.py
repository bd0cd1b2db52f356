"""A bundle as the buyer opens it: the manifest first, and nothing before its signature is good."""

from dataclasses import dataclass
from pathlib import Path

import pyrage

from reelm.foundation.database import Base
from reelm.foundation.errors import Invalid
from reelm.proofs.closing import (
    LEAF_ROWS,
    OBJECTS,
    ClosedTable,
    Closing,
    check_salt,
    closed_digest,
    read_closing,
)
from reelm.proofs.sale import Scope
from reelm.transfer.bundle.contents import (
    CONTENTS,
    LABEL,
    MANIFEST,
    MODEL,
    Contents,
    Stored,
    fingerprint,
    read_contents,
    read_label,
    read_manifest,
)
from reelm.transfer.bundle.files import inside
from reelm.transfer.bundle.objects import FOLDER
from reelm.transfer.bundle.rekey import Change, Rekeying
from reelm.transfer.bundle.seal_table import LIST, TABLES
from reelm.transfer.bundle.stays import MISSING, OBJECT, what_stays
from reelm.transfer.bundle.tables import MovedTable, moved_tables

# Four hundred days and a margin; each becomes a partition.
MOST_SLICES = 4000
_MOST_FILES = 100_000


@dataclass(frozen=True)
class Expected:
    """What the buyer knows from the signed scope, and not from the bundle.

    A seller signs the manifest of each rehearsal, too: `closed_digest`, where it is known, says
    which of them it is (proofs/closing.py).
    """

    scope_digest: str
    region: str
    seller_key: str
    epoch: int
    closed_digest: str | None = None

    @classmethod
    def of(cls, scope: Scope, scope_digest: str) -> "Expected":
        """Return what follows from a scope."""
        return cls(scope_digest, scope.region, scope.seller.public_key, scope.seller.epoch)


@dataclass(frozen=True)
class Opened:
    """A bundle whose manifest is the seller's, for this sale; `envelope` is it as it was signed."""

    folder: Path
    identity: pyrage.x25519.Identity
    envelope: bytes
    manifest: Closing
    contents: Contents
    tables: dict[str, MovedTable]

    @property
    def secret(self) -> bytes:
        """What the salts follow from."""
        return bytes.fromhex(self.contents.secret)

    def closed(self, name: str) -> ClosedTable:
        """Return what the manifest says of a table."""
        return next(one for one in self.manifest.tables if one.name == name)

    def leaf_change(self, name: str) -> Change | None:
        """Return how rows of a table that travel stand in leaves, where that differs."""
        table = self.tables[name]
        if not table.rekeyed:
            return None
        return Rekeying(table, self.manifest.scope_digest).leaf()


def open_bundle(folder: Path, identity: pyrage.x25519.Identity, expected: Expected) -> Opened:
    """Open a bundle and check all but its rows and objects.

    Raises:
        Invalid: it is no bundle, or not the one of this sale; says in what.
    """
    label = read_label(folder)
    if label.recipient != fingerprint(str(identity.to_public())):
        raise Invalid(f"{LABEL} of the bundle names another recipient than this identity's.")
    if label.region != expected.region:
        raise Invalid(f"{LABEL} of the bundle names another region than is sold.")
    envelope = read_manifest(folder, label, identity)
    manifest = read_closing(envelope, expected.seller_key)
    if expected.closed_digest not in {None, closed_digest(envelope)}:
        raise Invalid("The bundle has another closing manifest than the one that is expected.")
    contents = read_contents(folder, label, identity)
    _check_sale(manifest, contents, expected)
    tables = {one.name: one for one in moved_tables(Base.metadata)}
    _check_tables(manifest, tables)
    opened = Opened(folder, identity, envelope, manifest, contents, tables)
    _check_contents(opened)
    _check_strays(folder, contents)
    return opened


def _check_sale(manifest: Closing, contents: Contents, expected: Expected) -> None:
    if manifest.scope_digest != expected.scope_digest:
        raise Invalid(
            f"The bundle is of the scope {manifest.scope_digest[:16]}…, and the one that was"
            f" signed is {expected.scope_digest[:16]}…."
        )
    if contents.scope_digest != manifest.scope_digest:
        raise Invalid(f"{CONTENTS} of the bundle is of another scope than its manifest.")
    if manifest.region != expected.region or manifest.epoch != expected.epoch:
        raise Invalid("The bundle is of another region or epoch than is sold.")


def _check_tables(manifest: Closing, tables: dict[str, MovedTable]) -> None:
    closed = {one.name: one for one in manifest.tables}
    if len(closed) != len(manifest.tables) or closed.keys() != tables.keys():
        odd = sorted(closed.keys() ^ tables.keys())
        raise Invalid(f"The manifest closes other tables than go along: {', '.join(odd)[:200]}.")
    for name, table in tables.items():
        told = closed[name]
        own = (list(table.columns), table.order_names, table.sliced_by, sorted(table.rekeyed))
        if (told.columns, told.order, told.sliced_by, told.rekeyed) != own:
            raise Invalid(f"The manifest has table {name} in other columns or order than it has.")
        if told.leaf_rows != LEAF_ROWS:
            raise Invalid(f"The leaves of table {name} hold another number of rows.")
    _check_excluded(manifest)


def _check_excluded(manifest: Closing) -> None:
    """Check that just what this release declares stays, by the same rules; and lost objects."""
    told = {(one.place, one.name): one.rule for one in manifest.excluded}
    wanted = {(one.place, one.name): one.rule for one in what_stays(Base.metadata)}
    for place, name in sorted(told.keys() | wanted.keys()):
        rule = told.get((place, name))
        is_lost = place == OBJECT and rule == MISSING
        if not is_lost and rule != wanted.get((place, name)):
            words = f"look at the {place} {name[:120]}"
            raise Invalid(f"The manifest excludes something else than stays: {words}.")


def _check_contents(opened: Opened) -> None:
    contents, manifest = opened.contents, opened.manifest
    if contents.tables.keys() != opened.tables.keys():
        odd = sorted(contents.tables.keys() ^ opened.tables.keys())
        raise Invalid(f"{CONTENTS} of the bundle lists other tables than were closed: {odd[0]}.")
    if len(contents.facts) > _MOST_FILES:
        raise Invalid(f"{CONTENTS} of the bundle lists more than {_MOST_FILES} files.")
    for one in manifest.tables:
        check_salt(one.name, one.salt_commitment, opened.secret)
        _check_stored(one.name, contents.tables[one.name], is_sliced=bool(one.sliced_by))
    check_salt(OBJECTS, manifest.objects.salt_commitment, opened.secret)
    _check_stored(LIST, contents.objects, is_sliced=False)
    _check_model(manifest, contents)


def _check_stored(name: str, stored: Stored, *, is_sliced: bool) -> None:
    values = [one.value for one in stored.slices]
    is_good = values == sorted(set(values)) and len(values) <= MOST_SLICES
    if not is_good or (not is_sliced and values != [""]):
        raise Invalid(f"{CONTENTS} of the bundle has table {name} in other slices than it can.")
    top = f"{TABLES}/{name}/"
    facts = [fact for one in stored.slices for fact in one.files]
    names = [fact.name for fact in [*facts, stored.leaves] if fact is not None]
    if not all(one.startswith(top) for one in names):
        raise Invalid(f"{CONTENTS} of the bundle has files of table {name} elsewhere.")


def _check_model(manifest: Closing, contents: Contents) -> None:
    """Check that the model's file is named just where the manifest says that it goes along."""
    if contents.model is None:
        if manifest.model_digest:
            raise Invalid(f"{MODEL} of the bundle is missing, and the model goes along.")
    elif not manifest.model_digest:
        raise Invalid(f"The bundle has a {MODEL}, and by its manifest the model stays behind.")
    elif contents.model.name != MODEL:
        raise Invalid(f"{CONTENTS} of the bundle names another file than {MODEL} as the model.")


def _check_strays(folder: Path, contents: Contents) -> None:
    """Refuse files that nothing names; those of objects are looked at with their list."""
    named = {LABEL, MANIFEST, CONTENTS, *(fact.name for fact in contents.facts)}
    for name in sorted(named):
        if not inside(folder, name).is_file():
            raise Invalid(f"{name} of the bundle is missing.")
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name == FOLDER or name.startswith(f"{FOLDER}/"):
            continue
        if path.is_symlink() or (not path.is_dir() and name not in named):
            raise Invalid(f"The bundle has a file that it does not name: {name[:120]}.")
