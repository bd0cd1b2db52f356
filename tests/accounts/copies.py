"""Orders to preserve accounts, erasures under them, and what their copies hold."""

import io
import json
import zipfile
from types import SimpleNamespace

from sqlalchemy import delete, update
from tests.accounts.factory import signed_in, signed_up
from tests.accounts.traces import fill_every_table
from tests.regions.factory import make_body, people

from reelm import accounts, moderation
from reelm.accounts import sealed_copies
from reelm.accounts.models import Account, HeldErasure
from reelm.accounts.preservation_key import IDENTITY, read_identity
from reelm.accounts.sealed_file import decrypt_to
from reelm.foundation.database import Base

RENDITION = Base.metadata.tables["rendition"]


def make_world(parts):
    """An authority, and two people with something in every table."""
    with parts.transaction() as session:
        body = make_body(session)
        asha, ben = (signed_up(session, parts).account_id for _ in range(2))
        for one, another in ((asha, ben), (ben, asha)):
            signed_in(session, parts, one)
            fill_every_table(session, parts, one, another)
        profile = {"display_name": "Asha of the Hills", "bio": "Goats."}
        session.execute(update(Account).where(Account.id == asha).values(profile))
        key = parts.store.put_bytes("renditions", b"film" * 1000).key
        session.execute(update(RENDITION).values(object=key))
    return SimpleNamespace(body=body, asha=asha, ben=ben)


def submit(parts, envelope):
    with parts.transaction() as session:
        return moderation.submit_order(session, parts, envelope).order_id


def preserve(parts, world, *account_ids: int, **fields: object):
    """Submit an order to preserve; return its id and reference."""
    targets = people(*(account_ids or (world.asha,)))
    statement = world.body.statement("preserve", targets=targets, **fields)
    return submit(parts, world.body.sign(statement)), statement["reference"]


def lift(parts, world, reference):
    submit(parts, world.body.order("lift", targets={"orders": [reference]}))


def begin_erasure(parts, account_id):
    with parts.transaction() as session:
        return accounts.erase_account(session, parts, account_id)


def finish(parts, run_jobs, account_id):
    """Run jobs until the account is gone; the objects of its made-up videos are not waited for."""
    for _ in range(3):
        run_jobs()
        with parts.transaction() as session:
            if session.get(HeldErasure, account_id) is None:
                for name in ("video", "upload"):
                    table = Base.metadata.tables[name]
                    session.execute(delete(table).where(table.c.account_id == account_id))
                accounts.resume_erasures(session)
    run_jobs()
    with parts.transaction() as session:
        assert session.get(Account, account_id) is None


def copies(parts, order_id=None):
    with parts.transaction() as session:
        return accounts.preserved_copies(session, order_id)


def opened(parts, copy, identity=None) -> zipfile.ZipFile:
    identity = identity or read_identity(parts.home.keys / IDENTITY)
    plain = io.BytesIO()
    decrypt_to(plain, parts.store.chunks(copy.object), identity)
    archive = zipfile.ZipFile(plain)
    assert archive.testzip() is None
    return archive


def tables(archive):
    return json.loads(archive.read("account.json"))["tables"]


def stored(parts):
    return {one.key for one in parts.store.list(sealed_copies.COPIES)}
