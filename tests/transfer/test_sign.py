"""The desk of any side: a scope, a key, and no region."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.transfer.factory import DAY

from reelm import transfer
from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid
from reelm.proofs import sale as documents
from reelm.proofs.sale import Conditions
from reelm.transfer import Said, sign_scope

SAID = Said(reference="1", valid_until=now() + DAY)


def signed(sale, keys, said=SAID):
    return sign_scope(sale.scope, keys, said, now())


def test_what_is_signed_at_the_desk_is_taken_in_by_the_region(sale):
    sale.propose()
    sale.submit(signed(sale, [sale.seller_key, sale.buyer_key], Said()))
    conditions = Conditions(data_country="AQ", cutover_before=now() + DAY)
    said = Said(reference="1", valid_until=now() + DAY, conditions=conditions)
    sale.submit(signed(sale, sale.host.keys, said))
    assert sale.state() == "approved"
    sale.submit(signed(sale, sale.host.keys[1:], Said(decision="revoke", reference="2")))
    assert sale.lacks() == [("revoked", "Host")]


def test_the_key_tells_the_side_and_a_key_of_nobody_signs_nothing(sale):
    sale.propose()
    stranger = Ed25519PrivateKey.generate()
    for keys in ([stranger], [sale.buyer_key, sale.host.keys[0]], [sale.exporter.keys[0]]):
        with pytest.raises(Invalid, match="not all of the seller and buyer, or of one authority"):
            signed(sale, keys)
    with pytest.raises(Invalid, match="without more words"):
        signed(sale, [sale.buyer_key])
    with pytest.raises(Invalid, match="until when it is valid"):
        signed(sale, sale.host.keys, Said(reference="1"))


def test_a_signature_is_added_to_the_same_words_only(sale):
    sale.propose()
    half = signed(sale, sale.host.keys[:1])
    whole = transfer.add_signature(sale.scope, half, sale.host.keys[1:2])
    assert len(json.loads(whole)["signatures"]) == 2
    again = transfer.add_signature(sale.scope, whole, sale.host.keys[:1])
    assert len(json.loads(again)["signatures"]) == 2
    sale.submit(whole)
    with pytest.raises(Invalid, match="payload type"):
        transfer.add_signature(sale.scope, half, [sale.buyer_key])
    transfer.abort(sale.session, "Another scope.")
    sale.propose(transfer.Choices(dispositions={"model": "exclude"}))
    with pytest.raises(Invalid, match="and not about this"):
        transfer.add_signature(sale.scope, half, sale.host.keys[1:2])


def test_the_signed_words_are_read_with_any_tool(sale):
    sale.propose()
    payload = payload_of(signed(sale, sale.host.keys))
    told = documents.read_approval(payload)
    assert told.scope_digest == sale.proposal.digest
    assert told.buyer_key == sale.scope.buyer.public_key


def payload_of(envelope):
    return base64.b64decode(json.loads(envelope)["payload"])
