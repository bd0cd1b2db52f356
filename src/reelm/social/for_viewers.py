"""One question about videos, asked for several viewers at once."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, Text, bindparam, cast, func, null
from sqlalchemy.orm import Session

from reelm.foundation.database.prepared import Prepared, as_array
from reelm.social.visibility import ViewerAccount
from reelm.videos.models import Video

_PARAMETERS: dict[str, Any] = {"account_id": BigInteger, "country": Text, "video_id": BigInteger}


class Asked(NamedTuple):
    """Videos that are asked about for one viewer: an account or None, in a country or None."""

    account_id: int | None
    video_ids: Iterable[int]
    country: str | None = None


class ForViewers:
    """A query of videos by `visible_to` or `watchable_by`, in two statements at the most.

    Args:
        query: returns it for an account, which is None for strangers, and a country.
    """

    def __init__(self, query: Callable[[ViewerAccount, ColumnElement[Any]], Select[Any]]) -> None:
        self._query = query

    def rows(self, session: Session, asked: Iterable[Asked]) -> list[tuple[Any, ...]]:
        """Return the query's columns and last account and country, of each viewer's videos."""
        strangers, accounts = set[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for account_id, video_ids, country in asked:
            place = country or "NULL"
            if account_id is None:
                strangers.update((place, video_id) for video_id in video_ids)
            else:
                accounts += [(account_id, place, video_id) for video_id in video_ids]
        found = list[tuple[Any, ...]]()
        if strangers:
            countries, videos = zip(*strangers, strict=True)
            found += self._for_strangers.tuples(
                session, country=as_array(countries), video_id=as_array(videos)
            )
        if accounts:
            ids, countries, videos = zip(*accounts, strict=True)
            found += self._for_accounts.tuples(
                session,
                account_id=as_array(ids),
                country=as_array(countries),
                video_id=as_array(videos),
            )
        return found

    @cached_property
    def _for_strangers(self) -> Prepared:
        asked = _asked("country", "video_id")
        query = self._query(None, asked.c.country)
        query = query.add_columns(cast(null(), BigInteger), asked.c.country)
        return Prepared(query.join(asked, asked.c.video_id == Video.id))

    @cached_property
    def _for_accounts(self) -> Prepared:
        asked = _asked("account_id", "country", "video_id")
        query = self._query(asked.c.account_id, asked.c.country)
        query = query.add_columns(asked.c.account_id, asked.c.country)
        return Prepared(query.join(asked, asked.c.video_id == Video.id))


def _asked(*names: str) -> Any:
    arrays: Any = (bindparam(name, type_=ARRAY(_PARAMETERS[name])) for name in names)
    return func.unnest(*arrays).table_valued(*names, name="asked").render_derived()
