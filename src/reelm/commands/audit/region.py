"""The region's side of the audit log: checkpoints, check, export, proofs, witnesses."""

import os
from pathlib import Path

import msgspec

from reelm import audit, regions
from reelm.commands.audit.printing import as_json as print_json
from reelm.commands.audit.printing import progress, read_note, say, write
from reelm.foundation.errors import Conflict
from reelm.foundation.parts import Parts
from reelm.proofs.note import VerifierKey, log_key


def checkpoint(parts: Parts, size: int | None) -> None:
    """Take what is pending into the tree and print the newest checkpoint, or the one of a size."""
    audit.integrate(parts.database, regions.audit_signer(parts))
    with parts.transaction() as session:
        write(audit.checkpoint_note(session, size), None)


def key(parts: Parts) -> None:
    """Print the key that signs the log now, in one line, for witnesses."""
    signer = regions.audit_signer(parts)
    with parts.transaction() as session:
        newest = audit.checkpoints(session, limit=1)
    now = newest[0].key if newest else signer.first_key
    say(log_key(signer.origin, bytes.fromhex(now)).text)


def check(parts: Parts, *, as_json: bool) -> int:
    """Check the log in the database and return 1 where something is wrong."""
    signer = regions.audit_signer(parts)
    if _may_sign(parts, signer):
        audit.integrate(parts.database, signer)
    with progress("checking") as on_progress:
        found, report = audit.check_log(parts.database, signer, on_progress)
    is_sound = found.is_sound and report.is_sound
    if as_json:
        print_json({"is_sound": is_sound, "tables": found, "log": report})
        return 0 if is_sound else 1
    for fault in report.faults:
        say(f"{fault.name}: {fault.sentence}")
    for sentence in found.wrong:
        say(f"tables: {sentence}")
    for entry_id in found.outside:
        say(f"not in the tree: entry {entry_id} was recorded, and is neither in it nor pending.")
    if is_sound:
        say(
            f"The log is sound: {report.size} entries under {report.checkpoints} checkpoints, "
            f"root {report.root}; {found.pending} pending."
        )
    return 0 if is_sound else 1


def export(parts: Parts, target: Path) -> None:
    """Write the log to a new file.

    Raises:
        Conflict: there is such a file.
    """
    signer = regions.audit_signer(parts)
    audit.integrate(parts.database, signer)
    if target.exists():
        raise Conflict(f"{target} is there already: choose a new file.")
    part = target.with_name(target.name + ".part")
    with progress("exporting") as on_progress, part.open("wb") as file:
        pages = audit.export(parts.database, signer.origin, signer.first_key, on_progress)
        for page in pages:
            file.write(page)
        file.flush()
        os.fsync(file.fileno())
    part.rename(target)
    say(f"{target} ({target.stat().st_size} bytes) is the log {signer.origin}. Verify it with:")
    say(f"  reelm audit verify {target}")


def prove(parts: Parts, entry_id: int, size: int | None, target: Path | None) -> None:
    """Write the proof that an entry is in the log."""
    audit.integrate(parts.database, regions.audit_signer(parts))
    with parts.transaction() as session:
        proof = audit.prove_entry(session, entry_id, size)
    _write_proof(proof, target)


def prove_growth(parts: Parts, first: int, second: int | None, target: Path | None) -> None:
    """Write the proof that a later log begins with an earlier one."""
    audit.integrate(parts.database, regions.audit_signer(parts))
    with parts.transaction() as session:
        proof = audit.prove_growth(session, first, second)
    _write_proof(proof, target)


def open_entry(parts: Parts, entry_id: int) -> None:
    """Make a confidential entry public."""
    with parts.transaction() as session:
        opened = audit.open_entry(session, entry_id)
        told = audit.read_confidential(session, entry_id)
    say(f"Entry {entry_id} is public by entry {opened}: it is of kind {told.kind}.")


def add_witness(parts: Parts, line: str) -> None:
    """Take cosignatures of a witness from here on."""
    witness = VerifierKey.parse(line)
    with parts.transaction() as session:
        audit.add_witness(session, witness)
    say(f"Cosignatures of {witness.name} are taken from here on; the log says so.")


def remove_witness(parts: Parts, name: str) -> None:
    """Take no more cosignatures of a witness."""
    with parts.transaction() as session:
        audit.remove_witness(session, name)
    say(f"Cosignatures of {name} are no longer taken; the log says so.")


def list_witnesses(parts: Parts, *, as_json: bool) -> None:
    """Print the witnesses' keys."""
    with parts.transaction() as session:
        lines = [witness.text for witness in audit.witnesses(session)]
    if as_json:
        print_json({"witnesses": lines})
    for line in lines if not as_json else ():
        say(line)


def cosign(parts: Parts, path: Path) -> None:
    """Keep the cosignatures that a note carries."""
    note = read_note(path)
    with parts.transaction() as session:
        names = audit.add_cosignatures(session, note)
    say(f"The checkpoint is cosigned by {', '.join(names)}.")


def _may_sign(parts: Parts, signer: audit.Signer) -> bool:
    with parts.transaction() as session:
        return audit.check_tables(session, signer).is_sound


def _write_proof(proof: msgspec.Struct, target: Path | None) -> None:
    write(msgspec.json.format(msgspec.json.encode(proof)).decode() + "\n", target)
