"""The kinds of entries of the audit log, and what each of their fields may hold.

The log is public, so an entry holds ids, digests and plain facts, and nothing that says who
somebody is. A new kind is one line in `KINDS`; to record another kind or field is an error.
docs/audit.md has them as `table()` returns them; a test compares.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from reelm.proofs.leaf import MAX_INTEGER

# Why staff read personal data. A fixed list: what somebody types would be public for ever.
Purpose = Literal[
    "handling reports",
    "handling grievances",
    "handling orders",
    "preparing the transparency report",
    "helping the person",
    "examining an incident",
]


@dataclass(frozen=True)
class Form:
    """What the values of a field look like; `is_optional` ones may be left out."""

    words: str
    holds: Callable[[Any], bool]
    is_optional: bool = False

    @property
    def or_none(self) -> "Form":
        """The same form for a field that may be left out."""
        return replace(self, is_optional=True)


def matching(words: str, pattern: str) -> Form:
    """Return the form of texts that match all of a pattern."""
    whole = re.compile(pattern)
    return Form(words, lambda value: isinstance(value, str) and bool(whole.fullmatch(value)))


def one_of(*choices: str) -> Form:
    """Return the form of a few fixed texts."""
    return Form("one of: " + ", ".join(choices), lambda value: value in choices)


def some(form: Form) -> Form:
    """Return the form of lists whose items have a form."""
    return Form(
        f"list of: {form.words}",
        lambda value: isinstance(value, list) and all(map(form.holds, value)),
    )


ID = matching("id", r"[0-9]{1,20}")
DIGEST = matching("hex digits", r"[0-9a-f]{16,128}")
# Such as `accounts.reset` or `remove`: from this program, not typed by a person.
WORD = matching("word of this program", r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,79}")
# About laws, authorities, operators and releases; never about a person.
FACT = matching("plain fact, at most 200 characters", r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
CANONICAL = matching("canonical JSON", r"\{[^\x00\ud800-\udfff]{0,20000}\}")
DAY = matching("date", r"\d{4}-\d\d-\d\d")
TIME = matching("time in UTC", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
COUNTRY = matching("ISO 3166-1 alpha-2 code", r"[A-Z]{2}")
COUNT = Form("integer", lambda value: type(value) is int and abs(value) <= MAX_INTEGER)
FLAG = Form("true or false", lambda value: isinstance(value, bool))
PURPOSE = one_of(*get_args(Purpose))


class Kind:
    """What a kind of entry says, and the form of each of its fields."""

    def __init__(self, words: str, /, **fields: Form) -> None:
        self.words = words
        self.fields: Mapping[str, Form] = fields


KINDS: Mapping[str, Kind] = {
    # The log itself
    "audit.key_changed": Kind(
        "Another key signs the log from here on; the old key endorses it.",
        old_key=DIGEST,
        new_key=DIGEST,
        epoch=COUNT,
        endorsement=DIGEST,
    ),
    "audit.opened": Kind(
        "A confidential entry is made public.", entry_id=ID, salt=DIGEST, opened=CANONICAL
    ),
    "audit.witness_added": Kind(
        "Cosignatures of a witness are taken from here on.", name=WORD, key=DIGEST
    ),
    "audit.witness_removed": Kind(
        "Cosignatures of a witness are no longer taken.", name=WORD, key=DIGEST
    ),
    "confidential": Kind(
        "An entry that may not be told yet; `audit.opened` opens it.", commitment=DIGEST
    ),
    # The region
    "region.release": Kind(
        "The region runs this release: its version, and the digest of the installed code.",
        version=WORD,
        digest=DIGEST,
    ),
    "regions.tenure_begun": Kind(
        "An operator is in charge from here on; its public key.", epoch=COUNT, public_key=DIGEST
    ),
    "egress.refused": Kind(
        "A process wanted to talk to another host, and was refused (docs/egress.md).",
        process=WORD,
        layer=one_of("a", "b"),
        attempt=WORD,
        to=FACT,
        count=COUNT,
    ),
    # Authorities and their orders
    "regions.authority_added": Kind(
        "An authority may order here from now on.",
        authority_id=ID,
        name=FACT,
        powers=some(WORD),
        threshold=COUNT,
    ),
    "regions.authority_changed": Kind(
        "What is registered of an authority was corrected; what holds from here on.",
        authority_id=ID,
        changed=some(WORD),
        name=FACT,
        powers=some(WORD),
        threshold=COUNT,
        country=COUNTRY.or_none,
    ),
    "regions.authority_ended": Kind(
        "An authority orders nothing more from here on; what it ordered holds.", authority_id=ID
    ),
    "regions.authority_key_added": Kind(
        "An authority signs with this key, too.", authority_id=ID, key_id=DIGEST
    ),
    "regions.authority_key_revoked": Kind(
        "What this key signs from now on counts for nothing.", authority_id=ID, key_id=DIGEST
    ),
    "regions.authority_recipient_set": Kind(
        "What is disclosed to the authority is encrypted to this age key from now on.",
        authority_id=ID,
        recipient=matching("age recipient", r"age1[0-9a-z]{58}"),
    ),
    "regions.clocks_differ": Kind(
        "The clock that shows the date and the one that nobody can set differ by this much.",
        apart_s=COUNT,
    ),
    "regions.order_checked": Kind(
        "A second officer compared what was entered with the paper, and agreed.",
        order_id=ID,
        officer_id=ID,
        document_digest=DIGEST,
    ),
    "regions.order_complied": Kind(
        "What an order asked for was done.", order_id=ID, complied_at=TIME
    ),
    "regions.order_ended": Kind(
        "An order holds no more; what it alone withheld is there again.",
        order_id=ID,
        ending=WORD,
        ended_by=ID.or_none,
    ),
    "regions.order_entered": Kind(
        "An officer entered an order that came on paper; it does not hold yet.",
        order_id=ID,
        officer_id=ID,
    ),
    "regions.order_in_force": Kind(
        "An order holds from here on, in these countries or, with none, all over the region.",
        order_id=ID,
        authority_id=ID,
        order_kind=WORD,
        basis=FACT,
        category=WORD,
        channel=one_of("signed", "paper"),
        document_digest=DIGEST,
        subject_ids=some(ID),
        order_ids=some(ID),
        countries=some(COUNTRY),
        interim=FLAG,
        received_at=TIME,
        due_at=TIME.or_none,
        complied_at=TIME.or_none,
    ),
    "regions.order_refused": Kind(
        "A second officer found that what was entered is not what the paper says.",
        order_id=ID,
        officer_id=ID,
    ),
    # Accounts
    "accounts.erasure_begun": Kind(
        "An account is being erased: nobody sees it or signs in to it from here on.", account_id=ID
    ),
    "accounts.erasure_finished": Kind("Nothing of an erased account is left.", account_id=ID),
    "accounts.preserved_opened": Kind(
        "What an order had preserved was opened with the identity; the digest of that copy.",
        order_id=ID,
        digest=DIGEST,
    ),
    "accounts.region_key_rotated": Kind(
        "Another region key wraps the accounts' keys; a check value of it.", version=ID
    ),
    "accounts.reset": Kind("Staff gave a locked-out person new recovery codes.", account_id=ID),
    "accounts.roles_ended": Kind(
        "Another operator is in charge: all staff roles have ended; how many.", count=COUNT
    ),
    "accounts.role_set": Kind(
        "An account has this staff role from here on, given by an owner or the operator.",
        account_id=ID,
        role=WORD,
        by=WORD,
    ),
    "accounts.second_factor_ended": Kind(
        "The second factor of a staff account was ended: by its person, an owner or the operator.",
        account_id=ID,
        by=WORD,
    ),
    "accounts.second_factor_set": Kind(
        "A staff account signs in with a second factor from here on.", account_id=ID
    ),
    # Staff
    "staff.read": Kind(
        "Staff read data of people: who, for what, from which country.",
        reader_id=ID,
        role=WORD,
        purpose=PURPOSE,
        purpose_id=ID,
        country=COUNTRY.or_none,
        what=WORD,
        subject_ids=some(ID),
    ),
    # Moderation
    "moderation.decided": Kind(
        "Staff decided on a video, comment or account.",
        decision_id=ID,
        decision_kind=WORD,
        target_id=ID,
        ground=WORD,
        category=WORD,
        source_type=WORD,
        countries=some(COUNTRY),
        officer_id=ID,
    ),
    "moderation.decision_reversed": Kind(
        "Staff reversed a decision.", decision_id=ID, officer_id=ID
    ),
    "moderation.grievance_acknowledged": Kind(
        "Staff told a complainant that somebody looks into it; whether in time.",
        grievance_id=ID,
        officer_id=ID,
        in_time=one_of("yes", "no", "no_deadline"),
    ),
    "moderation.grievance_received": Kind(
        "Somebody complained of a video, comment or account, or objected to a decision or order.",
        grievance_id=ID,
        grievance_kind=WORD,
        reason=WORD,
        target_kind=WORD,
        received_at=TIME,
        acknowledge_due_at=TIME.or_none,
        resolve_due_at=TIME.or_none,
    ),
    "moderation.grievance_resolved": Kind(
        "Staff closed a grievance; what came of it, and whether in time.",
        grievance_id=ID,
        officer_id=ID,
        outcome=WORD,
        in_time=one_of("yes", "no", "no_deadline"),
    ),
    "regions.retention_ran": Kind(
        "Rows of a table that were past their retention were deleted.",
        table=WORD,
        rows=COUNT,
        older_than=TIME,
    ),
    # The sale of the region
    "transfer.proposed": Kind(
        "A sale of the region is proposed: the digest of its scope, and the buyer's public key.",
        transfer_id=ID,
        scope_digest=DIGEST,
        buyer_key=DIGEST,
    ),
    "transfer.signed": Kind(
        "Seller, buyer or both signed the scope of the sale.",
        transfer_id=ID,
        scope_digest=DIGEST,
        sides=some(one_of("seller", "buyer")),
        document_digest=DIGEST,
    ),
    "transfer.authority_decided": Kind(
        "An authority approved this scope for this buyer, refused it, or revoked its approval.",
        transfer_id=ID,
        scope_digest=DIGEST,
        authority_id=ID,
        decision=one_of("approve", "refuse", "revoke"),
        document_digest=DIGEST,
        valid_until=TIME.or_none,
    ),
    "transfer.aborted": Kind(
        "The seller ended the sale; the digest of the reason that it gave.",
        transfer_id=ID,
        scope_digest=DIGEST,
        reason_digest=DIGEST,
    ),
    "transfer.announced": Kind(
        "Everybody was told of the sale; before this time nothing is frozen.",
        transfer_id=ID,
        scope_digest=DIGEST,
        freeze_from=TIME,
    ),
    "transfer.room_opened": Kind(
        "The buyer may look into the data room until then.", transfer_id=ID, room_id=ID, until=TIME
    ),
    "transfer.room_closed": Kind(
        "The data room is closed to the buyer.", transfer_id=ID, room_id=ID
    ),
    "transfer.room_viewed": Kind(
        "A document of the data room was looked at; the digest of what was shown.",
        transfer_id=ID,
        room_id=ID,
        document=WORD,
        digest=DIGEST,
    ),
    "transfer.frozen": Kind(
        "What goes along is not written any more; orders, erasures and deadlines are, and logged.",
        transfer_id=ID,
        scope_digest=DIGEST,
        epoch=COUNT,
    ),
    "transfer.thawed": Kind(
        "The freeze ended without a cutover: everything is written as before.",
        transfer_id=ID,
        scope_digest=DIGEST,
        epoch=COUNT,
    ),
    "transfer.cutover": Kind(
        "Another operator is in charge from here on, as both signed in one document.",
        transfer_id=ID,
        scope_digest=DIGEST,
        from_epoch=COUNT,
        to_epoch=COUNT,
        seller_key=DIGEST,
        buyer_key=DIGEST,
        closing_digest=DIGEST,
        document_digest=DIGEST,
        seller_signature=DIGEST,
        buyer_signature=DIGEST,
    ),
    "transfer.access_granted": Kind(
        "The former operator was given a staff role until then, to help; the reason's digest.",
        transfer_id=ID,
        grant_id=ID,
        account_id=ID,
        role=WORD,
        until=TIME,
        reason_digest=DIGEST,
    ),
    "transfer.access_used": Kind(
        "What was granted to the former operator was used for the first time.",
        transfer_id=ID,
        grant_id=ID,
    ),
    "transfer.access_ended": Kind(
        "What was granted to the former operator ended: its time had come, or it was revoked.",
        transfer_id=ID,
        grant_id=ID,
        ending=one_of("expired", "revoked"),
    ),
    "transfer.wound_down": Kind(
        "The seller's wind-down is certified; the digest of the certificate.",
        transfer_id=ID,
        scope_digest=DIGEST,
        certificate_digest=DIGEST,
    ),
    # The feed
    "feed.model_snapshot": Kind(
        "The ranker's state was stored; once a day, and when a release first does.",
        seq=COUNT,
        digest=DIGEST,
        release=WORD,
    ),
    "feed.model_serves": Kind(
        "The ranking model serves the feed for the first time under an operator who took the"
        " region over; which signals it learned from.",
        epoch=COUNT,
        digest=DIGEST,
        first_seq=COUNT.or_none,
        first_at=TIME.or_none,
        last_seq=COUNT,
        last_at=TIME.or_none,
    ),
    "feed.log_dropped": Kind(
        "Days of the log of signals were dropped, past their time.",
        first=DAY,
        last=DAY,
        kept_days=COUNT,
    ),
}


class Undeclared(ValueError):
    """An entry is not what `KINDS` says: a fault of this program, not of who uses it."""


def check_entry(kind: str, body: Mapping[str, Any], kinds: Mapping[str, Kind] = KINDS) -> None:
    """Check that an entry's kind and fields are declared and that its values have their forms.

    Raises:
        Undeclared: one is not; says which, and what to add where.
    """
    declared = kinds.get(kind)
    if declared is None:
        raise Undeclared(f"{kind!r} is no kind of audit entry: declare it in audit/kinds.py.")
    if unknown := sorted(body.keys() - declared.fields.keys()):
        raise Undeclared(f"{kind} has no field {unknown[0]!r}: declare it in audit/kinds.py.")
    for name, form in declared.fields.items():
        if name not in body:
            if not form.is_optional:
                raise Undeclared(f"{kind} lacks its field {name!r}.")
        elif not form.holds(body[name]):
            raise Undeclared(f"{kind}.{name} is not what audit/kinds.py says: {form.words}.")


def table() -> str:
    """Return the kinds as a table in Markdown."""
    lines = ["| kind | says | fields |", "|---|---|---|"]
    for name, kind in KINDS.items():
        fields = "; ".join(
            f"`{field}`{' (or none)' if form.is_optional else ''} {form.words}"
            for field, form in kind.fields.items()
        )
        lines.append(f"| `{name}` | {kind.words} | {fields} |")
    return "\n".join(lines)
