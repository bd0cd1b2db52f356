"""The witness's side: a folder with a key and what it has seen; no region, no network."""

import sys
from pathlib import Path

from reelm.commands.audit.offline import lines_of
from reelm.commands.audit.printing import read_note, say, write
from reelm.foundation.errors import Invalid
from reelm.proofs.note import Note
from reelm.proofs.proof_file import ConsistencyProof, read_proof
from reelm.proofs.witness import Refused, Witness, make_witness


def init(folder: Path, name: str) -> None:
    """Make a witness and print its key."""
    say(make_witness(folder, name).text)


def cosign(
    folder: Path,
    checkpoint: Path,
    *,
    proof: Path | None,
    log: Path | None,
    log_key: str,
    target: Path | None,
) -> int:
    """Cosign a checkpoint, print the note with the new line, and return 1 where refused."""
    witness, note = Witness(folder), read_note(checkpoint)
    try:
        if log is not None:
            line = witness.cosign_by_log(note, lines_of(log))
        else:
            line = witness.cosign_by_proof(note, _proof(proof), log_key)
    except Refused as refused:
        sys.stderr.write(f"Not cosigned: {refused}\n")
        return 1
    write(str(Note(note.text, (*note.signatures, line))), target)
    return 0


def seen(folder: Path, origin: str) -> None:
    """Print the last checkpoint of a log that the witness saw.

    Raises:
        Invalid: it has seen none.
    """
    last = Witness(folder).seen(origin)
    if last is None:
        raise Invalid(f"This witness has seen nothing of {origin}.")
    write(last.note, None)


def _proof(path: Path | None) -> ConsistencyProof | None:
    if path is None:
        return None
    proof = read_proof(path.read_bytes())
    if not isinstance(proof, ConsistencyProof):
        raise Invalid(f"{path} proves that an entry is in a log, and not that a log grew.")
    return proof
