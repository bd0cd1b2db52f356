"""Fifty people on another database and another store: nothing is new to them but the operator."""

import hashlib
from collections import Counter

from tests.transfer.shows.asked import GETTERS
from tests.transfer.shows.compare import EXPECTED, differences, differing, is_expected
from tests.transfer.shows.whole_move import Move

from reelm.proofs.closing import EMPTY_TABLE_ROOT

# What the cutover itself writes.
OF_THE_CUTOVER = {"account", "audit_entry", "tenure", "transfer"}
# The log is small, nobody else witnesses it, and nothing confidential may be told of yet.
EMPTY = {"audit_node", "audit_witness", "audit_cosignature", "audit_opening"}


def test_every_table_has_the_root_that_was_closed(move: Move) -> None:
    closed = {one.name: (one.rows, one.root) for one in move.noted["sealed"].manifest.tables}
    assert {name for name, (_, root) in closed.items() if root == EMPTY_TABLE_ROOT} <= EMPTY
    found = move.noted["roots"]
    assert {name for name in closed if closed[name] != found[name]} == OF_THE_CUTOVER
    assert closed.keys() == found.keys()
    assert move.noted["receipt"].outcome == "equal"


def test_every_object_is_in_the_other_store_and_its_bytes_come_by_ranges(move: Move) -> None:
    objects = move.noted["objects"]
    assert len(objects) == move.noted["sealed"].manifest.objects.count > 10
    assert all(key.endswith(hashlib.sha256(data).hexdigest()) for key, data in objects.items())
    assert {key: move.seller.owner.store.get(key) for key in objects} == objects
    assert len(move.media_before) > 15
    assert move.media_before == move.media_after


def test_everybody_is_told_the_same_as_before(move: Move) -> None:
    assert len(move.village.people) == 50
    assert differences(move.before, move.after) == []


def test_everything_that_can_be_asked_was_asked_and_answered(move: Move) -> None:
    asked = Counter(one.endpoint for one in move.before.values() if one.status == 200)
    # What nobody may see by itself: it takes a token, a contact or a code that is waited for.
    closed = {
        "/api/transfers/room", "/api/transfers/room/{document}", "/.well-known/security.txt",
        "/sign-in/code", "/console/channel",
    }  # fmt: skip
    assert {one.path for one in GETTERS} - set(asked) == closed
    assert asked["/api/me"] == 48  # two of fifty erased their accounts
    assert sum(one.endpoint == "sign in" for one in move.after.values()) == 50


def test_every_expected_difference_is_one(move: Move) -> None:
    found = [
        (one.endpoint, field)
        for key, one in move.before.items()
        for field in differing(one, move.after[key])
    ]
    for rule in EXPECTED:
        if rule.why == "the time when it was asked":
            continue  # in one minute it is the same
        assert any(is_expected(endpoint, field, [rule]) for endpoint, field in found), rule
