"""The region's append-only log of what was done, by whom and when."""

from reelm.audit.check import Found, check_log, check_tables
from reelm.audit.confidential import Opened, open_entry, read_confidential, record_confidential
from reelm.audit.export import export
from reelm.audit.integrate import Signer, integrate
from reelm.audit.keys import record_key_change
from reelm.audit.kinds import KINDS, Purpose, Undeclared
from reelm.audit.listen import Integrating
from reelm.audit.reading import (
    ShownCheckpoint,
    ShownEntry,
    checkpoint_note,
    checkpoints,
    entries,
    entries_of,
    leaves,
    newest_entry,
    prove_entry,
    prove_growth,
)
from reelm.audit.record import record
from reelm.audit.release import code_digest, record_release
from reelm.audit.tree import consistency_proof, inclusion_proof, leaf_count
from reelm.audit.witnesses import add_cosignatures, add_witness, remove_witness, witnesses

__all__ = [
    "KINDS",
    "Found",
    "Integrating",
    "Opened",
    "Purpose",
    "ShownCheckpoint",
    "ShownEntry",
    "Signer",
    "Undeclared",
    "add_cosignatures",
    "add_witness",
    "check_log",
    "check_tables",
    "checkpoint_note",
    "checkpoints",
    "code_digest",
    "consistency_proof",
    "entries",
    "entries_of",
    "export",
    "inclusion_proof",
    "integrate",
    "leaf_count",
    "leaves",
    "newest_entry",
    "open_entry",
    "prove_entry",
    "prove_growth",
    "read_confidential",
    "record",
    "record_confidential",
    "record_key_change",
    "record_release",
    "remove_witness",
    "witnesses",
]
