"""The contacts that /region and security.txt tell."""

from reelm.commands.doctor.check import Check, ok, warn
from reelm.foundation.config import Settings
from reelm.regions.contacts import contacts

NAME = "contacts"
MEND = "Name them in contacts.officers, a line each: `Title: name, address`."


def check_contacts(settings: Settings) -> Check:
    """Every officer that the policy pack asks for is named."""
    found = contacts(settings)
    if found.not_named:
        missing = ", ".join(found.not_named)
        return warn(NAME, f"The policy pack asks for: {missing}. Nobody is named.", MEND)
    told = "" if found.security else " Without contacts.security there is no security.txt."
    return ok(NAME, f"Every officer that the policy pack asks for is named.{told}")
