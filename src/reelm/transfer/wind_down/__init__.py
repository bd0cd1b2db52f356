"""The seller's wind-down after the cutover: the register, the end of each copy, the certificate."""

from reelm.transfer.wind_down.certify import (
    CERTIFICATE,
    JOURNAL,
    cosign,
    make_certificate,
    write_certificate,
)
from reelm.transfer.wind_down.record import record_certificate
from reelm.transfer.wind_down.register import Declared, read_declared
from reelm.transfer.wind_down.run import Held, WoundDown, wind_down
from reelm.transfer.wind_down.site import Sale, Site, check_seller, read_sale

__all__ = [
    "CERTIFICATE",
    "JOURNAL",
    "Declared",
    "Held",
    "Sale",
    "Site",
    "WoundDown",
    "check_seller",
    "cosign",
    "make_certificate",
    "read_declared",
    "read_sale",
    "record_certificate",
    "wind_down",
    "write_certificate",
]
