"""Verify an exported log or a proof: without the region, its database, or trust in its operator."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reelm.commands.audit.printing import as_json as print_json
from reelm.commands.audit.printing import progress, read_note, say
from reelm.foundation.errors import Invalid
from reelm.proofs.merkle import BadProof
from reelm.proofs.note import VerifierKey
from reelm.proofs.proof_file import check_proof, read_proof
from reelm.proofs.report import Report
from reelm.proofs.verify import MAX_LINE_BYTES, Expected, verify_export


def verify(
    path: Path,
    *,
    origin: str | None,
    witness_keys: Sequence[str],
    previous: Sequence[Path],
    as_json: bool,
) -> int:
    """Verify an exported log, print what is wrong, and return 1 if anything is."""
    expected = Expected(
        origin,
        [VerifierKey.parse(line) for line in witness_keys],
        [read_note(note) for note in previous],
    )
    with progress("verifying") as on_progress:
        report = verify_export(lines_of(path), expected, on_progress)
    if as_json:
        print_json({"is_sound": report.is_sound, "first": report.first, "report": report})
    else:
        _show(report, is_compared=bool(witness_keys or previous))
    return 0 if report.is_sound else 1


def verify_proof(path: Path, *, log_key: str | None, as_json: bool) -> int:
    """Verify a proof, print what it shows, and return 1 if it shows nothing."""
    proof = read_proof(path.read_bytes())
    try:
        proven = check_proof(proof, VerifierKey.parse(log_key) if log_key else None)
    except (BadProof, Invalid) as error:
        say(f"The proof is wrong: {error}")
        return 1
    if as_json:
        print_json(proven)
        return 0
    if proven.leaf is not None:
        say(f"Entry {proven.index} of {proven.origin} is in the log of size {proven.size}:")
        say(f"  {proven.leaf}")
    else:
        told = f"of size {proven.size} begins with that of size {proven.first_size}"
        say(f"The log {proven.origin} {told}.")
    if not proven.key_is_known:
        say("That it is the log's key is only what the file says: give --log-key.")
    return 0


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, none longer than an export has."""
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE_BYTES + 1):
            yield line


def _show(report: Report, *, is_compared: bool) -> None:
    for fault in report.faults:
        say(f"{fault.name}: {fault.sentence}")
    first = report.first
    if first is not None:
        entry = f" (id {first.entry_id})" if first.entry_id else ""
        where = "" if first.index is None else f", at entry {first.index}{entry}"
        say(f"The log is NOT sound. The first fault is {first.name!r}{where}.")
        return
    say(f"The log {report.origin} is sound.")
    say(f"  {report.size} entries under {report.checkpoints} checkpoints")
    say(f"  root {report.root}")
    say(f"  signed by the key {report.key}")
    for name, seen in report.witnessed.items():
        say(f"  witnessed by {name} up to size {seen.size}")
    if not is_compared:
        say("Whether others were shown the same log, only a witness's key or a checkpoint from")
        say("before can tell: give --witness-key or --previous.")
