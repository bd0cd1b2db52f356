"""Parameters of the feed's statements, which are made once and run many times.

To build and to recognise a query with the visibility rule takes a millisecond or two of Python,
which is longer than most of them run.
"""

from sqlalchemy import BigInteger, BindParameter, Text, bindparam

ACCOUNT: BindParameter[int] = bindparam("account_id", type_=BigInteger)
COUNTRY: BindParameter[str] = bindparam("country", type_=Text)
BEFORE: BindParameter[int] = bindparam("before", type_=BigInteger)
MOST: BindParameter[int] = bindparam("most", type_=BigInteger)
