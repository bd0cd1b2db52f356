"""Every kind of entry is declared, with fields that cannot hold who somebody is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from reelm import audit
from reelm.audit import kinds
from reelm.audit.models import AuditEntry

SOURCE = Path(kinds.__file__).parents[1]
PAGE = (Path(__file__).parents[2] / "docs/audit.md").read_text("utf-8")
RECORDERS = {"record", "record_confidential"}
# Words of fields that would say who somebody is. An id says it to the region alone.
TELLING = {"name", "handle", "email", "phone", "address", "ip", "birth", "text", "words", "caption"}
# Names of witnesses and authorities, which are organisations.
NOT_PEOPLE = {
    ("audit.witness_added", "name"),
    ("audit.witness_removed", "name"),
    ("regions.authority_added", "name"),
    ("regions.authority_changed", "name"),
}


def recorded(source: str) -> Iterator[tuple[str, set[str], bool]]:
    """Yield kind, fields and whether `**` adds others, of each call that records."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
        called = name.id if isinstance(name, ast.Name) else name
        if called not in RECORDERS or len(node.args) < 2:
            continue
        kind = node.args[1]
        if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
            fields = {keyword.arg for keyword in node.keywords if keyword.arg}
            yield kind.value, fields, any(keyword.arg is None for keyword in node.keywords)


def everything() -> list[tuple[str, set[str], bool]]:
    return [call for path in SOURCE.rglob("*.py") for call in recorded(path.read_text("utf-8"))]


def test_every_kind_and_field_that_is_recorded_is_declared():
    assert len(everything()) >= 8
    for kind, fields, _ in everything():
        assert kind in audit.KINDS, kind
        assert fields - audit.KINDS[kind].fields.keys() == set(), kind


def test_every_field_that_has_to_be_there_is_given():
    for kind, fields, has_others in everything():
        declared = audit.KINDS[kind].fields
        needed = {name for name, form in declared.items() if not form.is_optional}
        assert has_others or needed - fields == set(), kind


def test_the_search_finds_an_undeclared_kind():
    planted = 'audit.record(session, "people.named", full_name="Asha")'
    assert list(recorded(planted)) == [("people.named", {"full_name"}, False)]
    assert "people.named" not in audit.KINDS


def test_no_field_is_for_what_says_who_somebody_is():
    telling = {
        (kind, field)
        for kind, declared in audit.KINDS.items()
        for field in declared.fields
        if TELLING & set(field.split("_"))
    }
    assert telling - NOT_PEOPLE == set()


def test_each_kind_is_told_in_the_docs():
    assert kinds.table() in PAGE, "put what kinds.table() returns into docs/audit.md"


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("accounts.renamed", {}, "is no kind"),
        ("accounts.reset", {"account_id": "1", "handle": "asha"}, "no field 'handle'"),
        ("accounts.reset", {}, "lacks its field 'account_id'"),
        ("accounts.reset", {"account_id": "asha"}, "account_id is not what"),
        ("accounts.reset", {"account_id": 1}, "account_id is not what"),
        ("accounts.role_set", {"account_id": "1", "role": "Asha Rao"}, "role is not what"),
        ("feed.log_dropped", {"first": "2026-01-01", "last": "x", "kept_days": 1}, "last is not"),
        (
            "feed.log_dropped",
            {"first": "2026-01-01", "last": "2026-01-01", "kept_days": 2**53},
            "kept_days is not",
        ),
        (
            "feed.log_dropped",
            {"first": "2026-01-01", "last": "2026-01-01", "kept_days": True},
            "kept_days is not",
        ),
    ],
)
def test_what_is_not_declared_is_refused(session, kind, body, words):
    with pytest.raises(audit.Undeclared, match=words):
        audit.record(session, kind, **body)


def test_what_is_declared_is_recorded(session):
    entry_id = audit.record(session, "accounts.reset", account_id="12")
    session.flush()
    entry = session.scalars(select(AuditEntry).where(AuditEntry.id == entry_id)).one()
    assert (entry.kind, entry.body) == ("accounts.reset", {"account_id": "12"})


def test_a_field_may_be_left_out_or_hold_a_list_where_it_says_so():
    declared = {"a.kind": kinds.Kind("x", where=kinds.some(kinds.COUNTRY), why=kinds.WORD.or_none)}
    kinds.check_entry("a.kind", {"where": ["IN", "FR"]}, declared)
    with pytest.raises(audit.Undeclared, match=r"a\.kind\.where"):
        kinds.check_entry("a.kind", {"where": ["India"]}, declared)
