"""Leave a row of an account in every table there is, by the declared columns; and find them."""

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.accounts import data_key, key_owner, make_key, persons
from reelm.foundation import clock
from reelm.foundation.database import Base
from reelm.foundation.database.classes import Form
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts

# Tables that signing up fills, or that must be empty while an account lives.
_FILLED = {
    "account", "handle", "account_key", "account_private", "credential", "recovery_code",
    "terms_acceptance", "erased_account",
}  # fmt: skip
SEALED_TEXT = "sealed words"


def fill_every_table(session: Session, parts: Parts, account_id: int, other_id: int) -> None:
    """Leave at least one row of `account_id` in each table that can name an account."""
    ids = {"video_id": new_id()}
    with_video = {"video": ids["video_id"]}
    for table in Base.metadata.sorted_tables:
        condition = persons.rows_of(table, account_id, persons.ERASED_BY)
        if condition is None or table.name in _FILLED:
            continue
        values = {
            column.name: _value(column, account_id, other_id, ids, with_video.get(table.name))
            for column in table.columns
        }
        if "id" in values and any("key" in column.info for column in table.columns):
            make_key(session, parts, values["id"])
        for column in table.columns:
            if column.info["form"] is Form.SEALED:
                key = data_key(session, parts, values[key_owner(table, column.name)])
                values[column.name] = key.seal_at(table.name, column.name, SEALED_TEXT)
        session.execute(insert(table).values(values).on_conflict_do_nothing())


def traces(session: Session, account_id: int) -> dict[str, int]:
    """Return how many rows each table holds of the account, where it holds any."""
    counts = {}
    for table, condition in persons.tables_of_persons(Base.metadata, account_id, persons.ERASED_BY):
        query = select(func.count()).select_from(table).where(condition)
        counts[table.name] = session.execute(query).scalar_one()
    return {name: count for name, count in counts.items() if count}


def _value(column, account_id, other_id, ids, own_id):
    if column.name in persons.ERASED_BY:
        return account_id if column.name in persons.OWN else other_id
    if column.name in ids or column.name == "id":
        return ids.get(column.name) or own_id or new_id()
    if column.nullable:
        return None
    if column.name.endswith("_id"):
        return new_id()
    fixed = {"state": "ready", "audience": "public"}
    return fixed.get(column.name, _OF_TYPE[column.type.python_type])


_OF_TYPE = {
    datetime: clock.now(),
    date: clock.now().date(),
    list: [],
    object: [],  # JSON
    bool: False,
    bytes: b"x" * 32,
    int: 1,
    float: 1.0,
    str: "en",
}
