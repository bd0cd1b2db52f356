"""The bytes of a leaf are canonical JSON, whatever it holds."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from reelm.foundation.errors import Invalid
from reelm.proofs.leaf import commitment, leaf_bytes, read_leaf, sealed

AT = datetime(2026, 3, 1, 12, 0, 0, 120, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.one_of(
    TEXT, st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.lists(TEXT, max_size=3)
)


def test_a_leaf_as_the_docs_have_it():
    assert leaf_bytes(12, "accounts.reset", AT, {"account_id": "7"}) == (
        b'{"at":"2026-03-01T12:00:00.000120Z","body":{"account_id":"7"},"id":"12",'
        b'"kind":"accounts.reset","v":1}'
    )


@given(st.dictionaries(TEXT, VALUES, max_size=5), TEXT)
def test_leaves_are_canonical_and_read_again(body, kind):
    written = leaf_bytes(2**63 - 1, kind, AT, body)
    value = {"at": "2026-03-01T12:00:00.000120Z", "body": body, "id": str(2**63 - 1)}
    assert written == rfc8785.dumps({**value, "kind": kind, "v": 1})
    leaf = read_leaf(written)
    assert (leaf.kind, leaf.body) == (kind, body)


def test_the_same_moment_is_the_same_text():
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert leaf_bytes(1, "a", elsewhere, {}) == leaf_bytes(1, "a", AT, {})


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(":", ": ", 1),
        lambda text: text.replace('"v":1', '"v":1.0'),
        lambda text: text.replace('"v":1', '"v":2'),
        lambda text: text.replace('"id":"12"', '"id":12'),
        lambda text: text.replace('"id":"12"', '"id":"012"'),
        lambda text: text.replace('"kind"', '"kind":"a","kind"'),
        lambda text: text.replace("000120Z", "00012Z"),
        lambda text: text.replace("2026-03-01T", "2026-02-30T"),
        lambda text: text.replace('"7"', "7.5"),
        lambda text: text.replace('"7"', '"\\u0037"'),
        lambda text: text.replace('"7"', "9007199254740993"),
        lambda text: text + " ",
        lambda text: "[]",
    ],
)
def test_what_is_not_canonical_is_refused(change):
    text = leaf_bytes(12, "accounts.reset", AT, {"account_id": "7"}).decode()
    with pytest.raises(Invalid):
        read_leaf(change(text).encode())


def test_a_commitment_is_to_salt_kind_and_body():
    one = sealed("accounts.reset", {"account_id": "7"})
    assert one == b'{"body":{"account_id":"7"},"kind":"accounts.reset"}'
    made = {
        commitment(bytes(32), one),
        commitment(bytes([1]) * 32, one),
        commitment(bytes(32), sealed("accounts.reset", {"account_id": "8"})),
        commitment(bytes(32), sealed("accounts.role_set", {"account_id": "7"})),
    }
    assert len(made) == 4
