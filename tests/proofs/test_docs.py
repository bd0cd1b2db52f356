"""The test vectors of docs/audit.md are what this release makes."""

from pathlib import Path

from tests.proofs.factory import NEXT, OPERATOR, WITNESS, Log

from reelm.proofs.keys import endorse
from reelm.proofs.leaf import commitment, sealed
from reelm.proofs.merkle import leaf_hash
from reelm.proofs.note import COSIGNATURE, VerifierKey, public_bytes
from reelm.proofs.verify import Expected, verify_export

PAGE = (Path(__file__).parents[2] / "docs/audit.md").read_text("utf-8")


def test_the_vectors_are_as_the_docs_have_them():
    log = Log()
    log.add(account_id="7")
    log.sign()
    log.cosign(WITNESS, "w.example/1")
    witness = VerifierKey("w.example/1", COSIGNATURE, public_bytes(WITNESS))
    opened = sealed("accounts.reset", {"account_id": "7"})
    for vector in (
        log.leaves[0].decode(),
        leaf_hash(log.leaves[0]).hex(),
        public_bytes(OPERATOR).hex(),
        witness.text,
        opened.decode(),
        commitment(bytes(32), opened),
        endorse(OPERATOR, log.origin, public_bytes(NEXT), 2).hex(),
        b"".join(log.lines()).decode(),
    ):
        assert vector in PAGE


def test_the_export_of_the_docs_verifies():
    first = PAGE.index('{"reelm_audit_export":1,"origin":"')
    text = PAGE[first : PAGE.index("```", first)]
    witness = VerifierKey("w.example/1", COSIGNATURE, public_bytes(WITNESS))
    report = verify_export(text.encode().splitlines(keepends=True), Expected(witnesses=[witness]))
    assert (report.faults, report.size) == ([], 1)
