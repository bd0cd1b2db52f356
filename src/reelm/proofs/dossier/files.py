"""Which files a folder of proofs has, and the list of them that the buyer signs."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reelm.foundation.envelope import MAX_BYTES, read_envelope, sign_envelope, signers
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical, decoded
from reelm.proofs.note import public_bytes
from reelm.proofs.sale import Digest, Key, Region

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

FORM: Literal["reelm-sale-report/1"] = "reelm-sale-report/1"
PAYLOAD_TYPE = "application/vnd.reelm.sale-report+json"
LIST, PAGE = "report.dsse", "report.html"
LOG = "log.jsonl"
# A region's log of years has hundreds of MB; no other file of the folder comes near.
MOST_LOG_BYTES, MOST_BYTES = 4 << 30, 16 << 20
CHUNK_BYTES = 1 << 20


class Refuted(Invalid):
    """A file of the folder is not what it has to be.

    Args:
        file: its path in the folder.
        sentence: what is wrong.
    """

    def __init__(self, file: str, sentence: str) -> None:
        super().__init__(sentence)
        self.file = file


class FileList(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All files of the folder but this one, each with its SHA-256."""

    form: Literal["reelm-sale-report/1"]
    region: Region
    scope_digest: Digest
    signed_by: Key
    made_at: str
    files: dict[str, Digest]


def sign_folder(
    folder: Path, region: str, scope_digest: str, made_at: str, key: Ed25519PrivateKey
) -> None:
    """Write the signed list of all that lies in a folder."""
    listed = FileList(
        form=FORM,
        region=region,
        scope_digest=scope_digest,
        signed_by=public_bytes(key).hex(),
        made_at=made_at,
        files={name: _digest(folder / name) for name in names_in(folder)},
    )
    (folder / LIST).write_bytes(sign_envelope(canonical(listed), PAYLOAD_TYPE, [key]))


def read_list(folder: Path) -> FileList:
    """Read the list of files; its signature is that of the key which it names itself.

    Raises:
        Refuted: it is not there, it was changed, or it is not in the one form that it has.
    """
    try:
        text = _bytes(folder / LIST, MAX_BYTES)
        envelope = read_envelope(text, PAYLOAD_TYPE)
        listed = decoded(envelope.payload, FileList, f"The list is not in the form {FORM}")
        signers(envelope, [listed.signed_by], 1)
    except Invalid as error:
        raise Refuted(LIST, error.sentence) from None
    # Some bits of base64 and some spellings of JSON mean nothing: they are refused, too.
    if canonical(listed) != envelope.payload or one_form(envelope) != text:
        raise Refuted(LIST, "It is not in the one form that such a list has: it was changed.")
    return listed


def check_files(folder: Path, listed: FileList) -> Iterator[Refuted]:
    """Yield what is wrong with the bytes of each file: changed, gone, or never listed."""
    there = set(names_in(folder))
    for name, digest in sorted(listed.files.items()):
        if name not in there:
            yield Refuted(name, "It is on the list, and not in the folder.")
        elif _digest(folder / name) != digest:
            yield Refuted(name, "Its bytes are not those on the list: it was changed.")
    for name in sorted(there - listed.files.keys()):
        yield Refuted(name, "It is in the folder, and not on the list.")


def one_form(envelope: "Envelope") -> bytes:
    """Return the one text of an envelope that is taken."""
    return msgspec.json.encode(envelope.to_dict())


def read(folder: Path, name: str) -> bytes:
    """Return the bytes of a file.

    Raises:
        Refuted: it is not there, or larger than such a file is.
    """
    try:
        return _bytes(folder / name, MOST_LOG_BYTES if name == LOG else MOST_BYTES)
    except Invalid as error:
        raise Refuted(name, error.sentence) from None


def _bytes(path: Path, most: int) -> bytes:
    if not path.is_file() or path.is_symlink():
        raise Invalid("It is not there.")
    if path.stat().st_size > most:
        raise Invalid(f"It is larger than {most >> 20} MiB, as no such file is.")
    return path.read_bytes()


def names_in(folder: Path) -> list[str]:
    """Return all that is below a folder but its folders and its list; links are named, too."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    names = (path.relative_to(folder).as_posix() for path in paths)
    return sorted(name for name in names if name != LIST)


def _digest(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return ""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()
