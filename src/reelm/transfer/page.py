"""The scope of a sale as a page that a person reads; the JSON beside it is what is signed."""

import re
from collections.abc import Iterable, Iterator

from reelm.foundation.strict_json import canonical
from reelm.proofs.sale import DataItem, RequiredApproval, Scope, digest_of
from reelm.transfer.scope import RULES

# Without a person's data, and many: told by their number and rule.
_SUMMED = ("log field", "metric label")
# What others wrote is shown as they wrote it: it makes no link, no emphasis and no HTML.
_MARKS = re.compile(r"([\\`*_\[\]<>#&])")


def markdown(scope: Scope) -> str:
    """Return the page of a scope, in Markdown."""
    return "\n".join([*_head(scope), *_approvals(scope), *_technology(scope), *_data(scope)]) + "\n"


def _head(scope: Scope) -> Iterator[str]:
    yield f"# Scope of the sale of region {scope.region}"
    yield ""
    yield f"Digest: `{digest_of(canonical(scope))}` (SHA-256 of the JSON beside this page, which is"
    yield "what is signed; this page is made from it and signed by nobody)."
    yield ""
    yield from _table(
        ("", "operator", "public key"),
        [
            (f"seller, epoch {scope.seller.epoch}", _plain(scope.seller.operator),
             f"`{scope.seller.public_key}`"),
            ("buyer", _plain(scope.buyer.operator), f"`{scope.buyer.public_key}`"),
        ],
    )  # fmt: skip
    yield f"The buyer keeps the data in **{scope.buyer.country}**; the bundle is encrypted to"
    yield f"`{scope.buyer.recipient}`. Made at {scope.made_at}, of schema {scope.schema} and code"
    yield f"`{scope.release}`."
    yield ""
    if scope.conditions.cutover_before is not None:
        yield f"The cutover has to be before {scope.conditions.cutover_before:%Y-%m-%d %H:%M} UTC."
        yield ""


def _approvals(scope: Scope) -> Iterator[str]:
    yield "## Who has to agree"
    yield ""
    yield "All of them, each with its own keys; two keys of one never stand for two."
    yield ""
    rows = [
        (_plain(one.name), _power(one), f"{one.threshold} of {len(one.keys)}")
        for one in scope.approvals
    ]
    yield from _table(("authority", "for", "keys that sign"), rows)


def _power(one: RequiredApproval) -> str:
    return "the sale" if one.power == "approve_transfer" else "the export of technology"


def _technology(scope: Scope) -> Iterator[str]:
    yield "## Technology"
    yield ""
    rows = []
    for asset in scope.technology:
        about = "; ".join(f"{name}: {_plain(_words(value))}" for name, value in asset.about.items())
        control = f"yes, {asset.origin}" if asset.export_controlled else "no"
        becomes = f"**{asset.disposition}**{': ' + _plain(asset.terms) if asset.terms else ''}"
        rows.append((asset.name, becomes, control, f"`{asset.digest or '-'}`", about))
    yield from _table(("asset", "disposition", "export-controlled", "SHA-256", "about"), rows)


def _words(value: str | int | list[str]) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)


def _data(scope: Scope) -> Iterator[str]:
    yield "## Data"
    yield ""
    yield from _table(("rule", "means"), [(f"`{name}`", means) for name, means in RULES.items()])
    for rule in RULES:
        items = [item for item in scope.data if item.rule == rule]
        yield f"### {rule}"
        yield ""
        named = [item for item in items if item.place not in _SUMMED]
        rows = [(item.place, f"`{item.name}`", item.reason) for item in named]
        yield from _table(("place", "name", "reason"), rows)
        for place in _SUMMED:
            yield from _summed(place, [item for item in items if item.place == place])


def _summed(place: str, items: list[DataItem]) -> Iterator[str]:
    if items:
        yield f"And {len(items)} names of the kind *{place}*, which the JSON lists."
        yield ""


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    heads = list(heads)
    yield _line(heads)
    yield _line(["---"] * len(heads))
    for row in rows:
        yield _line(cell.replace("|", "\\|").replace("\n", " ") for cell in row)
    yield ""


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
