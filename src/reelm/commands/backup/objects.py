"""Objects of a backup: copied out of the store and checked on the way."""

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from reelm.commands.backup.manifest import Fact, new_file
from reelm.commands.backup.progress import bar
from reelm.foundation.errors import Missing
from reelm.foundation.storage import ObjectStore


@dataclass
class ObjectCopies:
    """The objects that were copied to `folder` so far, by their keys.

    Real copies and not links: a backup must outlive the disk blocks of what it is a backup of.
    """

    store: ObjectStore
    folder: Path
    facts: dict[str, Fact] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)

    def add(self, keys: Collection[str]) -> set[str]:
        """Copy those that are not copied yet; return the keys that are not in the store."""
        missing = set()
        with bar("Copying objects", len(keys)) as step:
            for key in sorted(keys):
                if key not in self.facts and key not in self.damaged:
                    try:
                        self._copy(key)
                    except Missing:
                        missing.add(key)
                step()
        return missing

    def keep_only(self, keys: Collection[str]) -> None:
        """Remove copies of what the rows name no more: it was deleted while this ran."""
        for key in self.facts.keys() - set(keys):
            (self.folder / key).unlink()
            del self.facts[key]
        self.damaged &= set(keys)

    def _copy(self, key: str) -> None:
        target = self.folder / key
        make_folders(self.folder, target.parent)
        digest, size = hashlib.sha256(), 0
        try:
            with new_file(target) as file:
                for chunk in self.store.chunks(key):
                    digest.update(chunk)
                    size += file.write(chunk)
        except Missing:
            target.unlink()
            raise
        if digest.hexdigest() == key.rsplit("/", 1)[-1]:
            self.facts[key] = Fact(size, digest.hexdigest())
        else:
            target.unlink()
            self.damaged.add(key)


def make_folders(top: Path, path: Path) -> None:
    """Make the private folders from `top` down to `path`."""
    missing = []
    while path != top and not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(mode=0o700)
        os.chmod(folder, 0o700)  # noqa: PTH101 - beside mkdir, whose mode the umask may narrow
