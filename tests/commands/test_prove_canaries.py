"""`reelm prove canaries`: no token where none may be, and each planted one is found."""

import base64
import json
import subprocess
import zlib

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.commands.served import REELM

from reelm.commands.prove.sweep import Sweep
from reelm.commands.prove.tokens import MARK, personal_fields, token
from reelm.foundation.classes import Form
from reelm.foundation.database import Base


def prove(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*REELM, "prove", "canaries", "--json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_token_is_where_it_must_not_be() -> None:
    ran = prove()
    found = json.loads(ran.stdout)
    assert ran.returncode == 0, found["found"]
    assert found["is_clean"]
    assert set(found["fields"]) == set(personal_fields(Base.metadata))
    by_people = [name for name, way in found["fields"].items() if way == "the product"]
    assert len(by_people) >= 12
    assert len(found["places"]) >= 10


def test_each_planted_token_is_found_and_its_place_named() -> None:
    ran = prove("--leak", "logs", "--leak", "metrics", "--leak", "jobs", "--leak", "files")
    assert ran.returncode == 1, ran.stderr
    found = json.loads(ran.stdout)["found"]
    assert {one["field"] for one in found} == {"account_private.birth_date"}
    places = {one["place"] for one in found}
    assert {"/metrics", "table procrastinate_jobs", "a/work/forgotten.txt", "a.log"} <= places
    # The job's argument is in the database's files too, where what is sealed is looked for.
    assert any(place.startswith("postgres/") for place in places)


def test_every_sealed_column_has_a_token() -> None:
    fields = personal_fields(Base.metadata)
    sealed = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.info["form"] is Form.SEALED
    }
    assert {name for name, form in fields.items() if form is Form.SEALED} == sealed
    assert {"account.handle", "video.caption", "comment.body"} <= set(fields)


TEXT = token()
FORMS = {
    "plain": TEXT.encode(),
    "UTF-16": TEXT.encode("utf-16-le"),
    "hexadecimal": TEXT.encode().hex().upper().encode(),
    **{f"base64 {n}": base64.b64encode(b"x" * n + TEXT.encode() + b"yz") for n in range(4)},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_found_in_each_form(form: str) -> None:
    sweep = Sweep({"field": TEXT, "other": token()}, MARK)
    data = b"\x00" * 1000 + FORMS[form] + b"\xff" * 1000
    (found,) = sweep.bytes("here", data)
    assert (found.field, found.place) == ("field", "here")
    assert form.startswith(found.form)


def test_what_is_not_there_is_not_found() -> None:
    sweep = Sweep({"field": TEXT}, MARK)
    assert list(sweep.bytes("here", token().encode() + zlib.compress(TEXT.encode()))) == []


def test_a_token_is_found_in_what_postgresql_compressed(owner: str, postgres: str) -> None:
    """A long value is compressed before it is stored: the token is not there as it was."""
    database = str(conninfo_to_dict(owner)["dbname"])
    superuser = make_conninfo(postgres, dbname=database)
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("CREATE TABLE long (body text COMPRESSION pglz)")
        body = "the same again and again " * 400 + TEXT + " and again the same" * 400
        connection.execute("INSERT INTO long VALUES (%s)", [body])
        connection.execute("CHECKPOINT")
        row = connection.execute(
            "SELECT pg_read_binary_file(pg_relation_filepath('long'))"
        ).fetchone()
    assert row is not None
    assert TEXT.encode() not in row[0]
    (found,) = Sweep({"field": TEXT}, MARK).bytes("here", row[0])
    assert found.form == "compressed by PostgreSQL"


@pytest.mark.parametrize("first", range(9))
def test_a_byte_of_flags_may_stand_anywhere_in_a_token(first: int) -> None:
    data = TEXT.encode()
    pieces = [data[:first], *(data[i : i + 8] for i in range(first, len(data), 8))]
    sweep = Sweep({"field": TEXT}, MARK)
    (found,) = sweep.bytes("here", b"abc" + b"\x00".join(pieces) + b"def")
    assert found.form in ("plain", "compressed by PostgreSQL")


def test_a_token_is_found_where_two_pieces_of_a_file_meet(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("reelm.commands.prove.sweep.PIECE_BYTES", 600)
    (tmp_path / "file").write_bytes(b"x" * 590 + TEXT.encode() + b"x" * 590)
    found = list(Sweep({"field": TEXT}, MARK).folder(tmp_path))
    assert [one.field for one in found] == ["field"]
