"""A rehearsal seals a region that still serves, and may leave the objects out."""

import hashlib
import json
from base64 import b64decode
from dataclasses import replace

import pytest
from tests.transfer.attack import opened
from tests.transfer.bundle_factory import fill, sealed, sold

from reelm import audit
from reelm.foundation.errors import Conflict, Invalid
from reelm.proofs.closing import closed_digest
from reelm.transfer.bundle import seal, verify, verify_rows


@pytest.fixture
def made(owner, parts, tmp_path):
    """A region with edge values, for sale, whose log has an entry that is not in the tree."""
    fill(owner, parts, rows=3, seed=4)
    with parts.transaction() as session:
        audit.record(session, "accounts.reset", account_id="1")
    return sold(owner, parts, tmp_path / "bundle")


def rehearsed(made, parts):
    return seal(
        made.owner, parts.store, made.folder, made.notes, made.sale, made.keys,
        is_frozen=False, objects=False,
    )  # fmt: skip


def test_a_log_that_is_not_integrated_is_not_sealed_once_frozen(made, parts):
    with pytest.raises(Conflict, match="integrate it first"):
        sealed(made, parts)
    seal(made.owner, parts.store, made.folder, made.notes, made.sale, made.keys, is_frozen=False)
    verify(made.folder, made.identity, made.expected)


def test_a_rehearsal_lists_objects_and_copies_none(made, parts):
    manifest = rehearsed(made, parts)
    assert manifest.objects.count >= 4
    assert list(made.folder.rglob("objects/*/*")) == []
    checked = verify_rows(made.folder, made.identity, made.expected)
    assert checked.manifest == manifest
    with pytest.raises(Invalid, match=r"The object .* cannot be read"):
        verify(made.folder, made.identity, made.expected)


def test_rows_of_a_rehearsal_are_verified_as_strictly(made, parts):
    rehearsed(made, parts)
    for path in (made.folder / "tables").rglob("*.age"):
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(Invalid, match=path.parent.name):
            verify_rows(made.folder, made.identity, made.expected)
        path.write_bytes(good)


def test_a_rehearsal_is_not_taken_for_the_bundle_that_was_closed(made, parts):
    rehearsed(made, parts)
    envelope = opened(made)[2]
    digest = closed_digest(envelope)
    assert digest == hashlib.sha256(b64decode(json.loads(envelope)["payload"])).hexdigest()
    verify_rows(made.folder, made.identity, replace(made.expected, closed_digest=digest))
    rehearsed(made, parts)
    with pytest.raises(Invalid, match="another closing manifest"):
        verify_rows(made.folder, made.identity, replace(made.expected, closed_digest=digest))
