"""Countries by their ISO 3166-1 alpha-2 codes, as the time zone database lists them."""

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Annotated

from msgspec import Meta

from reelm.foundation.errors import Invalid

Country = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{2}$",
        description="The two capital letters of a country (ISO 3166-1 alpha-2), such as IN.",
    ),
]
# Codes that people write and ISO 3166-1 does not have, with what would be right.
_INSTEAD = {
    "UK": "the United Kingdom is GB",
    "EL": "Greece is GR",
    "EU": "name its member states one by one",
}


@cache
def countries() -> frozenset[str]:
    """Return the codes of all countries: iso3166.tab of the package tzdata, and XK.

    ISO 3166-1 leaves XK to its users; the EU and databases of addresses write Kosovo so.
    """
    table = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8")
    lines = table.splitlines()
    return frozenset(line[:2] for line in lines if line and not line.startswith("#")) | {"XK"}


def require_countries(codes: Iterable[str], *, what: str = "countries") -> None:
    """Refuse what is no country: what names one that does not exist would hold nowhere.

    Raises:
        Invalid: names the first code that is none, and what would be right.
    """
    wrong = next((code for code in codes if code not in countries()), None)
    if wrong is not None:
        right = _INSTEAD.get(wrong, "IN, for example, is one")
        raise Invalid(f"{what}: {wrong} is no code of a country (ISO 3166-1 alpha-2); {right}.")
