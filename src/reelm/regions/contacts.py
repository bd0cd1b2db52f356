"""How the operator and the officers are reached that the law of the region asks for."""

import msgspec

from reelm.foundation.config import Settings
from reelm.regions.pack_files import load_pack


class Officer(msgspec.Struct, frozen=True):
    """An officer or contact, and how to reach who that is."""

    title: str
    reach: str


class Contacts(msgspec.Struct, frozen=True):
    """Who is told; `not_named` are officers that the policy pack asks for and nobody has named."""

    operator: str
    officers: list[Officer]
    security: list[str]
    not_named: list[str]


def contacts(settings: Settings) -> Contacts:
    """Return the contacts of a region as its settings name them."""
    lines = settings.contacts.officers.splitlines()
    pairs = [line.partition(":") for line in lines if line.strip()]
    officers = [Officer(title.strip(), reach.strip()) for title, _, reach in pairs]
    named = {officer.title.casefold() for officer in officers}
    required = load_pack(settings.region.jurisdiction).officers_required.value or ()
    return Contacts(
        settings.contacts.operator,
        officers,
        settings.contacts.security,
        [title for title in required if title.casefold() not in named],
    )
