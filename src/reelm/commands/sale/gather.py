"""Bring the proofs of a sale together in one folder, with a page and a signed list."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from reelm.commands.sale.cast import Authority
from reelm.commands.sale.stage import Stage
from reelm.foundation.clock import now, utc_text
from reelm.foundation.envelope import read_envelope
from reelm.foundation.home import Home
from reelm.foundation.strict_json import canonical
from reelm.proofs import sale
from reelm.proofs.dossier import (
    PAGE,
    KeyList,
    claims_of,
    observed_line,
    read_papers,
    render,
    sign_folder,
)


def gather(
    stage: Stage, authorities: Sequence[Authority], scope: Path, first: Path | None, report: Path
) -> None:
    """Write the report of a sale.

    Args:
        stage: where it was played.
        authorities: who took part.
        scope: of what was sold.
        first: a scope that was given up before.
        report: the folder to write.
    """
    stage.begin("report", "All proofs are brought together.")
    report.mkdir(parents=True, exist_ok=True)
    log = stage.folder / "log.jsonl"
    stage.reelm(stage.buyer.operator, "audit", "export", log, at=stage.buyer)
    exchange = stage.exchange
    for source, name in (
        (scope, "scope.json"),
        (exchange / "receipt.dsse", "receipt.dsse"),
        (stage.folder / "closing.dsse", "closing.dsse"),
        (exchange / "cutover.dsse", "cutover.dsse"),
        (exchange / "certificate.dsse", "certificate.dsse"),
        (exchange / "winding-down.jsonl", "journal.jsonl"),
        (log, "log.jsonl"),
    ):
        shutil.copyfile(source, report / name)
    shutil.copytree(stage.folder / "room", report / "room")
    _statements(exchange / "statements", report / "statements")
    if first is not None:
        _first(authorities, first, report / "first")
    (report / "orders").mkdir()
    for authority in authorities:
        for path in sorted(authority.desk.glob("order-*.dsse")):
            name = f"{authority.desk.name}-{path.stem.partition('-')[2]}.dsse"
            shutil.copyfile(path, report / "orders" / name)
    keys = KeyList([authority.told() for authority in authorities])
    (report / "keys.json").write_bytes(canonical(keys) + b"\n")
    (report / "observed.jsonl").write_bytes(b"".join(map(observed_line, stage.observed)))
    _finish(stage, report)


def _statements(source: Path, target: Path) -> None:
    """Copy what was signed of the scope, numbered in the order in which it came in."""
    target.mkdir()
    said = sorted(source.glob("*.dsse"), key=lambda path: int(path.stem.rpartition("-")[2]))
    for number, path in enumerate(said, 1):
        shutil.copyfile(path, target / f"{number:02}-{path.stem.partition('-')[0]}.dsse")


def _first(authorities: Sequence[Authority], scope: Path, target: Path) -> None:
    """Copy a scope that was given up, and what authorities said of it."""
    (target / "statements").mkdir(parents=True)
    shutil.copyfile(scope, target / "scope.json")
    digest = sale.digest_of(scope.read_bytes().removesuffix(b"\n"))
    for authority in authorities:
        for path in sorted(authority.desk.glob("decision-*.dsse")):
            envelope = read_envelope(path.read_bytes(), sale.APPROVAL_TYPE)
            if sale.read_approval(envelope.payload).scope_digest == digest:
                shutil.copyfile(path, target / "statements" / f"{authority.desk.name}.dsse")


def _finish(stage: Stage, report: Path) -> None:
    """Compute the claims, write the page, and sign the list of all files as the buyer."""
    papers = read_papers(report)
    (report / PAGE).write_bytes(render(papers, claims_of(papers)))
    sign_folder(
        report,
        papers.scope.region,
        papers.scope_digest,
        utc_text(now()),
        Home(stage.buyer.home).operator_key(),
    )
