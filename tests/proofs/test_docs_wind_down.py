"""docs/wind-down.md has the sentences, the names, the fields and the vectors of this release."""

import inspect
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.proofs.wind_down import (
    DATA_KEY,
    REGION_KEY,
    SEED,
    canary,
    certificate,
    cutover,
    journal,
    signed,
)
from tests.transfer.vectors import BUYER, HOST, SELLER

from reelm import accounts
from reelm.foundation.strict_json import canonical
from reelm.proofs import certificate as form
from reelm.proofs.journal import Line
from reelm.proofs.sale import digest_of
from reelm.transfer.wind_down import certify, keys, probes, register, run

PAGE = (Path(__file__).parents[2] / "docs/wind-down.md").read_text("utf-8")


def test_the_vectors_are_what_this_release_makes():
    text = signed(certificate(), SELLER, BUYER, HOST)
    for vector in (canonical(canary()), cutover(), journal().rstrip(), text):
        assert f"\n{vector.decode()}\n" in PAGE
    assert f"`{digest_of(canonical(certificate()))}`" in PAGE


def test_the_canary_of_the_vectors_opens_by_its_keys_alone():
    told = canary()
    planted = accounts.Canary(SEED, told.owner, "", "", told.wrapped, told.sealed)
    assert accounts.opens(planted, REGION_KEY)
    assert accounts.opens(planted, DATA_KEY)
    assert not accounts.opens(planted, Ed25519PrivateKey.generate().private_bytes_raw())


def test_every_sentence_name_and_field_is_told():
    for sentence in form.CANNOT_BE_PROVEN:
        assert f"- {sentence}\n" in PAGE
    for name in (*form.REQUIRED_COPIES, *form.REQUIRED_PROBES):
        assert f"`{name}`" in PAGE
    forms = (form.Certificate, form.Copy, form.Hold, form.Custody, form.Probe, form.Canary, Line)
    for one in forms:
        for field in one.__struct_fields__:
            assert f"`{field}`" in PAGE, (one.__name__, field)


def test_every_kind_of_line_is_told():
    source = "".join(map(inspect.getsource, (certify, keys, probes, register, run)))
    kinds = set(re.findall(r'\.append\(\s*"(\w+)"', source))
    assert len(kinds) == 15
    for kind in kinds:
        assert f"`{kind}`" in PAGE
