"""The scope of a sale: everything that holds data, by named rule, and who has to agree.

It walks what is declared (data classes of tables, columns, prefixes, queues, fields, labels and
files), which the boot compares with what is there: so nothing is left out of a scope.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.orm import Session

from reelm import audit, regions
from reelm.foundation.classes import Place
from reelm.foundation.classes import Transfer as Declared
from reelm.foundation.clock import now, utc_text
from reelm.foundation.config import Settings
from reelm.foundation.database.classes import REKEYED_REASON
from reelm.foundation.database.schema import revision
from reelm.foundation.errors import Conflict, Invalid
from reelm.proofs import sale
from reelm.proofs.sale import Asset, Buyer, DataDisposition, DataItem, RequiredApproval, Scope
from reelm.regions.data_map import NamedEntry, TableEntry
from reelm.regions.orders import KnownAuthority

TABLE, COLUMN = "table", "column"
# What each rule does. The name stands in the scope, in the closing manifest and on the page.
RULES = {
    "transfer": "Goes to the buyer as it is.",
    "excluded_by_class": "Stays with the seller, whose wind-down ends it: its data class says so.",
    "rebuilt_by_buyer": "Does not go along; the buyer makes it anew.",
    "rekeyed": "Does not go along as it is; it is made anew under the buyer's region key.",
}
BY_CLASS: dict[str, tuple[DataDisposition, str]] = {
    Declared.TRANSFER: ("transfer", "transfer"),
    Declared.EXCLUDE: ("exclude", "excluded_by_class"),
    Declared.REBUILD: ("rebuild", "rebuilt_by_buyer"),
}


def make_scope(
    session: Session,
    settings: Settings,
    metadata: MetaData,
    *,
    buyer: Buyer,
    technology: Sequence[Asset],
    conditions: sale.Conditions,
) -> Scope:
    """Return the scope of a sale to this buyer as things are now.

    Raises:
        Invalid: the buyer is the operator in charge.
        Conflict: an authority that has to agree is not there, or cannot sign.
    """
    tenure = regions.current_tenure(session)
    if buyer.public_key == tenure.public_key:
        raise Invalid(
            "The buyer has the key of the operator in charge: there is nobody to sell to."
        )
    return Scope(
        form=sale.SCOPE_FORM,
        region=regions.region_id(session),
        seller=sale.Seller(
            operator=tenure.operator, public_key=tenure.public_key, epoch=tenure.epoch
        ),
        buyer=buyer,
        made_at=utc_text(now().replace(microsecond=0)),
        release=audit.code_digest(),
        schema=schema(session),
        data=list(data_items(metadata)),
        technology=list(technology),
        approvals=required_approvals(session, settings, technology),
        conditions=conditions,
    )


def schema(session: Session) -> str:
    """Return the newest migration that the database has had."""
    connection: Any = session.connection().connection.driver_connection
    return revision(connection) or ""


@cache
def data_items(metadata: MetaData) -> tuple[DataItem, ...]:
    """Return what becomes of everything that holds data, by the data class that it declares.

    All of it is declared by the end of the boot, which checks it: so it is made once.
    """
    found = regions.data_map(metadata)
    items = [_item(TABLE, table) for table in found.tables]
    items += [
        DataItem(
            place=COLUMN,
            name=f"{table.name}.{column.name}",
            disposition="rekey",
            rule="rekeyed",
            reason=REKEYED_REASON[column.info["rekey"]],
        )
        for table in metadata.sorted_tables
        for column in table.columns
        if "rekey" in column.info
    ]
    named: tuple[tuple[Place, list[NamedEntry]], ...] = (
        (Place.OBJECTS, found.object_prefixes),
        (Place.QUEUE, found.job_queues),
        (Place.LOG_FIELD, found.log_fields),
        (Place.LABEL, found.metric_labels),
        (Place.FILES, found.files),
    )
    items += [_item(place, entry) for place, entries in named for entry in entries]
    return tuple(sorted(items, key=lambda item: (item.place, item.name)))


def _item(place: str, entry: TableEntry | NamedEntry) -> DataItem:
    disposition, rule = BY_CLASS[entry.transfer]
    return DataItem(
        place=str(place), name=entry.name, disposition=disposition, rule=rule, reason=entry.reason
    )


def required_approvals(
    session: Session, settings: Settings, technology: Sequence[Asset]
) -> list[RequiredApproval]:
    """Return who has to agree: the jurisdiction's approvers, and who licenses what is exported.

    Raises:
        Conflict: a kind of authority that is required is not registered, or one has no key.
    """
    known = [one for one in regions.orders.authorities(session) if one.ended_at is None]
    approvers = _approvers(known, settings)
    needed = [(one, "approve_transfer") for one in approvers]
    for country, assets in sorted(_licensed(technology).items()):
        needed += [(one, "license_technology") for one in _licensers(known, country, assets)]
    return [_required(one, power) for one, power in needed]


def _approvers(known: Sequence[KnownAuthority], settings: Settings) -> list[KnownAuthority]:
    pack = regions.load_pack(settings.region.jurisdiction)
    found = [
        one
        for one in known
        if "approve_transfer" in one.powers
        and (not pack.countries or one.country is None or one.country in pack.countries)
    ]
    if not found:
        where = f" --country {min(pack.countries)}" if pack.countries else ""
        raise Conflict(
            f"No authority of {pack.name} that approves a transfer is registered here, and without"
            " its approval the region cannot be sold: `reelm authority add NAME --power"
            f" approve_transfer{where} --key ...` registers one."
        )
    return found


def _licensed(technology: Sequence[Asset]) -> dict[str, list[str]]:
    """Return by country of origin what goes along and is export-controlled there."""
    found: dict[str, list[str]] = {}
    for asset in technology:
        if asset.export_controlled and asset.disposition in sale.GOES_ALONG:
            found.setdefault(asset.origin, []).append(asset.name)
    return found


def _licensers(
    known: Sequence[KnownAuthority], country: str, assets: Sequence[str]
) -> list[KnownAuthority]:
    found = [one for one in known if "license_technology" in one.powers and one.country == country]
    if not found:
        raise Conflict(
            f"{', '.join(assets)} may leave {country} only with its licence, and no authority of"
            f" {country} that licenses technology is registered here: `reelm authority add NAME"
            f" --power license_technology --country {country} --key ...`, or leave it out with"
            f" --asset {assets[0]}=exclude."
        )
    return found


def _required(one: KnownAuthority, power: str) -> RequiredApproval:
    keys = sorted(key.key_id for key in one.keys if key.revoked_at is None)
    if len(keys) < one.threshold:
        raise Conflict(
            f"{one.name} has to agree, needs {one.threshold} of its keys to sign, and has"
            f" {len(keys)} here: `reelm authority add-key {one.id} KEY` adds one."
        )
    return RequiredApproval(
        authority=str(one.id),
        name=one.name,
        power="approve_transfer" if power == "approve_transfer" else "license_technology",
        threshold=one.threshold,
        keys=keys,
    )
