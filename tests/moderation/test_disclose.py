"""What an order to disclose has handed out: only its authority can read it."""

import io
import json
import zipfile
from datetime import timedelta

import pyrage
import pytest
from sqlalchemy import delete, select, update
from tests.accounts.factory import signed_up
from tests.moderation.factory import reader
from tests.regions.factory import make_body, people
from tests.social.factory import make_video

from reelm import accounts, moderation
from reelm.accounts import sealed_copies
from reelm.accounts.models import Account, AccountKey
from reelm.accounts.preservation_key import IDENTITY, read_identity
from reelm.audit.models import AuditEntry
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Invalid, Missing, Unavailable
from reelm.regions import orders
from reelm.regions.models import LegalOrder


@pytest.fixture
def body(parts):
    """An authority with a recipient."""
    with parts.transaction() as session:
        return make_body(session)


@pytest.fixture
def asha(parts):
    """A person with a video."""
    with parts.transaction() as session:
        account_id = signed_up(session, parts).account_id
        make_video(session, account_id)
        return account_id


def submit(parts, envelope):
    with parts.transaction() as session:
        return moderation.submit_order(session, parts, envelope).order_id


def disclose(parts, body, *account_ids: int, **fields: object):
    return submit(parts, body.order("disclose", targets=people(*account_ids), **fields))


def release(parts, order_id, account_id):
    with parts.transaction() as session:
        return accounts.release_disclosure(session, order_id, account_id, reader())


def state(parts, order_id):
    with parts.transaction() as session:
        return orders.order(session, order_id).state


def opened(parts, package, identity):
    plain = pyrage.decrypt(parts.store.get(package.object), [identity])
    return zipfile.ZipFile(io.BytesIO(plain))


def test_a_package_opens_for_the_authority_and_for_nobody_else(parts, run_jobs, body, asha):
    order_id = disclose(parts, body, asha)
    run_jobs()
    package = release(parts, order_id, asha)
    document = json.loads(opened(parts, package, body.identity).read("account.json"))
    assert document["account_id"] == str(asha)
    assert document["tables"]["account_private"][0]["birth_date"] == "1990-05-17"
    assert document["tables"]["video"]
    regions_own = read_identity(parts.home.keys / IDENTITY)
    for other in (regions_own, pyrage.x25519.Identity.generate()):
        with pytest.raises(pyrage.DecryptError):
            opened(parts, package, other)


def test_the_order_is_complied_with_when_the_last_package_was_handed_out(
    parts, run_jobs, body, asha
):
    with parts.transaction() as session:
        ben = signed_up(session, parts).account_id
    order_id = disclose(parts, body, asha, ben)
    with pytest.raises(Unavailable, match="still being made"):
        release(parts, order_id, asha)
    run_jobs()
    first = release(parts, order_id, asha)
    assert state(parts, order_id) == "in_force"
    release(parts, order_id, ben)
    assert state(parts, order_id) == "complied"
    again = release(parts, order_id, asha)
    assert (again.released_at, again.released_by) == (first.released_at, reader().account_id)
    with parts.transaction() as session:
        (entry,) = session.scalars(
            select(AuditEntry).where(AuditEntry.kind == "regions.order_complied")
        )
        assert entry.body["order_id"] == str(order_id)
        assert orders.order(session, order_id).complied_at is not None


def test_each_handing_out_is_logged_as_a_read(parts, run_jobs, body, asha):
    order_id = disclose(parts, body, asha)
    run_jobs()
    for _ in range(2):
        release(parts, order_id, asha)
    with parts.transaction() as session:
        read = accounts.readings(session)
        subjects = [(one.what, one.subject_ids, one.purpose) for one in read]
    assert subjects == [("disclosure", (str(order_id), str(asha)), reader().purpose)] * 2


def test_the_log_names_nobody_for_a_confidential_order(parts, run_jobs, body, asha):
    order_id = disclose(parts, body, asha, confidential=True)
    run_jobs()
    with parts.transaction() as session:
        since = max(session.scalars(select(AuditEntry.id)))
    release(parts, order_id, asha)
    with parts.transaction() as session:
        fresh = session.scalars(select(AuditEntry).where(AuditEntry.id > since)).all()
        assert [one.kind for one in fresh] == ["confidential"] * 2
        assert all(str(number) not in str(one.body) for one in fresh for number in (order_id, asha))
        # Who may see the access log sees it there, unpublished.
        assert [one.is_published for one in accounts.readings(session)] == [False]


def test_an_authority_without_a_recipient_is_refused_at_once(parts, asha):
    with parts.transaction() as session:
        body = make_body(session, has_recipient=False)
    with pytest.raises(Invalid, match="no age recipient"):
        disclose(parts, body, asha)
    submit(parts, body.order("preserve", targets=people(asha)))


def test_an_erasure_does_not_outrun_a_disclosure(parts, run_jobs, body, asha):
    order_id = disclose(parts, body, asha)
    with parts.transaction() as session:
        accounts.erase_account(session, parts, asha)
        assert session.get(AccountKey, asha) is not None
    run_jobs()
    with parts.transaction() as session:
        assert session.get(AccountKey, asha) is None
    archive = opened(parts, release(parts, order_id, asha), body.identity)
    document = json.loads(archive.read("account.json"))
    assert document["tables"]["account_private"][0]["birth_date"] == "1990-05-17"


def test_of_an_account_that_was_erased_the_package_says_so(parts, run_jobs, body, asha):
    with parts.transaction() as session:
        accounts.erase_account(session, parts, asha)
        # As when every row of the account is gone.
        session.execute(delete(Account).where(Account.id == asha))
    order_id = disclose(parts, body, asha)
    run_jobs()
    archive = opened(parts, release(parts, order_id, asha), body.identity)
    assert f"The account {asha} was erased on" in archive.read("ERASED.txt").decode()
    assert state(parts, order_id) == "complied"


def test_after_a_lift_nothing_is_handed_out_and_nothing_is_left(parts, run_jobs, body, asha):
    statement = body.statement("disclose", targets=people(asha))
    order_id = submit(parts, body.sign(statement))
    run_jobs()
    submit(parts, body.order("lift", targets={"orders": [statement["reference"]]}))
    with pytest.raises(Conflict, match="not in force"):
        release(parts, order_id, asha)
    run_jobs()
    assert list(parts.store.list(sealed_copies.COPIES)) == []


def test_packages_are_destroyed_some_time_after_they_were_handed_out(parts, run_jobs, body, asha):
    order_id = disclose(parts, body, asha)
    run_jobs()
    release(parts, order_id, asha)
    assert sealed_copies.destroy_copies(parts, order_id) == 0
    past = now() - sealed_copies.AFTER_COMPLIED - timedelta(minutes=1)
    with parts.transaction() as session:
        session.execute(
            update(LegalOrder).where(LegalOrder.id == order_id).values(complied_at=past)
        )
    with parts.transaction() as session:
        assert sealed_copies.outlived_orders(session) == [order_id]
    assert sealed_copies.destroy_copies(parts, order_id) == 1
    assert list(parts.store.list(sealed_copies.COPIES)) == []
    with pytest.raises(Conflict, match="destroyed after its time"):
        release(parts, order_id, asha)


def test_what_no_order_discloses_is_not_there(parts, run_jobs, body, asha):
    order_id = submit(parts, body.order("preserve", targets=people(asha)))
    run_jobs()
    for number, account_id in ((order_id, asha), (order_id + 1, asha)):
        with pytest.raises(Missing):
            release(parts, number, account_id)
    with pytest.raises(Missing, match="does not name"):
        release(parts, disclose(parts, body, asha), asha + 1)
