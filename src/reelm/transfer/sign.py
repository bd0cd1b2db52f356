"""Sign a scope, at the desk of any side: it needs the scope and a key, and no region."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reelm.foundation.clock import utc_text
from reelm.foundation.envelope import add_signatures, key_id, read_envelope, sign_envelope
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical
from reelm.proofs import sale
from reelm.proofs.sale import Conditions, Decision, RequiredApproval, Scope


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What an authority says of a scope; seller and buyer only agree to it."""

    decision: Decision = "approve"
    reference: str = ""
    valid_until: datetime | None = None
    conditions: Conditions = Conditions()


def sign_scope(
    scope: Scope, keys: Sequence[Ed25519PrivateKey], said: Said, issued_at: datetime
) -> bytes:
    """Return the envelope of what the holders of these keys say of a scope.

    Raises:
        Invalid: a key is of nobody whom the scope names, the keys are of different ones, or what
            an authority says contradicts itself.
    """
    by = _signer(scope, keys)
    common = {
        "region": scope.region,
        "scope_digest": sale.digest_of(canonical(scope)),
        "issued_at": utc_text(issued_at.replace(microsecond=0)),
    }
    if by is None:
        if said != Said():
            raise Invalid("Seller and buyer agree to the scope as it is, without more words.")
        return _signed({"form": sale.SALE_FORM, **common}, sale.SALE_TYPE, keys)
    fields = {
        "form": sale.APPROVAL_FORM,
        **common,
        "authority": by.authority,
        "reference": said.reference,
        "buyer_key": scope.buyer.public_key,
        "decision": said.decision,
        "conditions": msgspec.to_builtins(said.conditions),
    }
    if said.valid_until is not None:
        fields["valid_until"] = utc_text(said.valid_until)
    sale.read_approval(msgspec.json.encode(fields))
    return _signed(fields, sale.APPROVAL_TYPE, keys)


def add_signature(scope: Scope, envelope_text: bytes, keys: Sequence[Ed25519PrivateKey]) -> bytes:
    """Return an envelope with these keys' signatures beside those that it has.

    Raises:
        Invalid: it is about another scope, or of somebody else than the holder of the keys.
    """
    by = _signer(scope, keys)
    form = sale.SALE_TYPE if by is None else sale.APPROVAL_TYPE
    payload = read_envelope(envelope_text, form).payload
    told = sale.read_sale(payload) if by is None else sale.read_approval(payload)
    if told.scope_digest != sale.digest_of(canonical(scope)):
        raise Invalid(f"The envelope is about the scope {told.scope_digest}, and not about this.")
    if isinstance(told, sale.ApprovalStatement) and by and told.authority != by.authority:
        raise Invalid(f"The envelope is of the authority {told.authority}, the key of {by.name}.")
    return add_signatures(envelope_text, form, list(keys))


def _signer(scope: Scope, keys: Sequence[Ed25519PrivateKey]) -> RequiredApproval | None:
    """Return the authority whose keys these are, or None for seller and buyer."""
    public = [key.public_key().public_bytes_raw().hex() for key in keys]
    operators = {scope.seller.public_key, scope.buyer.public_key}
    if set(public) <= operators:
        return None
    ids = {key_id(key) for key in public}
    for one in scope.approvals:
        if ids <= set(one.keys):
            return one
    raise Invalid(
        "These keys are not all of the seller and buyer, or of one authority that the scope names."
    )


def _signed(fields: dict[str, object], form: str, keys: Sequence[Ed25519PrivateKey]) -> bytes:
    payload = msgspec.json.encode(fields, order="sorted")
    return sign_envelope(payload, form, list(keys))
