"""docs/transfer.md has the rules, the standings and the vectors of this release."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import get_args

import msgspec
from tests.transfer.vectors import AT, approval, scope, signature

from reelm import transfer
from reelm.foundation.strict_json import canonical
from reelm.proofs import sale
from reelm.transfer.approve import Standing

PAGE = (Path(__file__).parents[2] / "docs/transfer.md").read_text("utf-8")


def test_the_vectors_are_what_this_release_makes():
    document = canonical(scope())
    for vector in (document, signature(), approval()):
        assert f"\n{vector.decode()}\n" in PAGE
    assert f"`{sale.digest_of(document)}`" in PAGE
    payload = base64.b64decode(json.loads(approval())["payload"])
    assert f"`{sale.digest_of(payload)}`" in PAGE


def test_the_approval_of_the_vectors_holds_as_the_page_says():
    told = sale.read_approval(base64.b64decode(json.loads(approval())["payload"]))
    assert told.valid_until == AT + timedelta(days=30)
    assert sale.violated(scope(), told.conditions, AT) == []
    (model,) = scope().technology
    licensed = msgspec.structs.replace(model, disposition="license")
    other = msgspec.structs.replace(scope(), technology=[licensed])
    assert len(sale.violated(other, told.conditions, AT)) == 1


def test_every_rule_and_standing_is_told():
    for rule, means in transfer.RULES.items():
        assert any(
            line.startswith(f"| `{rule}` |") and line.endswith(f"| {means} |")
            for line in PAGE.splitlines()
        ), rule
    for standing in set(get_args(Standing)) - {"approved"}:
        assert f"`{standing}`" in PAGE


def test_every_field_of_the_forms_is_told():
    forms = (
        sale.Scope, sale.Seller, sale.Buyer, sale.BuyerFile, sale.DataItem, sale.Asset,
        sale.RequiredApproval, sale.Conditions, sale.SaleStatement, sale.ApprovalStatement,
    )  # fmt: skip
    for form in forms:
        for field in form.__struct_fields__:
            assert f"`{field}`" in PAGE, (form.__name__, field)
