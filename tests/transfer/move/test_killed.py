"""kill -9 in every step of a move, on either side; then again, and it comes to the same end."""

from dataclasses import dataclass

import pytest
from tests.transfer.move import killed
from tests.transfer.move.killed import COMMITTED, RENAME, Ended
from tests.transfer.move.stages import BUYER, ORDER, SELLER, Stages

from reelm import audit, regions, transfer
from reelm.foundation.envelope import read_envelope
from reelm.foundation.errors import Missing
from reelm.proofs import handover
from reelm.regions.models import Tenure
from reelm.transfer import move
from reelm.transfer.move.freeze import OPEN
from reelm.transfer.move.seal_region import SealedRegion, last_sealed

EARLY = 3
WRITES = ("INSERT", "UPDATE", "DELETE", "REVOKE", "GRANT", "ALTER", "TRUNCATE", "copy")


@dataclass(frozen=True)
class Step:
    """A command of one side: after which stage it comes, and to which it leads."""

    side: str
    after: str
    leads_to: str
    words: tuple[str, ...]
    has_exchange: bool = True

    def start(self, stages: Stages, *, at: int = 0, most_bytes: int = -1) -> Ended:
        words = [*self.words, "--region", stages.home(self.side).path]
        words += ["--exchange", stages.exchange] if self.has_exchange else []
        url = stages.url(self.side)
        return killed.run(url, "transfer", *words, at=at, most_bytes=most_bytes)

    def run(self, stages: Stages, at: int = 0) -> Ended:
        ended = self.start(stages, at=at)
        assert ended.is_killed if at else ended.status == 0, ended.said
        return ended


STEPS = {
    "rehearse": Step(SELLER, "announced", "rehearsed", ("rehearse",)),
    "freeze": Step(SELLER, "rehearsed", "frozen", ("freeze",), has_exchange=False),
    "seal": Step(SELLER, "frozen", "sealed", ("seal",)),
    "verify": Step(BUYER, "sealed", "verified", ("verify",)),
    "cutover at the seller": Step(SELLER, "verified", "signed", ("cutover",)),
    "cutover at the buyer": Step(BUYER, "signed", "over", ("cutover",)),
}
ABORT = Step(SELLER, "sealed", "", ("abort", "--reason", "No money."), has_exchange=False)


def chosen(points: list[str]) -> tuple[list[int], list[int]]:
    """Return at which points to be killed: some anywhere, and those when something is kept."""
    late, is_writing = [], False
    for at, point in enumerate(points, 1):
        if point == COMMITTED:
            late += [at] * is_writing
            is_writing = False
        elif point.lstrip().startswith(WRITES):
            is_writing = is_writing or "process_lease" not in point
    # Of many files the last one counts: it says that the others are whole.
    late += [at for at, point in enumerate(points, 1) if point == RENAME][-1:]
    early = [1 + len(points) * one // EARLY for one in range(EARLY)]
    return sorted(set(early) - set(late)), sorted(late)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_is_killed_anywhere_comes_to_the_same_end(stages, name):
    step = STEPS[name]
    with stages.at(step.after):
        early, late = chosen(step.run(stages).points)
    with stages.at(step.after):
        # Again and again, each time later, on what the one before has left.
        for at in early:
            step.run(stages, at)
        step.run(stages)
        go_on(stages, step.leads_to)
    for at in late:
        with stages.at(step.after):
            step.run(stages, at)
            step.run(stages)
            check_stage(stages, step.leads_to)
    go_on(stages, step.leads_to)


def test_an_abort_that_is_killed_anywhere_lets_everything_be_written_again(stages):
    with stages.at(ABORT.after):
        early, late = chosen(ABORT.run(stages).points)
    for at in [early[1], *late]:
        with stages.at(ABORT.after) as moving:
            ABORT.run(stages, at)
            ABORT.run(stages)
            assert moving.write(moving.serving, "DELETE FROM follow") > 0
            assert moving.state() == "aborted"
            with moving.seller.transaction() as session:
                assert len(list(audit.entries_of(session, "transfer.aborted"))) == 1
                assert len(list(audit.entries_of(session, "transfer.thawed"))) == 1


def go_on(stages: Stages, stage: str) -> None:
    """Take the steps that are left, and check the end."""
    names = list(ORDER)
    with stages.opened() as moving:
        for following in names[names.index(stage) + 1 :]:
            ORDER[following](moving)
        check_whole(moving.exchange)
        with moving.seller.transaction() as session, pytest.raises(Missing):
            regions.current_tenure(session)
        with moving.buyer.transaction() as session:
            assert regions.current_tenure(session).epoch == 2
            assert session.query(Tenure).count() == 2
            assert len(list(audit.entries_of(session, "transfer.cutover"))) == 1
            assert transfer.status(session).state == "cutover"
        with moving.seller.transaction() as session:
            assert transfer.status(session).state == "cutover"
            closed = last_sealed(session, moving.known().id)
            assert closed is not None
        audit.integrate(moving.buyer.database, regions.audit_signer(moving.buyer))
        found, report = audit.check_log(moving.buyer.database, regions.audit_signer(moving.buyer))
        assert (found.wrong, report.faults) == ([], [])
    check_roots(stages, closed)


def check_stage(stages: Stages, stage: str) -> None:
    """Check that nothing was done twice by one side."""
    with stages.opened() as moving:
        check_whole(moving.exchange)
        state = {"signed": "cutover", "verified": "sealed"}.get(stage, stage)
        if stage != "over":
            assert moving.state() == state
        for kind, side in (("frozen", moving.seller), ("cutover", moving.buyer)):
            with side.transaction() as session:
                assert len(list(audit.entries_of(session, f"transfer.{kind}"))) <= 1


def check_whole(exchange: move.Exchange) -> None:
    """Check that what lies in the exchange folder is whole."""
    assert [path for path in exchange.folder.rglob("*") if "part" in path.name] == []
    kinds = {exchange.receipt: handover.RECEIPT_TYPE, exchange.cutover: handover.CUTOVER_TYPE}
    for path, kind in kinds.items():
        if path.exists():
            read_envelope(path.read_bytes(), kind)


def check_roots(stages: Stages, closed: SealedRegion) -> None:
    """Check that what was sealed and imported are the rows that were there at the freeze."""
    with stages.at("sealed") as moving, moving.seller.transaction() as session:
        known = last_sealed(session, moving.known().id)
    assert known is not None
    assert roots(closed) == roots(known)


def roots(sealed: SealedRegion) -> dict[str, tuple[int, str]]:
    """Return rows and root of each table that a freeze closes, and of the objects."""
    manifest = sealed.manifest
    found = {one.name: (one.rows, one.root) for one in manifest.tables if one.name not in OPEN}
    return {**found, "objects": (manifest.objects.count, manifest.objects.root)}
