"""Who asks to be erased once the region was sealed is erased by whoever runs it then."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from tests.accounts.factory import signed_in, signed_up
from tests.transfer.move.factory import Moving

from reelm import accounts
from reelm.accounts.jobs import erase_later
from reelm.accounts.tasks import ERASE_LATER
from reelm.foundation import clock
from reelm.foundation.database import fence
from reelm.foundation.errors import Conflict, Frozen, Unavailable
from reelm.foundation.jobs import JobRun
from reelm.foundation.jobs.listing import undone_ids
from reelm.foundation.parts import Parts
from reelm.proofs import handover
from reelm.transfer import move


@dataclass
class Late:
    """A sale that is verified, and somebody who asked to be erased after the seal."""

    moving: Moving
    account_id: int

    def erasures(self) -> list[str]:
        """Whom the cutover names that the seller signed."""
        known, envelope = self.moving.known(), self.moving.exchange.cutover.read_bytes()
        return handover.read_cutover(envelope, known.scope, known.scope_digest)[0].erasures

    def is_erased(self, parts: Parts) -> bool:
        query = "SELECT EXISTS (SELECT FROM erased_account WHERE account_id = :id)"
        return bool(self.ask(parts, query))

    def has_sessions(self) -> bool:
        query = "SELECT EXISTS (SELECT FROM session WHERE account_id = :id AND token_hash <> '')"
        return bool(self.ask(self.moving.seller, query))

    def ask(self, parts: Parts, query: str) -> object:
        with parts.transaction() as session:
            return session.scalar(text(query), {"id": self.account_id})

    def run_job(self, parts: Parts) -> None:
        erase_later(JobRun(parts, 1), account_id=self.account_id)


@pytest.fixture
def late(serving: Moving) -> Late:
    """Somebody with a session asks twice, as from two devices."""
    parts = serving.serving
    with parts.transaction() as session:
        account_id = signed_up(session, parts, handle="asha").account_id
        signed_in(session, parts, account_id)
    made = Late(serving, account_id)
    assert made.has_sessions()
    serving.verified()
    for _ in range(2):
        with parts.transaction() as session:
            assert accounts.ask_to_erase(session, parts, account_id) is None
    return made


def test_the_cutover_names_them_and_the_buyer_erases_them(late: Late) -> None:
    assert not late.has_sessions()
    assert not late.is_erased(late.moving.seller)
    move.cut_over(late.moving.seller, late.moving.exchange)
    assert late.erasures() == [str(late.account_id)]
    move.countersign(late.moving.buyer, late.moving.exchange)
    with late.moving.buyer.transaction() as session:
        assert undone_ids(session, ERASE_LATER, "account_id") == [late.account_id]
    late.run_job(late.moving.buyer)
    assert late.is_erased(late.moving.buyer)


def test_sealed_again_they_are_erased_first(late: Late) -> None:
    moving = late.moving
    move.seal_region(moving.seller, moving.exchange)
    assert late.is_erased(moving.seller)
    with moving.seller.transaction() as session:
        assert accounts.waiting_erasures(session) == []
    move.receive(moving.buyer, moving.exchange)
    move.cut_over(moving.seller, moving.exchange)
    assert late.erasures() == []
    move.countersign(moving.buyer, moving.exchange)
    assert late.is_erased(moving.buyer)


def test_at_the_seller_they_wait_until_the_sale_has_ended(late: Late) -> None:
    with pytest.raises(Frozen):
        late.run_job(late.moving.serving)
    with late.moving.seller.transaction() as session:
        move.thaw(session, late.moving.known())
    late.run_job(late.moving.seller)
    assert late.is_erased(late.moving.seller)


def test_a_job_that_failed_is_named_and_queued_again(late: Late) -> None:
    seller = late.moving.seller
    failed = "UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name LIKE '%erase_later'"
    with seller.transaction() as session:
        session.execute(text(failed))
        assert accounts.waiting_erasures(session) == [late.account_id]
        accounts.resume_erasures(session)  # which queues nothing as long as it could not be done
        assert _queued(session) == 0
        move.thaw(session, late.moving.known())
        accounts.resume_erasures(session)
        assert _queued(session) == 1


def _queued(session: Session) -> object:
    query = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = :name"
    return session.scalar(text(query), {"name": ERASE_LATER.name})


def test_nobody_waits_longer_than_three_days(late: Late, monkeypatch: pytest.MonkeyPatch) -> None:
    in_three_days = clock.now() + fence.SEALED_FOR
    monkeypatch.setattr(fence, "now", lambda: in_three_days)
    late.run_job(late.moving.serving)
    assert late.is_erased(late.moving.seller)
    with pytest.raises(Conflict, match="after the seal"):
        move.cut_over(late.moving.seller, late.moving.exchange)


def test_more_than_a_document_holds_are_erased_by_another_seal(
    late: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "MOST_ERASURES", 0)
    with pytest.raises(Conflict, match="seal"):
        move.cut_over(late.moving.seller, late.moving.exchange)


def test_as_many_as_a_cutover_may_name_fit_into_it(
    late: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = list(range(2**63 - handover.MOST_ERASURES, 2**63))
    monkeypatch.setattr(accounts, "waiting_erasures", lambda _: most)
    move.cut_over(late.moving.seller, late.moving.exchange)
    move.countersign(late.moving.buyer, late.moving.exchange)
    assert late.erasures() == list(map(str, most))


def test_an_owner_of_the_region_asks_again_later(late: Late) -> None:
    parts = late.moving.serving
    with late.moving.seller.transaction() as session:
        guard = "ALTER TABLE account DISABLE TRIGGER USER"
        session.execute(text(guard))
        session.execute(text("UPDATE account SET role = 'owner'"))
    with pytest.raises(Conflict, match="once that has ended"), parts.transaction() as session:
        accounts.ask_to_erase(session, parts, late.account_id)


def test_a_seal_waits_for_an_erasure_that_has_begun(
    serving: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "LOCK_TIMEOUT_MS", 50)
    parts = serving.serving
    with parts.transaction() as session:
        account_id = signed_up(session, parts, handle="asha").account_id
    serving.freeze()
    with parts.transaction() as session:
        assert accounts.ask_to_erase(session, parts, account_id) is not None
        with pytest.raises(Unavailable):
            move.seal_region(serving.seller, serving.exchange)
    move.seal_region(serving.seller, serving.exchange)
    move.receive(serving.buyer, serving.exchange)
    made = Late(serving, account_id)
    move.cut_over(serving.seller, serving.exchange)
    assert made.erasures() == []
    assert made.is_erased(serving.buyer)


def test_who_is_unknown_at_the_buyer_holds_up_nobody(
    late: Late, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "waiting_erasures", lambda _: [late.account_id, 7])
    move.cut_over(late.moving.seller, late.moving.exchange)
    move.countersign(late.moving.buyer, late.moving.exchange)
    late.run_job(late.moving.buyer)
    assert late.is_erased(late.moving.buyer)
    erase_later(JobRun(late.moving.buyer, 1), account_id=7)
