"""Restrictions: what live orders and decisions withhold, and from whom.

Each order or decision has rows of its own, so those of two that overlap are independent: a thing is
withheld as long as one row reaches the viewer, and lifting an order takes away its rows and no
others. Nobody edits a row.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import BindParameter, ColumnElement, any_, delete, exists, or_, select, true
from sqlalchemy.orm import Session, aliased

from reelm.foundation.clock import now
from reelm.foundation.errors import Gone, LegallyWithheld, ReelmError
from reelm.regions.models import Authority, LegalOrder, Restriction

# The subject that stands for the whole service.
SERVICE = 0
# In place of a viewer's country: only what is withheld wherever one is. For what is gathered for
# many viewers, each of whom is then asked about.
ANYWHERE = "*"

Source = Literal["order", "decision"]
# Where a viewer is: an ISO 3166-1 alpha-2 code, a column or parameter that stands for one, or
# None. Where nobody knows it, the viewer counts as inside every territory.
Country = str | BindParameter[Any] | ColumnElement[Any] | None


class Withheld(msgspec.Struct, frozen=True):
    """One restriction with what may be told of its source; empty texts where it is confidential."""

    source: Source
    source_id: int
    since: datetime
    countries: tuple[str, ...] | None
    authority: str = ""
    reference: str = ""
    basis: str = ""
    objections: str = ""
    is_confidential: bool = False
    is_interim: bool = False
    lapses_at: datetime | None = None  # of an interim order, unless it is confirmed


def restrict(
    session: Session,
    *,
    source: Source,
    source_id: int,
    subject_id: int,
    countries: Sequence[str] | None = None,
) -> None:
    """Withhold a video, an account or the service in these countries, or with None everywhere."""
    session.add(
        Restriction(
            subject_id=subject_id,
            source_id=source_id,
            source=source,
            countries=None if countries is None else sorted(set(countries)),
            since=now(),
        )
    )
    session.flush()


def unrestrict(session: Session, source_id: int) -> None:
    """Take away all that one order or decision withholds, and nothing else."""
    session.execute(delete(Restriction).where(Restriction.source_id == source_id))


def withheld(country: Country, *subjects: Any) -> ColumnElement[bool]:
    """Return the condition that a live restriction on one of the subjects reaches this country.

    Args:
        country: where the viewer is.
        subjects: columns or numbers: the ids of a video and of its creator, or SERVICE.
    """
    row = aliased(Restriction)
    return exists().where(row.subject_id.in_(subjects), reaches(row.countries, country))


def reaches(countries: Any, country: Country) -> ColumnElement[bool]:
    """Return the condition that a territory, null for everywhere, holds a viewer's country."""
    if country is None:
        return true()
    inside = or_(countries.is_(None), any_(countries) == country)
    return inside if isinstance(country, str) else or_(inside, country.is_(None))


def holds(countries: Sequence[str] | None, country: str | None) -> bool:
    """`reaches` in memory."""
    return countries is None or country is None or country in countries


def withheld_by(
    session: Session, country: str | None, subject_ids: Sequence[int]
) -> list[Withheld]:
    """Return the restrictions on these subjects that reach a viewer, the oldest first."""
    found = restrictions_on(session, subject_ids)
    return [one for one in found if holds(one.countries, country)]


def restrictions_on(session: Session, subject_ids: Sequence[int]) -> list[Withheld]:
    """Return every restriction on these subjects, the oldest first."""
    return [told for _, told in _read(session, subject_ids)]


def restrictions_of_each(session: Session, subject_ids: Sequence[int]) -> dict[int, list[Withheld]]:
    """Return the restrictions of each of these subjects that has any, the oldest first."""
    found = dict[int, list[Withheld]]()
    for subject_id, told in _read(session, subject_ids):
        found.setdefault(subject_id, []).append(told)
    return found


def refusal(what: str, by: Sequence[Withheld]) -> ReelmError:
    """Return the error for what is withheld: by an order, or else by a decision of the staff."""
    orders = [one for one in by if one.source == "order"]
    if orders:
        return LegallyWithheld(f"{what} is withheld by a legal order.", orders)
    return Gone(f"{what} was taken down by a decision of the service.")


def _read(session: Session, subject_ids: Sequence[int]) -> list[tuple[int, Withheld]]:
    rows = session.execute(
        select(
            Restriction.subject_id,
            Restriction.source,
            Restriction.source_id,
            Restriction.since,
            Restriction.countries,
            Authority.name,
            LegalOrder.reference,
            LegalOrder.basis,
            Authority.objections,
            LegalOrder.is_confidential,
            LegalOrder.is_interim,
            LegalOrder.lapses_at,
        )
        .outerjoin(LegalOrder, LegalOrder.id == Restriction.source_id)
        .outerjoin(Authority, Authority.id == LegalOrder.authority_id)
        .where(Restriction.subject_id.in_(subject_ids))
        .order_by(Restriction.since, Restriction.source_id)
    )
    return [(subject_id, _told(*told)) for subject_id, *told in rows]


def _told(
    source: Source,
    source_id: int,
    since: datetime,
    countries: list[str] | None,
    authority: str | None,
    reference: str | None,
    basis: str | None,
    objections: str | None,
    is_confidential: bool | None,
    is_interim: bool | None,
    lapses_at: datetime | None,
) -> Withheld:
    known = {"authority": authority, "reference": reference, "basis": basis}
    told = {} if is_confidential else known | {"objections": objections}
    return Withheld(
        source,
        source_id,
        since,
        None if countries is None else tuple(countries),
        is_confidential=bool(is_confidential),
        is_interim=bool(is_interim) and not is_confidential,
        lapses_at=lapses_at if is_interim and not is_confidential else None,
        **{name: text or "" for name, text in told.items()},
    )
