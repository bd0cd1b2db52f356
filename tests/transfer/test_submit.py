"""What is handed in about a sale: taken in once, logged, or refused with what is wrong."""

import json

import pytest
from sqlalchemy import select
from tests.transfer.factory import make_authority, refused_at_the_door

from reelm import transfer
from reelm.audit.models import AuditEntry
from reelm.foundation.errors import Missing


def test_nobody_who_was_not_asked_has_a_say(sale):
    sale.propose()
    stranger = make_authority(sale.session, "Stranger", "order_content")
    refused_at_the_door(sale, sale.decision(stranger), "none of those that have to agree")
    mine = json.loads(sale.signature(sale.buyer_key))
    mine["signatures"] = json.loads(sale.decision(stranger))["signatures"]
    refused_at_the_door(sale, json.dumps(mine).encode(), "neither the seller nor the buyer")


def test_the_same_statement_again_changes_nothing_and_its_reference_is_not_taken_twice(sale):
    sale.propose()
    envelope = sale.decision(sale.host, reference="7")
    first, again = sale.submit(envelope), sale.submit(envelope)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.document_digest == again.document_digest
    refused_at_the_door(sale, sale.decision(sale.host, "revoke", reference="7"), "reference 7")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"valid_until": None}, "until when it is valid"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "not after issued_at"),
        ({"valid_until": "2099-01-01T00:00:00"}, "valid_until has to be a time"),
        ({"issued_at": "2098-01-01T00:00:00Z", "valid_until": "2099-01-01T00:00:00Z"}, "future"),
        ({"conditions": {"data_contry": "AQ"}}, "data_contry"),
        ({"decision": "maybe"}, "decision"),
        ({"decision": "revoke", "valid_until": "2099-01-01T00:00:00Z"}, "no conditions and no end"),
        ({"extra": 1}, "extra"),
        ({"authority": "77"}, "none of those"),
        ({"reference": "a\u0007"}, "cannot be shown"),
    ],
)
def test_a_statement_that_contradicts_itself_is_refused_with_what_is_wrong(sale, fields, words):
    sale.propose()
    refused_at_the_door(sale, sale.decision(sale.host, **fields), words)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"payloadType":"x"}', b"\xff\xfe"])
def test_what_is_no_statement_of_a_sale_is_refused(sale, text):
    sale.propose()
    refused_at_the_door(sale, text, r"no DSSE envelope|payload type")


def test_without_a_sale_nothing_is_taken_in(sale):
    sale.propose()
    envelope = sale.decision(sale.host)
    transfer.abort(sale.session, "No more.")
    with pytest.raises(Missing, match="No sale of this region is open"):
        sale.submit(envelope)


def test_each_statement_is_an_entry_of_the_log_with_ids_and_digests(sale):
    sale.approved()
    sale.submit(sale.decision(sale.host, "revoke"))
    rows = sale.session.scalars(
        select(AuditEntry).where(AuditEntry.kind.like("transfer.%")).order_by(AuditEntry.id)
    ).all()
    assert [row.kind.partition(".")[2] for row in rows] == [
        "proposed", "signed", "signed", "authority_decided", "authority_decided",
    ]  # fmt: skip
    assert {row.body["scope_digest"] for row in rows} == {sale.proposal.digest}
    assert [row.body["sides"] for row in rows[1:3]] == [["seller"], ["buyer"]]
    assert [row.body["decision"] for row in rows[3:]] == ["approve", "revoke"]
