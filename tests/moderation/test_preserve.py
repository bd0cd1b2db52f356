"""By when an order to preserve ends, and how a copy is opened at the command line."""

import json
import zipfile
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.accounts.factory import signed_up
from tests.regions.factory import make_body, people

from reelm import accounts, moderation, regions
from reelm.accounts.preservation_key import IDENTITY
from reelm.audit.models import AuditEntry
from reelm.commands import preserved
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.regions import Fact, orders


@pytest.fixture
def world(parts):
    """An authority and a person."""
    with parts.transaction() as session:
        return make_body(session), signed_up(session, parts).account_id


def with_days(days):
    fact = Fact(value=days, source="a test", read_on="2026-11") if days else Fact(unset="a test")
    return msgspec.structs.replace(regions.load_pack("neutral"), preservation_days=fact)


def lapses_in(parts, world, days_of_pack, days_of_order):
    """Return in how many days an order to preserve lapses, or None."""
    body, account_id = world
    fields: dict[str, Any] = {"targets": people(account_id)}
    if days_of_order:
        fields["lapses_at"] = (now() + timedelta(days=days_of_order)).isoformat()
    envelope = body.order("preserve", **fields)
    with parts.transaction() as session:
        taken = orders.accept_signed(session, with_days(days_of_pack), envelope, lambda _: [])
        order = orders.order(session, taken.order_id)
    if order.lapses_at is None:
        return None
    return round((order.lapses_at - order.received_at) / timedelta(days=1))


@pytest.mark.parametrize(
    ("days_of_pack", "days_of_order", "days"),
    [(180, None, 180), (180, 30, 30), (180, 400, 180), (None, 30, 30), (None, None, None)],
)
def test_what_is_preserved_is_kept_as_long_as_order_and_law_say(
    parts, world, days_of_pack, days_of_order, days
):
    assert lapses_in(parts, world, days_of_pack, days_of_order) == days


def test_an_order_to_preserve_cannot_be_interim(parts, world):
    body, account_id = world
    with pytest.raises(Invalid, match="cannot be interim"):
        orders.read_statement(
            msgspec.json.encode(
                body.statement("preserve", targets=people(account_id), interim=True)
            )
        )


@pytest.fixture
def kept(parts, run_jobs, world):
    """The one copy that an order had preserved."""
    body, account_id = world
    with parts.transaction() as session:
        moderation.submit_order(
            session, parts, body.order("preserve", targets=people(account_id), confidential=True)
        )
    run_jobs()
    with parts.transaction() as session:
        (copy,) = accounts.preserved_copies(session)
    return copy


def test_a_copy_is_listed_and_opened_by_who_has_the_identity(parts, kept, tmp_path, capsys):
    preserved.show(parts, None, as_json=True)
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["account_id"] == kept.account_id
    preserved.show(parts, kept.order_id, as_json=False)
    assert f"{kept.id}  order {kept.order_id}" in capsys.readouterr().out
    preserved.show(parts, 7, as_json=False)
    assert "Nothing" in capsys.readouterr().out
    out = tmp_path / "copy.zip"
    identity = parts.home.keys / IDENTITY
    preserved.open_copy(parts, kept.order_id, identity=identity, out=out, copy_id=None)
    assert str(kept.account_id) in capsys.readouterr().out
    with zipfile.ZipFile(out) as archive:
        tables = json.loads(archive.read("account.json"))["tables"]
    assert tables["account_private"][0]["birth_date"] == "1990-05-17"
    assert out.stat().st_mode & 0o077 == 0


def test_each_opening_is_logged_and_tells_nothing_of_a_confidential_order(parts, kept, tmp_path):
    with parts.transaction() as session:
        before = session.query(AuditEntry).count()
    identity = parts.home.keys / IDENTITY
    accounts.open_preserved(parts, kept.order_id, identity=identity, out=tmp_path / "copy.zip")
    with parts.transaction() as session:
        entries = session.query(AuditEntry).order_by(AuditEntry.id).all()[before:]
        assert [one.kind for one in entries] == ["confidential"]


def test_what_cannot_be_opened_leaves_no_file(parts, kept, tmp_path):
    out, none = tmp_path / "copy.zip", tmp_path / "none"
    other = tmp_path / "other"
    accounts.preservation_recipient(homes_beside(parts, other))
    identity = parts.home.keys / IDENTITY
    for file, copy_id, error, words in (
        (other / "keys" / IDENTITY, None, Invalid, "another key"),
        (none, None, Invalid, "no age identity"),
        (identity, 5, Missing, "Nothing like that"),
    ):
        with pytest.raises(error, match=words):
            accounts.open_preserved(parts, kept.order_id, identity=file, out=out, copy_id=copy_id)
        assert not out.exists()
    out.write_text("mine")
    with pytest.raises(Conflict, match="already"):
        accounts.open_preserved(parts, kept.order_id, identity=identity, out=out)
    assert out.read_text() == "mine"


def homes_beside(parts, path):
    (path / "keys").mkdir(parents=True)
    return type(parts.home)(path)
