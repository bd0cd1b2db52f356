"""A certificate holds only whole, signed by all, and about its own sale."""

import base64
import json

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.proofs.wind_down import (
    AUTHORITIES,
    SCOPE,
    certificate,
    cutover,
    journal,
    signed,
    verified,
)
from tests.transfer.vectors import BUYER, HOST, SELLER

from reelm.foundation.errors import Invalid
from reelm.proofs.certificate import Hold, opened
from reelm.proofs.certified import claims, verify_certificate
from reelm.proofs.journal import check_head, head_of, read_journal


def replaced(name: str, part: str, /, **changed):
    """Return the certificate with one entry of a list changed, or taken away."""
    stated = certificate()
    kept = []
    for one in getattr(stated, part):
        if one.name == name and changed:
            kept.append(msgspec.structs.replace(one, **changed))
        elif one.name != name:
            kept.append(one)
    return msgspec.structs.replace(stated, **{part: kept})


def test_a_whole_certificate_holds_and_says_what_it_claims():
    told = verified(certificate())
    assert any("held until 2027-03-01: Order 7/2026 of the Court" in one for one in told)
    assert any(one.startswith("Key region-key") and "destroyed" in one for one in told)
    assert any("cannot be proven" in one for one in told)
    assert told == claims(certificate(), SCOPE)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([BUYER, HOST], "0 good signatures of the seller"),
        ([SELLER, HOST], "0 good signatures of the buyer"),
        ([SELLER, BUYER], "0 good signatures of the authority Host"),
    ],
)
def test_each_signature_is_needed(keys, words):
    with pytest.raises(Invalid, match=words):
        verify_certificate(signed(certificate(), *keys), SCOPE, cutover(), AUTHORITIES)


def test_a_key_that_the_scope_does_not_name_signs_for_nobody():
    other = Ed25519PrivateKey.generate()
    handed_in = [*AUTHORITIES, other.public_key().public_bytes_raw().hex()]
    text = signed(certificate(), SELLER, BUYER, other)
    with pytest.raises(Invalid, match="0 good signatures of the authority"):
        verify_certificate(text, SCOPE, cutover(), handed_in)


@pytest.mark.parametrize(
    ("name", "part", "changed", "words"),
    [
        ("database", "register", {}, "what became of database"),
        ("staff-devices", "register", {}, "what became of staff-devices"),
        ("database", "register", {"method": ""}, "does not say how it was destroyed"),
        ("database", "register", {"outcome": "held"}, "names basis and date"),
        ("logs", "register", {"outcome": "destroyed"}, "names basis and date"),
        ("database", "register", {"name": "logs"}, "what became of database"),
        ("region-key", "custody", {}, "what became of the region key"),
        ("region-key", "custody", {"outcome": "kept"}, "was not wound down"),
        ("sealed-canary", "probes", {}, "The probe sealed-canary was not made"),
        ("session", "probes", {"passed": False}, "The probe session .* failed"),
        ("session", "probes", {"found": "a\x1b[2J"}, "cannot be shown"),
    ],
)
def test_what_is_left_out_or_contradicts_is_refused(name, part, changed, words):
    with pytest.raises(Invalid, match=words):
        verified(replaced(name, part, **changed))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"scope_digest": "00" * 32}, "its scope_digest differs"),
        ({"cutover_digest": "00" * 32}, "its cutover_digest differs"),
        ({"region": "00" * 16}, "its region differs"),
        ({"buyer_key": "00" * 32}, "its buyer_key differs"),
        ({"made_at": "2020-01-01T00:00:00Z"}, "before the cutover"),
        ({"cannot_be_proven": []}, "what cannot be proven"),
    ],
)
def test_another_sale_is_refused(changed, words):
    with pytest.raises(Invalid, match=words):
        verified(msgspec.structs.replace(certificate(), **changed))


def test_a_cutover_that_the_buyer_has_not_signed_is_refused():
    text = signed(certificate(), SELLER, BUYER, HOST)
    with pytest.raises(Invalid, match="not signed by the buyer"):
        verify_certificate(text, SCOPE, cutover(None), AUTHORITIES)


def test_a_hold_needs_its_date():
    with pytest.raises(Invalid, match="names basis and date"):
        verified(replaced("database", "register", hold=Hold(basis="x", until="2027-01-01")))


@given(st.data())
def test_no_byte_of_a_certificate_can_change(data):
    text = signed(certificate(), SELLER, BUYER, HOST)
    envelope = json.loads(text)
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    envelope["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(Invalid):
        verify_certificate(json.dumps(envelope).encode(), SCOPE, cutover(), AUTHORITIES)


@given(st.data())
def test_no_line_of_a_journal_can_change(data):
    text = journal()
    head = opened(signed(certificate(), SELLER))[0].journal
    check_head(text, head)
    lines = text.splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["drop", "twice", "byte", "cut"]))
    if how == "drop":
        changed = lines[:at] + lines[at + 1 :]
    elif how == "twice":
        changed = [*lines[: at + 1], *lines[at:]]
    elif how == "cut":
        changed = [*lines[:at], lines[at][:-1]]
    else:
        line = bytearray(lines[at])
        line[data.draw(st.integers(0, len(line) - 1))] ^= data.draw(st.integers(1, 255))
        changed = [*lines[:at], bytes(line), *lines[at + 1 :]]
    with pytest.raises(Invalid):
        check_head(b"".join(changed), head)


def test_a_journal_ends_where_its_head_says():
    text = journal()
    assert head_of(text).lines == len(read_journal(text)) == 3
