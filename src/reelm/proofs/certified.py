"""Check the certificate of a wind-down against the documents of its sale; no database."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from reelm.foundation.envelope import key_id, signers
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical
from reelm.proofs.certificate import (
    CANNOT_BE_PROVEN,
    REGION_KEY,
    REQUIRED_COPIES,
    REQUIRED_PROBES,
    Certificate,
    Copy,
    Custody,
    Probe,
    authorities,
    opened,
)
from reelm.proofs.handover import Cutover, cutover_digest, read_cutover
from reelm.proofs.sale import Scope, digest_of

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope


def verify_certificate(
    text: bytes, scope: Scope, cutover: bytes, authority_keys: Sequence[str]
) -> list[str]:
    """Check a certificate against the documents of its sale; return what it claims, in sentences.

    Args:
        text: the DSSE envelope.
        scope: what was sold.
        cutover: the DSSE envelope that both operators signed.
        authority_keys: public keys in hex, of the authorities that approved the transfer.

    Raises:
        Invalid: it does not hold; the sentence says why.
    """
    certificate, envelope = opened(text)
    check_about(certificate, scope, cutover)
    check_content(certificate)
    require(envelope, [scope.seller.public_key], 1, "the seller")
    require(envelope, [scope.buyer.public_key], 1, "the buyer")
    named = {key_id(key): key for key in authority_keys}
    for one in authorities(scope):
        keys = [named[key] for key in one.keys if key in named]
        require(envelope, keys, one.threshold, f"the authority {one.name}")
    return claims(certificate, scope)


def check_about(certificate: Certificate, scope: Scope, cutover: bytes) -> Cutover:
    """Check that a certificate is about this sale, whose cutover both sides signed.

    Raises:
        Invalid: it is about another, or a signature under the cutover is missing.
    """
    scope_digest = digest_of(canonical(scope))
    told, signed_by = read_cutover(cutover, scope, scope_digest)
    if "buyer" not in signed_by:
        raise Invalid("The cutover is not signed by the buyer's key: it has not taken over.")
    known = {
        "region": told.region,
        "scope_digest": scope_digest,
        "closing_digest": told.closing_digest,
        "cutover_digest": cutover_digest(cutover),
        "seller_key": told.seller_key,
        "buyer_key": told.buyer_key,
    }
    for name, value in known.items():
        if getattr(certificate, name) != value:
            raise Invalid(f"The certificate is about another sale: its {name} differs.")
    if certificate.made_at < told.ended_at:
        raise Invalid("The certificate was made before the cutover that it follows.")
    return told


def check_content(certificate: Certificate) -> None:
    """Check that a certificate leaves nothing out and contradicts nothing.

    Raises:
        Invalid: it does; says what.
    """
    if tuple(certificate.cannot_be_proven) != CANNOT_BE_PROVEN:
        raise Invalid("The certificate does not say in full what cannot be proven.")
    if not _is_printable(msgspec.to_builtins(certificate)):
        raise Invalid("The texts of the certificate hold characters that cannot be shown.")
    _check_register(certificate.register)
    _check_custody(certificate.custody)
    _check_probes(certificate.probes)


def _is_printable(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_printable, value.values()))
    if isinstance(value, list):
        return all(map(_is_printable, value))
    return not isinstance(value, str) or value.isprintable()


def _check_register(register: Sequence[Copy]) -> None:
    names = [copy.name for copy in register]
    for name in REQUIRED_COPIES:
        if name not in names:
            raise Invalid(f"The register does not say what became of {name}.")
    for copy in register:
        if names.count(copy.name) > 1:
            raise Invalid(f"The register names {copy.name} twice.")
        if (copy.outcome == "held") != (copy.hold is not None):
            raise Invalid(f"{copy.name}: a copy that is held names basis and date, no other does.")
        if copy.outcome != "held" and not copy.method:
            raise Invalid(f"{copy.name}: the register does not say how it was {copy.outcome}.")


def _check_custody(custody: Sequence[Custody]) -> None:
    if not any(key.name == REGION_KEY for key in custody):
        raise Invalid("The certificate does not say what became of the region key.")
    for key in custody:
        # The operator's own key has to sign this; it opens nothing.
        if key.outcome == "kept" and key.name.startswith(REGION_KEY):
            raise Invalid(f"The key {key.name} is kept: the region was not wound down.")


def _check_probes(probes: Sequence[Probe]) -> None:
    after = {probe.name for probe in probes if probe.phase == "after"}
    for name in REQUIRED_PROBES:
        if name not in after:
            raise Invalid(f"The probe {name} was not made.")
    for probe in probes:
        if not probe.passed:
            raise Invalid(
                f"The probe {probe.name} ({probe.phase}) failed: {probe.found} was found,"
                f" {probe.expected} was expected."
            )


def require(envelope: "Envelope", keys: list[str], threshold: int, who: str) -> None:
    """Refuse an envelope that too few of somebody's keys have signed.

    Raises:
        Invalid: says how many signed, and how many have to.
    """
    found = signers(envelope, keys, 0)
    if len(found) < threshold:
        raise Invalid(
            f"The certificate has {len(found)} good signatures of {who}; {threshold} are needed."
        )


def claims(certificate: Certificate, scope: Scope) -> list[str]:
    """Return what whoever signs a certificate agrees to, in sentences."""
    held = [copy for copy in certificate.register if copy.hold is not None]
    return [
        (
            f"{scope.seller.operator} wound down region {certificate.region}, sold to"
            f" {scope.buyer.operator}, on {certificate.made_at}."
        ),
        *(f"{copy.name} ({copy.holder}): {_outcome(copy)}" for copy in certificate.register),
        *(
            f"Key {key.name} ({key.kept}): {key.outcome}: {key.method}."
            for key in certificate.custody
        ),
        *(
            f"Probe {probe.name}, {probe.phase}: {probe.tried}: {probe.found}."
            for probe in certificate.probes
        ),
        f"{len(held)} copies are still held by law." if held else "No copy is held by law.",
        *certificate.cannot_be_proven,
    ]


def _outcome(copy: Copy) -> str:
    by = f" (declared by {copy.attested_by})" if copy.attested_by else ""
    if copy.hold is not None:
        return f"held until {copy.hold.until}: {copy.hold.basis}{by}."
    return f"{copy.outcome}: {copy.method}{by}."
