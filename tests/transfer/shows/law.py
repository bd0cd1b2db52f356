"""What authorities and staff did to the people of the village, of every kind there is."""

from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec
from httpx2 import Response
from tests.regions.factory import Body, make_body, people, videos
from tests.transfer.factory import public
from tests.transfer.shows.village import Village
from tests.videos.acts import imported

from reelm import accounts
from reelm.foundation.clock import now, utc_text
from reelm.foundation.envelope import key_id
from reelm.regions import orders

DAY = timedelta(days=1)
INSIDE = {"x-country": "IN"}
STAFF = ("owner", "officer")


@dataclass
class Given:
    """An order: what it says, as it was signed, the digest of that, its id once it is taken in."""

    statement: dict[str, Any]
    envelope: bytes
    digest: str
    id: int = 0

    @property
    def reference(self) -> str:
        """The authority's own name of it."""
        return str(self.statement["reference"])


@dataclass
class Law:
    """The authority, and what it ordered, by name."""

    body: Body
    revoked: Body
    orders: dict[str, Given] = field(default_factory=dict)

    def give(self, village: Village, name: str, kind: str, **fields: Any) -> None:
        """Hand in an order over HTTP, as an authority does."""
        answer = self.try_to_give(village, name, kind, **fields)
        assert answer.status_code == 201, answer.text

    def try_to_give(self, village: Village, name: str, kind: str, **fields: Any) -> Response:
        """Hand in an order that may not be taken in; it can be given again."""
        statement = self.body.statement(kind, **fields)
        digest = sha256(msgspec.json.encode(statement)).hexdigest()
        self.orders[name] = Given(statement, self.body.sign(statement), digest)
        return self.give_again(village, name)

    def give_again(self, village: Village, name: str) -> Response:
        """Hand in the very same document, and note the order's id once it is taken in."""
        answer = village.client.request("POST", "/api/orders", self.orders[name].envelope)
        if answer.status_code == 201:
            self.orders[name].id = int(answer.json()["id"])
        return answer


def in_days(days: float) -> str:
    return utc_text(now() + days * DAY)


def enforce(village: Village) -> Law:
    """Have orders given, decisions made, grievances sent, and people erased."""
    with village.parts.transaction() as session:
        body, revoked = make_body(session), make_body(session, keys=2)
        orders.revoke_key(session, revoked.id, key_id(public(revoked.keys[0])))
    law = Law(body, revoked)
    _staff(village)
    _orders(village, law)
    village.run_jobs()
    _erase(village)
    # A second order about somebody who erases their account now: the copy is still to be made.
    about = people(village.people["going"].id)
    law.give(village, "preserve going", "preserve", targets=about, lapses_at=in_days(40))
    _erased(village, "going")
    # Uploaded, and the job that makes it playable has not run.
    village.videos["unfinished"] = imported(village.parts, village.people["v29"].id, village.clip)
    # Given, in force, and the job that tells of it has not run when the region is frozen.
    untold = people(village.people["v34"].id)
    law.give(village, "untold", "geo_restrict", targets=untold, countries=["NZ"])
    return law


def _orders(village: Village, law: Law) -> None:
    who, made = village.people, village.videos
    give, a_month = law.give, in_days(30)
    give(village, "remove", "remove", targets=videos(made["ordered"]), countries=["IN"])
    give(village, "restrict", "geo_restrict", targets=people(who["ben"].id), countries=["IN"])
    give(
        village, "interim", "remove", targets=videos(made["cleo"]), countries=["IN"],
        interim=True, lapses_at=in_days(3),
    )  # fmt: skip
    give(village, "suspend", "suspend_account", targets=people(who["frozen_out"].id))
    give(village, "preserve", "preserve", targets=people(who["ben"].id), lapses_at=a_month)
    give(village, "disclose", "disclose", targets=people(who["cleo"].id), complies_by=in_days(9))
    give(
        village, "secret", "preserve", targets=people(who["ana"].id), confidential=True,
        lapses_at=a_month,
    )  # fmt: skip
    give(village, "to lift", "remove", targets=videos(made["ana"]))
    give(village, "lift", "lift", targets={"orders": [law.orders["to lift"].reference]})


def _staff(village: Village) -> None:
    do, made, who = village.do, village.videos, village.people
    sent = {"target_kind": "video", "target_id": str(made["decided"]), "reason": "hate"}
    village.as_("v01")
    receipt = do("POST", "reports", {**sent, "detail": "Look."})
    village.ids |= {"grievance": receipt["id"], "code": receipt["code"]}
    for handle in STAFF:
        _hired(village, handle)
    reasons = {
        "ground": "terms", "basis": "section 3", "category": "hate", "facts": "It was seen.",
    }  # fmt: skip
    withheld = {"kind": "withhold_video", "target_id": str(made["decided"]), "countries": ["IN"]}
    banned = {"kind": "suspend_account", "target_id": str(who["banned"].id)}
    for name, decision in (("decision", withheld), ("ban", banned)):
        village.ids[name] = do("POST", "staff/decisions", {**reasons, **decision})["id"]
    do("POST", f"staff/grievances/{receipt['id']}/acknowledgement")
    village.as_("cleo")
    about = {"about": "decision", "id": village.ids["decision"], "detail": "It is a cat."}
    village.ids["objection"] = do("POST", "objections", about)["id"]


def _hired(village: Village, handle: str) -> None:
    """Make somebody staff, with a device, and say for what they read."""
    with village.parts.transaction() as session:
        accounts.set_role(session, handle=handle, role=handle)
    village.as_(handle)
    village.enrol(handle)
    village.do("POST", "staff/purposes", {"purpose": "handling grievances"})


def _erase(village: Village) -> None:
    _erased(village, "gone")
    village.run_jobs()


def _erased(village: Village, handle: str) -> None:
    village.as_(handle)
    village.do("DELETE", "me", {"password": village.people[handle].password})
