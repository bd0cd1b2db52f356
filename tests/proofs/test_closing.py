"""The closing manifest and the trees of tables, and the vectors of docs/bundle.md."""

import hashlib
import json
import re
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from reelm.foundation import envelope as dsse
from reelm.foundation.errors import Invalid
from reelm.proofs.closing import (
    EMPTY_TABLE_ROOT,
    LEAF_ROWS,
    PAYLOAD_TYPE,
    ClosedLog,
    ClosedObjects,
    ClosedTable,
    Closing,
    TableTree,
    check_table,
    check_value,
    commitment_of,
    object_line,
    read_closing,
    root_of,
    salt_of,
    sign_closing,
)

PAGE = Path(__file__).parents[2] / "docs/bundle.md"
SECRET, KEY = bytes(range(32)), Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()


def closing(**changed) -> Closing:
    fields = {
        "form": "reelm-closing/1", "scope_digest": "5c" * 32, "region": "1f" * 16, "epoch": 1,
        "made_at": "2026-11-23T07:00:00Z", "schema": "0005", "postgresql": 18, "tables": [],
        "excluded": [], "objects": ClosedObjects(0, 0, EMPTY_TABLE_ROOT, "00" * 32),
        "log": ClosedLog(0, EMPTY_TABLE_ROOT, ""), "assets": [],
    }  # fmt: skip
    return Closing(**{**fields, **changed})


def by_another(salt: bytes, lines: list[bytes]) -> str:
    """The root by another implementation of RFC 9162's tree."""
    tree = InmemoryTree(algorithm="sha256")
    for start in range(0, len(lines), LEAF_ROWS):
        tree.append_entry(salt + b"".join(lines[start : start + LEAF_ROWS]))
    return str(tree.get_root().hex())


@settings(deadline=None, max_examples=40, database=None)
@given(st.integers(0, 5000), st.integers(1, 200_000), st.randoms(use_true_random=False))
def test_the_root_is_that_of_another_implementation_however_the_text_is_cut(rows, cut, chosen):
    lines = [b"%d\t%s\n" % (i, b"x" * chosen.randrange(60)) for i in range(rows)]
    text, salt = b"".join(lines), salt_of(SECRET, "video")
    pieces = [text[start : start + cut] for start in range(0, len(text), cut)]
    counted, root = root_of(salt, [pieces])
    assert counted == rows
    assert root == (by_another(salt, lines) if rows else EMPTY_TABLE_ROOT)


def test_each_slice_begins_a_leaf():
    tree = TableTree(b"s" * 32)
    for text in (b"1\n2\n", b"3\n"):
        tree.feed(text)
        tree.end_slice()
    both = [hashlib.sha256(b"\x00" + b"s" * 32 + text).digest() for text in (b"1\n2\n", b"3\n")]
    assert bytes(tree.hashes) == b"".join(both)
    assert tree.root() == hashlib.sha256(b"\x01" + both[0] + both[1]).hexdigest()


def test_text_that_ends_within_a_row_is_no_table():
    tree = TableTree(b"s" * 32)
    tree.feed(b"1\n2")
    with pytest.raises(Invalid, match="ends within a row"):
        tree.end_slice()


def test_a_table_is_checked_against_its_manifest():
    salt = salt_of(SECRET, "video")
    rows, root = root_of(salt, [[b"1\n2\n"]])
    table = ClosedTable(
        "video", "transfer", ["id"], ["id"], "", [], rows, root, LEAF_ROWS, commitment_of(salt)
    )
    check_table(table, SECRET, [[b"1\n", b"2\n"]])
    with pytest.raises(Invalid, match="video has 1 rows, and the manifest says 2"):
        check_table(table, SECRET, [[b"1\n"]])
    with pytest.raises(Invalid, match="video has another root"):
        check_table(table, SECRET, [[b"2\n1\n"]])
    with pytest.raises(Invalid, match="secret of the bundle"):
        check_table(table, bytes(32), [[b"1\n2\n"]])


def test_salts_and_check_values_are_hkdf():
    def derived(key, info, length):
        return HKDF(hashes.SHA256(), length, salt=None, info=info).derive(key)

    assert salt_of(SECRET, "video") == derived(SECRET, b"reelm-closing/1 video", 32)
    assert check_value(SECRET, "5c" * 32) == derived(SECRET, b"reelm-check " + b"5c" * 32, 16).hex()


def test_the_signature_is_dsse_as_another_implementation_reads_it():
    envelope = sign_closing(closing(), KEY)
    read = dsse.read_envelope(envelope, PAYLOAD_TYPE)
    assert len(dsse.signers(read, [PUBLIC], 1)) == 1
    made = dsse.sign_envelope(read.payload, PAYLOAD_TYPE, [KEY])
    assert read_closing(made, PUBLIC) == closing()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: {**one, "payloadType": "text/plain"}, "payload type"),
        (lambda one: {**one, "payload": "!"}, "no DSSE envelope"),
        (lambda one: {**one, "signatures": []}, "not signed by the seller's key"),
        (lambda one: {**one, "more": 1}, "no DSSE envelope"),
    ],
)
def test_an_envelope_that_is_none_is_refused(change, words):
    envelope = json.dumps(change(json.loads(sign_closing(closing(), KEY)))).encode()
    with pytest.raises(Invalid, match=words):
        read_closing(envelope, PUBLIC)


def test_a_manifest_by_another_key_or_in_another_form_is_refused():
    with pytest.raises(Invalid, match="not signed by the seller's key"):
        read_closing(sign_closing(closing(), Ed25519PrivateKey.generate()), PUBLIC)
    loose = dsse.sign_envelope(msgspec.json.encode(closing()), PAYLOAD_TYPE, [KEY])
    with pytest.raises(Invalid, match="canonical form"):
        read_closing(loose, PUBLIC)


def test_the_vectors_of_the_page_are_what_is_computed():
    found = dict(
        re.findall(r"^\| `([^`]+)` \| `([0-9a-f]+)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    )
    assert found == vectors()


def vectors() -> dict[str, str]:
    """Every value that docs/bundle.md gives."""
    salt = salt_of(SECRET, "video")
    rows = [b"%d\tcaption %d\t\\N\n" % (number, number) for number in range(2500)]
    objects = [object_line(f"posters/ab/{'ab' * 32}", 70_000)]
    envelope = json.loads(sign_closing(closing(), KEY))
    return {
        "salt of video": salt.hex(),
        "salt_commitment of video": commitment_of(salt),
        "root of 0 rows": root_of(salt, [[]])[1],
        "root of 1 row": root_of(salt, [rows[:1]])[1],
        "root of 2500 rows": root_of(salt, [rows])[1],
        "root of 2500 rows in slices of 2000 and 500": root_of(salt, [rows[:2000], rows[2000:]])[1],
        "check value": check_value(SECRET, "5c" * 32),
        "root of the object": root_of(salt_of(SECRET, "objects/"), [objects])[1],
        "public key": PUBLIC,
        "SHA-256 of the payload": hashlib.sha256(
            msgspec.json.decode(json.dumps(envelope["payload"]), type=bytes)
        ).hexdigest(),
        "signature": msgspec.json.decode(
            json.dumps(envelope["signatures"][0]["sig"]), type=bytes
        ).hex(),
    }
