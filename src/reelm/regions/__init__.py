"""The residency boundary: jurisdictions and their policy packs, operators and terms."""

from reelm.regions import orders
from reelm.regions.audit_log import audit_signer
from reelm.regions.clock_watch import CLOCK_SLACK, time_bounds
from reelm.regions.data_map import ColumnEntry, DataMap, data_map
from reelm.regions.events import OrderEnded, OrderInForce
from reelm.regions.pack_files import (
    jurisdictions,
    load_pack,
    pack_texts,
    packs,
    parse_pack,
    read_pack,
)
from reelm.regions.policy import DEFAULT_MINIMUM_AGE_YEARS, Fact, PolicyPack, meanings
from reelm.regions.restrictions import (
    ANYWHERE,
    SERVICE,
    Country,
    Withheld,
    holds,
    refusal,
    restrict,
    restrictions_of_each,
    restrictions_on,
    unrestrict,
    withheld,
    withheld_by,
)
from reelm.regions.retention import Kept, delete_outlived, kept_days, retentions
from reelm.regions.tenure import (
    CurrentTenure,
    begin_first_tenure,
    begin_tenure,
    current_tenure,
    end_tenure,
    ensure_tenure,
    first_key,
    has_tenure,
    region_id,
)
from reelm.regions.terms import TERMS_VERSION, RegionFacts, region_facts

__all__ = [
    "ANYWHERE",
    "CLOCK_SLACK",
    "DEFAULT_MINIMUM_AGE_YEARS",
    "SERVICE",
    "TERMS_VERSION",
    "ColumnEntry",
    "Country",
    "CurrentTenure",
    "DataMap",
    "Fact",
    "Kept",
    "OrderEnded",
    "OrderInForce",
    "PolicyPack",
    "RegionFacts",
    "Withheld",
    "audit_signer",
    "begin_first_tenure",
    "begin_tenure",
    "current_tenure",
    "data_map",
    "delete_outlived",
    "end_tenure",
    "ensure_tenure",
    "first_key",
    "has_tenure",
    "holds",
    "jurisdictions",
    "kept_days",
    "load_pack",
    "meanings",
    "orders",
    "pack_texts",
    "packs",
    "parse_pack",
    "read_pack",
    "refusal",
    "region_facts",
    "region_id",
    "restrict",
    "restrictions_of_each",
    "restrictions_on",
    "retentions",
    "time_bounds",
    "unrestrict",
    "withheld",
    "withheld_by",
]
