"""The data room: a token opens it for a while, each look is logged, and nobody's data is in it."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import select
from tests.accounts.factory import signed_up
from tests.regions.factory import make_body
from tests.transfer.factory import Sale, make_sale

from reelm import audit, transfer
from reelm.commands.prove.tokens import MARK, personal_fields, plant, token
from reelm.foundation.classes import Transfer
from reelm.foundation.database import Base
from reelm.foundation.errors import Conflict, Forbidden, Gone, Invalid, Missing, Unauthenticated
from reelm.transfer.models import DataRoom
from reelm.transfer.room import aggregates
from reelm.transfer.room.aggregates import FEW, coarse
from reelm.videos.models import Video


def shown(sale: Sale, opened: transfer.room.Opened, name: str) -> bytes:
    return transfer.room.view(sale.session, sale.parts, opened.token, name).body


def test_each_document_is_shown_to_who_has_the_token_and_each_look_is_logged(sale):
    sale.propose()
    opened = transfer.room.open_room(sale.session, 30)
    assert opened.until - datetime.now(UTC) > timedelta(days=29, hours=23)
    for name in transfer.room.DOCUMENTS:
        seen = transfer.room.view(sale.session, sale.parts, opened.token, name)
        (*_, logged) = audit.entries_of(sale.session, "transfer.room_viewed")
        assert (logged.body["document"], logged.body["digest"]) == (name, seen.digest)
        json.loads(seen.body)
    (leave,) = transfer.room.rooms(sale.session)
    assert (leave.room_id, leave.views) == (opened.room_id, len(transfer.room.DOCUMENTS))
    with pytest.raises(Missing, match="has no people; it has schema, sbom"):
        shown(sale, opened, "people")


def test_the_schema_tells_every_table_and_column_and_the_migration(sale):
    sale.propose()
    told = json.loads(shown(sale, transfer.room.open_room(sale.session), "schema"))
    assert told["migration"] == sale.scope.schema
    for table in Base.metadata.tables.values():
        assert set(told["tables"][table.name]["columns"]) == {c.name for c in table.columns}
    assert told["tables"]["account"]["columns"]["id"] == {"type": "bigint", "nullable": False}
    assert {one["name"] for one in told["data_map"]["tables"]} > set(told["tables"])


def test_the_sbom_is_the_one_of_the_scope(sale):
    sale.propose()
    opened = transfer.room.open_room(sale.session)
    seen = transfer.room.view(sale.session, sale.parts, opened.token, "sbom")
    (asset,) = (one for one in sale.scope.technology if one.name == "sbom")
    assert asset.digest == seen.digest


def test_few_are_told_as_fewer_than_ten_and_more_in_steps_of_ten(sale):
    assert [coarse(number) for number in (0, 9, 10, 19, 20)] == [FEW, FEW, 10, 10, 20]
    for _ in range(12):
        signed_up(sale.session, sale.parts)
    sale.propose()
    told = json.loads(shown(sale, transfer.room.open_room(sale.session), "aggregates"))
    assert told["rows"]["account"] == 10
    assert told["accounts_by_state"] == {"active": 10}
    assert told["rows"]["comment"] == FEW
    assert "session" not in told["rows"]  # it stays with the seller


def test_a_confidential_order_is_not_counted(sale):
    body = make_body(sale.session)
    for number in range(10):
        sale.order(body, "preserve", targets={"accounts": [str(number + 1)]})
    told = aggregates.aggregates(sale.session, sale.parts.store)
    assert told.orders_in_force == {"preserve": 10}
    sale.session.execute(Base.metadata.tables["legal_order"].update().values(is_confidential=True))
    told = aggregates.aggregates(sale.session, sale.parts.store)
    assert (told.orders_in_force, told.rows["legal_order"]) == ({}, FEW)


def test_made_up_rows_have_every_column_and_say_that_they_are_made_up(sale):
    sale.propose()
    opened = transfer.room.open_room(sale.session)
    before = shown(sale, opened, "synthetic")
    signed_up(sale.session, sale.parts)
    assert shown(sale, opened, "synthetic") == before
    told = json.loads(before)
    assert (told["is_synthetic"], told["note"][:9]) == (True, "SYNTHETIC")
    for table in Base.metadata.tables.values():
        if table.info["data"].transfer is Transfer.TRANSFER:
            for row in told["tables"][table.name]:
                assert set(row) == {column.name for column in table.columns}
    assert told["tables"]["account"][0]["handle"] == "synthetic handle 1"


def test_no_text_of_anybody_is_in_any_document(postgres, parts):
    fields = {name: token() for name in personal_fields(Base.metadata)}
    database = conninfo_to_dict(parts.database.conninfo)["dbname"]
    with (
        psycopg.connect(postgres, dbname=database) as connection,
        parts.transaction() as session,
    ):
        plant(connection, session, parts, Base.metadata, fields)
    with parts.transaction() as session:
        sale = make_sale(session, parts)
        sale.propose()
        opened = transfer.room.open_room(session)
        for name in transfer.room.DOCUMENTS:
            assert MARK.encode() not in shown(sale, opened, name), name
        # The look finds what is there.
        assert any(MARK in caption for caption in session.scalars(select(Video.caption)))


def test_only_the_hash_of_a_token_is_kept(sale):
    sale.propose()
    opened = transfer.room.open_room(sale.session)
    row = sale.session.get_one(DataRoom, opened.room_id)
    assert opened.token.encode() not in row.token_hash
    assert len(row.token_hash) == 32
    for wrong in ("", opened.token[:-1], opened.token + "x", "\ud800", row.token_hash.hex()):
        with pytest.raises(Unauthenticated, match="needs the token"):
            transfer.room.room(sale.session, wrong)


def test_a_room_is_shut_once_it_is_closed_over_or_its_sale_has_ended(sale):
    sale.propose()
    first, second, third = (transfer.room.open_room(sale.session) for _ in range(3))
    assert transfer.room.close_rooms(sale.session, first.room_id) == 1
    assert transfer.room.close_rooms(sale.session, first.room_id) == 0
    with pytest.raises(Gone, match="closed"):
        transfer.room.room(sale.session, first.token)
    with pytest.raises(Missing, match="no data room 1"):
        transfer.room.close_rooms(sale.session, 1)
    sale.session.get_one(DataRoom, second.room_id).until = datetime.now(UTC)
    with pytest.raises(Gone, match="was open until"):
        transfer.room.room(sale.session, second.token)
    assert transfer.room.room(sale.session, third.token).scope_digest == sale.proposal.digest
    transfer.abort(sale.session, "Another buyer.")
    with pytest.raises(Gone, match="The sale has ended"):
        transfer.room.room(sale.session, third.token)
    # Another sale has other rooms.
    sale.propose(country="BV")
    with pytest.raises(Gone):
        transfer.room.room(sale.session, third.token)
    assert transfer.room.rooms(sale.session) == []


def test_a_stay_shuts_the_room_and_its_lift_opens_it(sale):
    sale.propose()
    opened = transfer.room.open_room(sale.session)
    stay = sale.order(sale.court, "stay_transfer")
    with pytest.raises(Forbidden, match=r"The sale is stayed: Demo Ministry.*shut until"):
        shown(sale, opened, "schema")
    with pytest.raises(Conflict, match="stayed"):
        transfer.room.open_room(sale.session)
    sale.order(sale.court, "lift", targets={"orders": [stay]})
    assert shown(sale, opened, "schema")


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_room_is_open_for_a_day_to_a_year(sale, days):
    sale.propose()
    with pytest.raises(Invalid, match="1 to 365"):
        transfer.room.open_room(sale.session, days)


def test_without_a_sale_there_is_no_room(sale):
    with pytest.raises(Missing):
        transfer.room.open_room(sale.session)
