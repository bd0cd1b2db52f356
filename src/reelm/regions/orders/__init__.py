"""Legal orders: who may give them, how they come in, what they do and how they end."""

from reelm.foundation.envelope import sign_envelope
from reelm.regions.orders.accept import TakenOrder, accept_signed
from reelm.regions.orders.amend import AuthorityChange, change_authority, end_authority
from reelm.regions.orders.authorities import (
    KnownAuthority,
    NewAuthority,
    add_authority,
    add_key,
    authorities,
    authority,
    revoke_key,
    set_recipient,
)
from reelm.regions.orders.authority_facts import POWERS
from reelm.regions.orders.comply import (
    DATA_KINDS,
    comply,
    data_orders_in_force,
    data_orders_on,
    record_about,
    still_in_force,
)
from reelm.regions.orders.end import lapse_orders
from reelm.regions.orders.paper import check_paper, enter_on_paper
from reelm.regions.orders.reading import (
    ListedOrder,
    order,
    order_of_document,
    orders,
    orders_due,
    orders_in_force,
    waiting_orders,
)
from reelm.regions.orders.statement import (
    FORM,
    PAYLOAD_TYPE,
    OrderStatement,
    Targets,
    read_statement,
)
from reelm.regions.orders.stays import Stay, hold_authorities, stays_in_force

__all__ = [
    "DATA_KINDS",
    "FORM",
    "PAYLOAD_TYPE",
    "POWERS",
    "AuthorityChange",
    "KnownAuthority",
    "ListedOrder",
    "NewAuthority",
    "OrderStatement",
    "Stay",
    "TakenOrder",
    "Targets",
    "accept_signed",
    "add_authority",
    "add_key",
    "authorities",
    "authority",
    "change_authority",
    "check_paper",
    "comply",
    "data_orders_in_force",
    "data_orders_on",
    "end_authority",
    "enter_on_paper",
    "hold_authorities",
    "lapse_orders",
    "order",
    "order_of_document",
    "orders",
    "orders_due",
    "orders_in_force",
    "read_statement",
    "record_about",
    "revoke_key",
    "set_recipient",
    "sign_envelope",
    "stays_in_force",
    "still_in_force",
    "waiting_orders",
]
