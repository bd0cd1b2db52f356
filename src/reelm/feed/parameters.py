"""Parameters of the feed's statements, which are made once and run many times.

To build and to recognise a query with the visibility rule takes a millisecond or two of Python,
which is longer than most of them run.
"""

from collections.abc import Iterable

from sqlalchemy import ARRAY, BigInteger, BindParameter, DateTime, Text, bindparam, cast

ACCOUNT: BindParameter[int] = bindparam("account_id", type_=BigInteger)
VIEWER: BindParameter[int] = bindparam("viewer_id", type_=BigInteger)
# An array in PostgreSQL's own text form (as_array): psycopg looks at each number of a list with a
# regular expression, which was half of the time of a page that looks at 1,000 candidates.
VIDEO_IDS = cast(bindparam("video_ids", type_=Text), ARRAY(BigInteger))
MOMENT = bindparam("moment", type_=DateTime(timezone=True))
SINCE = bindparam("since", type_=DateTime(timezone=True))
BEFORE: BindParameter[int] = bindparam("before", type_=BigInteger)
MOST: BindParameter[int] = bindparam("most", type_=BigInteger)


def account(*, is_anonymous: bool) -> BindParameter[int] | None:
    """Return the parameter of the viewer's account, or None where there is none."""
    return None if is_anonymous else ACCOUNT


def as_array(numbers: Iterable[int]) -> str:
    """Return numbers as the text of a PostgreSQL array."""
    return "{" + ",".join(map(str, numbers)) + "}"
