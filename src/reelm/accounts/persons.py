"""Find what the region holds of one account, by the declared tables and not by a list of rooms.

A row belongs to an account when a column of it names the account, or when it hangs on such a row
by a foreign key (the renditions of its videos). A test fails when an id column is in neither of
the two sets below, so a new table can be forgotten neither by export nor by erasure.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, MetaData, Table, or_, select

# Columns that name the account whose row it is.
OWN = frozenset({"account_id", "viewer_id", "reporter_id"})
# Columns that name an account on the other side of another's act. Its row goes when the account
# is erased; an export leaves it out where that would tell what the other did in private (who
# blocked me), and holds it where the person sees it anyway (who follows me).
OTHER_SIDE_SEEN = frozenset({"creator_id"})
OTHER_SIDE_UNSEEN = frozenset({"blocked_id"})
# Columns that name something else than an account.
NOT_PERSONS = frozenset({
    "id", "video_id", "sound_id", "page_id", "job_id", "target_id", "session_id",
    "grievance_id", "about_id", "entry_id", "authority_id", "key_id", "boot_id", "source_id",
    "order_id", "transfer_id",
    # Of a restriction or a sealed copy: it outlives the account that it is about, as the order
    # does; and an export that held it would tell of a confidential order.
    "subject_id",
})  # fmt: skip

ERASED_BY = OWN | OTHER_SIDE_SEEN | OTHER_SIDE_UNSEEN
EXPORTED_BY = OWN | OTHER_SIDE_SEEN


def unsorted_ids(metadata: MetaData) -> set[str]:
    """Name each id column of which nobody has said whether it names an account."""
    known = ERASED_BY | NOT_PERSONS
    return {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if (column.name == "id" or column.name.endswith("_id")) and column.name not in known
    }


def tables_of_persons(
    metadata: MetaData, account_id: int, names: frozenset[str]
) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Yield each table that may hold rows of the account, with the condition that finds them.

    Tables that others refer to come after those that refer to them.
    """
    for table in reversed(metadata.sorted_tables):
        condition = rows_of(table, account_id, names)
        if condition is not None:
            yield table, condition


def rows_of(table: Table, account_id: int, names: frozenset[str]) -> ColumnElement[bool] | None:
    """Return the condition that finds the account's rows in `table`, or None."""
    columns = [column for column in table.columns if column.name in names]
    if table.name == "account":
        columns = [table.columns["id"]]
    if columns:
        return or_(*(column == account_id for column in columns))
    for key in table.foreign_key_constraints:
        parent = rows_of(key.referred_table, account_id, names)
        if parent is not None:
            element = next(iter(key.elements))
            return element.parent.in_(select(element.column).where(parent))
    return None
