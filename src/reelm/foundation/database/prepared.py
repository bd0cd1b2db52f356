"""Statements that are built once and given to the driver as text.

To build a query with the visibility rule, and to recognise it in SQLAlchemy's cache, takes longer
than it runs; the driver prepares a text that it has met a few times, so the server plans it once.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from psycopg.sql import Literal
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session
from sqlalchemy.sql import ClauseElement

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Prepared:
    """One statement with named parameters.

    Args:
        statement: all that varies in it is a `bindparam` of a stated type.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement

    @cached_property
    def text(self) -> str:
        """The statement as the driver takes it; its constants are in it, for the planner to see."""
        compiled = self._statement.compile(dialect=_DIALECT)
        text = str(compiled)
        for name, value in compiled.params.items():
            if isinstance(value, list):
                several = ", ".join(Literal(one).as_string() for one in value)
                text = text.replace(f"__[POSTCOMPILE_{name}]", several)
            elif value is not None:
                text = text.replace(f"%({name})s", Literal(value).as_string())
        return text

    def rows(self, session: Session, **values: Any) -> list[Any]:
        """Run it and return all rows, in the order of the columns, which are their names too."""
        return list(self._run(session, values).all())

    def tuples(self, session: Session, **values: Any) -> list[tuple[Any, ...]]:
        """Run it and return all rows as plain tuples, which take a fraction of the time."""
        result = self._run(session, values)
        rows: list[tuple[Any, ...]] = result.cursor.fetchall()
        result.close()
        return rows

    def _run(self, session: Session, values: dict[str, Any]) -> Any:
        session.flush()
        return session.connection().exec_driver_sql(self.text, values)


def as_array(items: Iterable[int | str]) -> str:
    """Return numbers or plain words as the text of a PostgreSQL array.

    The driver need not look into it. A word is of letters and digits alone; NULL stands for null.
    """
    return "{" + ",".join(map(str, items)) + "}"
