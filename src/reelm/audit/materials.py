"""The bill of materials: every distribution and program that runs, with version, licence, hash.

CycloneDX 1.6 JSON, in canonical form and without a time or a random number, so that two who have
the same things installed have the same bytes and the same digest (docs/transparency.md).
"""

import base64
import csv
import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, PackagePath, distributions
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

import reelm
from reelm.audit.release import code_digest
from reelm.foundation.errors import Unavailable
from reelm.foundation.strict_json import canonical

OURS = "reelm"
# What an installer writes itself, with paths and choices of the machine, and what Python compiles.
INSTALLERS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"})
COMPILED = ".pyc"
# What a hash is of, said beside each.
OF_FILES = "SHA-256 over the sorted lines `<SHA-256>  <path>` of the files in its RECORD"
OF_CODE = "SHA-256 over the sorted lines `<SHA-256>  <path>` of the files of the package"
OF_FILE = "SHA-256 of the file"
_MOST_LICENCE = 100  # longer than that it is the whole text, put into the wrong field


class Material(msgspec.Struct, frozen=True):
    """One distribution or program; `is_spdx` is whether its licence is an expression of SPDX.

    `hashed` says what the SHA-256 is of.
    """

    kind: str
    name: str
    version: str
    licence: str
    is_spdx: bool
    sha256: str
    hashed: str


class Bill(msgspec.Struct, frozen=True):
    """What is installed, the document that says so, and its SHA-256."""

    materials: list[Material]
    document: bytes
    digest: str


def bill_of_materials(programs: Mapping[str, Path]) -> Bill:
    """Return the bill of what is installed.

    Args:
        programs: name -> file of the programs of others that are started.

    Raises:
        Unavailable: a program is not there.
    """
    found = [*_distributions(), *(_program(name, file) for name, file in programs.items())]
    found.sort(key=lambda one: (one.kind, one.name))
    document = _document(found)
    return Bill(found, document, hashlib.sha256(document).hexdigest())


def running_bill(programs: Mapping[str, Path]) -> Bill:
    """Return the bill as it was when this process first asked: what runs since is what it says.

    Raises:
        Unavailable: a program is not there.
    """
    with _once:
        return _running_bill(tuple(programs.items()))


@cache
def _running_bill(programs: tuple[tuple[str, Path], ...]) -> Bill:
    return bill_of_materials(dict(programs))


# Reading what is installed takes most of a second; who asks at the same time waits for it.
_once = Lock()


def changed_files() -> list[str]:
    """Return the installed files that are not, or no longer, as the RECORD of their wheel says."""
    changed = []
    for distribution in _installed():
        for path, sha256 in _record(distribution):
            file = Path(str(distribution.locate_file(path)))
            if not file.is_file() or _sha256(file) != sha256:
                changed.append(f"{_name(distribution)}: {path}")
    return sorted(changed)


def _installed() -> list[Distribution]:
    # The first of a name on the path is the one that is imported.
    found: dict[str, Distribution] = {}
    for distribution in distributions():
        found.setdefault(_name(distribution), distribution)
    return list(found.values())


def _name(distribution: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or "unnamed").lower()


def _distributions() -> Iterator[Material]:
    for distribution in _installed():
        name = _name(distribution)
        if name == OURS:
            version, sha256, hashed = reelm.__version__, code_digest(), OF_CODE
        else:
            lines = sorted(f"{sha256}  {path}\n" for path, sha256 in _record(distribution))
            sha256 = hashlib.sha256("".join(lines).encode()).hexdigest()
            version, hashed = distribution.version, OF_FILES
        yield Material("library", name, version, *_licence(distribution), sha256, hashed)


def _record(distribution: Distribution) -> Iterator[tuple[str, str]]:
    """Yield path and SHA-256, in hex, of each file that came with the wheel."""
    for row in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
        path, hashed = PackagePath(row[0]), row[1]
        is_script = ".." in path.parts and "bin" in path.parts  # names this machine's Python
        if path.name in INSTALLERS or path.suffix == COMPILED or is_script:
            continue
        algorithm, _, text = hashed.partition("=")
        if algorithm == "sha256":
            yield str(path), base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()


def _licence(distribution: Distribution) -> tuple[str, bool]:
    """Return what the distribution says of its licence, and whether that is an SPDX expression."""
    metadata = distribution.metadata
    if expression := metadata["License-Expression"]:
        return str(expression), True
    stated = (metadata["License"] or "").strip()
    if stated and "\n" not in stated and len(stated) <= _MOST_LICENCE:
        return str(stated), False
    marks = [line.split(" :: ") for line in metadata.get_all("Classifier") or []]
    names = {mark[-1] for mark in marks if mark[0] == "License" and mark[-1] != "OSI Approved"}
    return ", ".join(sorted(names)), False


def _program(name: str, given: Path) -> Material:
    found = shutil.which(given)
    if found is None:
        raise Unavailable(f"The program {given} is not there, so it cannot be listed.")
    file = Path(found)
    return Material("application", name, "", "", False, _sha256(file), OF_FILE)


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _document(materials: list[Material]) -> bytes:
    bom = Bom(components=map(_component, materials), metadata=BomMetaData())
    document: dict[str, Any] = msgspec.json.decode(JsonV1Dot6(bom).output_as_string())
    # The only two that differ from one writing to the next.
    del document["serialNumber"], document["metadata"]["timestamp"]
    return canonical(document) + b"\n"


def _component(material: Material) -> Component:
    name = material.name
    is_library = material.kind == "library"
    return Component(
        name=name,
        version=material.version or None,
        type=ComponentType(material.kind),
        bom_ref=f"{material.kind}:{name}",
        purl=PackageURL("pypi", name=name, version=material.version) if is_library else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=material.sha256)],
        licenses=_licences(material),
        properties=[Property(name="reelm:hashed", value=material.hashed)],
    )


def _licences(material: Material) -> list[LicenseExpression | DisjunctiveLicense]:
    if material.is_spdx:
        return [LicenseExpression(value=material.licence)]
    return [DisjunctiveLicense(name=material.licence)] if material.licence else []
