"""The console's pages of orders: paper entry, a second person's check, authorities, history."""

import re
from collections.abc import Callable
from datetime import timedelta

import pyrage
import pytest
from sqlalchemy import select, text
from starlette.testclient import TestClient
from tests.regions.factory import Body, make_body, people, videos
from tests.social.factory import make_account, make_video
from tests.web.staff import staff_of

from reelm import accounts, moderation, regions
from reelm.audit.models import AuditEntry
from reelm.foundation.clock import now
from reelm.foundation.parts import Parts

Join = Callable[[str], TestClient]
DIGEST = "ab" * 32


@pytest.fixture
def olga(parts: Parts, join: Join) -> TestClient:
    """An officer."""
    return staff_of(parts, join("olga"), "olga", "officer")


@pytest.fixture
def omar(parts: Parts, join: Join) -> TestClient:
    """Another officer."""
    return staff_of(parts, join("omar"), "omar", "officer")


@pytest.fixture
def world(parts: Parts) -> tuple[Body, int]:
    """An authority and a video."""
    with parts.transaction() as session:
        return make_body(session), make_video(session, make_account(session, "asha"))


def _form(world: tuple[Body, int], **changed: str) -> dict[str, str]:
    body, video = world
    return {
        "authority": str(body.id),
        "kind": "remove",
        "reference": "MIN/7",
        "basis": "Demo Act, section 1",
        "reasons": "It endangers people.",
        "category": "general",
        "videos": str(video),
        "issued_at": f"{now() - timedelta(hours=2):%Y-%m-%dT%H:%M}",
        "received_at": f"{now() - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "document_digest": DIGEST,
        **changed,
    }


def _withheld(parts: Parts, video: int) -> bool:
    with parts.transaction() as session:
        return bool(regions.restrictions_on(session, [video]))


def _entered(client: TestClient, form: dict[str, str]) -> str:
    answer = client.post("/console/orders", data=form, follow_redirects=False)
    assert answer.status_code == 303, re.findall(r"data-error[^>]*>([^<]*)", answer.text)
    return answer.headers["location"]


def test_a_paper_order_holds_once_another_officer_has_the_same_document(
    parts: Parts, olga: TestClient, omar: TestClient, world: tuple[Body, int]
) -> None:
    _, video = world
    address = _entered(olga, _form(world))
    assert "Somebody else has to check" in olga.get(address).text
    assert not _withheld(parts, video)
    own = olga.post(f"{address}/check", data={"agrees": "yes", "document_digest": DIGEST})
    assert own.status_code == 403
    other = omar.post(f"{address}/check", data={"agrees": "yes", "document_digest": "cd" * 32})
    assert (other.status_code, "another than the one" in other.text) == (400, True)
    assert not _withheld(parts, video)
    done = omar.post(f"{address}/check", data={"agrees": "yes", "document_digest": DIGEST})
    assert done.status_code == 200
    assert _withheld(parts, video)
    for words in (
        *("In force", "Entered", "Checked", "It endangers people.", str(video), DIGEST),
        *("entered by @olga, checked by @omar", "by @omar</span>"),
    ):
        assert words in done.text, words
    again = omar.post(f"{address}/check", data={"agrees": "yes", "document_digest": DIGEST})
    assert again.status_code == 409


def test_who_checks_is_not_told_the_digest_of_the_document(
    parts: Parts, olga: TestClient, omar: TestClient, world: tuple[Body, int]
) -> None:
    """Nowhere before the check; nor after a refusal, as the same document may be entered anew."""
    address = _entered(olga, _form(world))
    for shown in (address, "/console/orders", "/console", "/console/orders?state=entered"):
        assert DIGEST not in omar.get(shown).text, shown
    assert DIGEST not in _logged(parts)
    wrong = omar.post(f"{address}/check", data={"agrees": "yes", "document_digest": "cd" * 32})
    assert DIGEST not in wrong.text
    assert DIGEST not in omar.post(f"{address}/check", data={"agrees": "no"}).text
    assert DIGEST not in _logged(parts)
    anew = _entered(olga, _form(world))
    assert (
        DIGEST in omar.post(f"{anew}/check", data={"agrees": "yes", "document_digest": DIGEST}).text
    )
    assert DIGEST in _logged(parts)


def test_a_check_outlives_the_purpose(
    parts: Parts, olga: TestClient, omar: TestClient, world: tuple[Body, int]
) -> None:
    address = _entered(olga, _form(world))
    with parts.transaction() as session:
        session.execute(text("UPDATE staff_purpose SET ends_at = now()"))
    agreed = {"agrees": "yes", "document_digest": DIGEST}
    asked = omar.post(f"{address}/check", data=agreed)
    assert asked.status_code == 403
    assert f'name="document_digest" value="{DIGEST}"' in asked.text
    assert not _withheld(parts, world[1])
    said = {"said_purpose": "handling orders", "said_note": ""}
    assert omar.post(f"{address}/check", data={**agreed, **said}).status_code == 200
    assert _withheld(parts, world[1])


def _logged(parts: Parts) -> str:
    """All that the log says, as anyone reads it."""
    with parts.transaction() as session:
        return str(session.scalars(select(AuditEntry.body)).all())


def test_a_lift_on_paper_ends_the_order(
    parts: Parts, olga: TestClient, omar: TestClient, world: tuple[Body, int]
) -> None:
    _, video = world
    address = _entered(olga, _form(world))
    omar.post(f"{address}/check", data={"agrees": "yes", "document_digest": DIGEST})
    link = re.search(r'href="(/console/orders/paper\?kind=lift[^"]*)"', olga.get(address).text)
    assert link is not None
    form_page = olga.get(link[1].replace("&amp;", "&")).text
    assert "MIN/7</textarea>" in form_page
    lift = _form(world, kind="lift", videos="", orders="MIN/7", reference="MIN/8")
    lift_address = _entered(olga, {**lift, "document_digest": "ef" * 32})
    agreed = {"agrees": "yes", "document_digest": "ef" * 32}
    assert omar.post(f"{lift_address}/check", data=agreed).status_code == 200
    assert not _withheld(parts, video)
    assert lift_address in olga.get(address).text
    assert "lifted" in olga.get("/console/orders?state=ended").text


def test_a_state_that_there_is_not_is_refused_with_those_there_are(olga: TestClient) -> None:
    page = olga.get("/console/orders?state=nope")
    assert (page.status_code, "state is none of complied, due, ended" in page.text) == (400, True)
    for state in ("", "lifted", "lapsed"):
        assert olga.get(f"/console/orders?state={state}").status_code == 200
    assert olga.get(f"/console/orders?state=&cursor={'9' * 19}").status_code == 200


def test_a_refused_paper_does_nothing(
    parts: Parts, olga: TestClient, omar: TestClient, world: tuple[Body, int]
) -> None:
    address = _entered(olga, _form(world))
    assert "refused" in omar.post(f"{address}/check", data={"agrees": "no"}).text
    assert not _withheld(parts, world[1])


def test_what_somebody_entered_who_is_no_officer_any_more_is_to_be_entered_anew(
    parts: Parts, olga: TestClient, omar: TestClient, world: tuple[Body, int]
) -> None:
    address = _entered(olga, _form(world))
    with parts.transaction() as session:
        accounts.set_role(session, handle="olga", role="moderator")
    agreed = omar.post(f"{address}/check", data={"agrees": "yes", "document_digest": DIGEST})
    assert (agreed.status_code, "another officer enter it anew" in agreed.text) == (409, True)
    assert not _withheld(parts, world[1])
    assert "refused" in omar.post(f"{address}/check", data={"agrees": "no"}).text
    assert _entered(omar, _form(world)) != address


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"document_digest": "short"}, "64 hex digits"),
        ({"issued_at": ""}, "date and time of the document"),
        ({"received_at": ""}, "Say when the document came"),
        ({"issued_at": "yesterday"}, "Issued at is a date"),
        ({"videos": "12"}, "no such target"),
        ({"videos": ""}, "has to name videos"),
        ({"countries": "India"}, "countries[0] has to be the two capital letters"),
        ({"countries": "IN, UK"}, "the United Kingdom is GB"),
        ({"authority": "9" * 19}, "too large"),
        ({"authority": "1"}, "no such authority"),
    ],
)
def test_a_wrong_paper_is_one_sentence_and_keeps_what_was_typed(
    olga: TestClient, world: tuple[Body, int], changed: dict[str, str], words: str
) -> None:
    page = olga.post("/console/orders", data=_form(world, **changed))
    assert page.status_code in {400, 404}
    assert words in page.text
    assert "It endangers people." in page.text


def test_a_signed_order_shows_its_keys_and_reading_it_is_logged(
    parts: Parts, olga: TestClient, world: tuple[Body, int]
) -> None:
    body, video = world
    with parts.transaction() as session:
        order_id = moderation.submit_order(
            session, parts, body.order("remove", targets=videos(video))
        ).order_id
        (key,) = regions.orders.authority(session, body.id).keys
    assert f"/console/orders/{order_id}" in olga.get("/console/orders?state=in_force").text
    assert key.key_id in olga.get(f"/console/orders/{order_id}").text
    (reading,) = olga.get("/api/staff/access-log").json()["readings"]
    assert (reading["what"], reading["subject_ids"]) == ("order", [str(order_id)])
    assert olga.get("/console/orders/7").status_code == 404


def test_a_confidential_order_has_its_history_and_the_log_only_a_commitment(
    parts: Parts, olga: TestClient, world: tuple[Body, int]
) -> None:
    body, video = world
    with parts.transaction() as session:
        secret = body.order("remove", targets=videos(video), confidential=True)
        order_id = moderation.submit_order(session, parts, secret).order_id
    page = olga.get(f"/console/orders/{order_id}").text
    assert "published as a commitment" in page
    assert "In force" in page
    # That it was read is in the access log, and nowhere in the open.
    (reading,) = olga.get("/api/staff/access-log?reader=olga").json()["readings"]
    assert (reading["subject_ids"], reading["is_published"]) == ([str(order_id)], False)
    assert "published as a commitment" in olga.get("/staff/access-log").text
    with parts.transaction() as session:
        kinds = session.scalars(select(AuditEntry.kind).where(AuditEntry.id > order_id)).all()
    assert "staff.read" not in kinds
    assert olga.get("/api/staff/access-log?cursor=1").json()["readings"] == []


def test_an_owner_keeps_authorities_and_an_officer_looks(
    parts: Parts, join: Join, olga: TestClient, world: tuple[Body, int]
) -> None:
    owner = staff_of(parts, join("boss"), "boss", "owner")
    form = {
        "name": "Demo Court",
        "power_order_content": "on",
        "power_supervise": "on",
        "keys": "11" * 32,
        "threshold": "1",
        "objections": "https://court.invalid",
        "country": "in",
        "recipient": "",
    }
    assert olga.post("/console/authorities", data=form).status_code == 403
    wrong = owner.post("/console/authorities", data={**form, "threshold": "4"})
    assert (wrong.status_code, "Demo Court" in wrong.text) == (400, True)
    done = owner.post("/console/authorities", data=form)
    assert (done.status_code, "Demo Court" in done.text) == (200, True)
    with parts.transaction() as session:
        court = regions.orders.authorities(session)[-1]
    assert (court.name, court.country, court.threshold) == ("Demo Court", "IN", 1)
    address = f"/console/authorities/{court.id}/keys"
    assert owner.post(address, data={"public_key": "nonsense"}).status_code == 400
    key = {"key_id": court.keys[0].key_id}
    assert olga.post(f"{address}/revocation", data=key).status_code == 403
    assert "revoked" in owner.post(f"{address}/revocation", data=key).text
    assert owner.post(f"{address}/revocation", data=key).status_code == 409
    address = f"/console/authorities/{court.id}/recipient"
    assert owner.post(address, data={"recipient": "age1nonsense"}).status_code == 400
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    assert olga.post(address, data={"recipient": recipient}).status_code == 403
    assert recipient in owner.post(address, data={"recipient": recipient}).text
    assert owner.post(address, data={"recipient": recipient}).status_code == 409
    assert "Register an authority" not in olga.get("/console/authorities").text


def test_an_owner_corrects_an_authority_and_ends_it(
    parts: Parts, join: Join, olga: TestClient, world: tuple[Body, int]
) -> None:
    body, _ = world
    owner = staff_of(parts, join("boss"), "boss", "owner")
    address = f"/console/authorities/{body.id}"
    facts = {
        "name": "Right Ministry",
        "power_order_content": "on",
        "threshold": "1",
        "objections": "Right Street 1",
        "country": "np",
    }
    assert olga.post(address, data=facts).status_code == 403
    wrong = owner.post(address, data={**facts, "objections": "javascript:alert(1)"})
    assert (wrong.status_code, "Right Ministry" in wrong.text) == (400, True)
    assert "mailto:, or is a place in plain words" in wrong.text
    assert "Right Street 1" in owner.post(address, data=facts).text
    with parts.transaction() as session:
        known = regions.orders.authority(session, body.id)
    assert (known.name, known.country, known.powers) == ("Right Ministry", "NP", ["order_content"])
    assert owner.post(address, data=facts).status_code == 409
    assert olga.post(f"{address}/end", data={"sure": "yes"}).status_code == 403
    assert "Tick the box" in owner.post(f"{address}/end", data={}).text
    assert "ended" in owner.post(f"{address}/end", data={"sure": "yes"}).text
    key = {"public_key": "22" * 32}
    assert owner.post(f"{address}/keys", data=key).status_code == 409


def test_the_console_warns_where_too_few_keys_are_left(parts: Parts, join: Join) -> None:
    with parts.transaction() as session:
        body = make_body(session, keys=2, threshold=2)
        keys = regions.orders.authority(session, body.id).keys
    owner = staff_of(parts, join("boss"), "boss", "owner")
    address = f"/console/authorities/{body.id}/keys/revocation"
    page = owner.post(address, data={"key_id": keys[0].key_id}).text
    assert "It has 1 key left and 2 have to sign" in page


def test_what_is_due_is_on_the_first_page(olga: TestClient, world: tuple[Body, int]) -> None:
    assert "No order waits" in olga.get("/console").text
    address = _entered(olga, _form(world))
    assert address in olga.get("/console").text
    assert address in olga.get("/console/orders").text


def test_the_file_of_a_disclosure_lists_its_packages_and_hands_them_over(
    parts: Parts, join: Join, olga: TestClient, run_jobs: Callable[[], None]
) -> None:
    account_id = int(join("bora").get("/api/me").json()["id"])
    with parts.transaction() as session:
        envelope = make_body(session).order("disclose", targets=people(account_id))
        order_id = moderation.submit_order(session, parts, envelope).order_id
    address = f"/console/orders/{order_id}"
    assert "being made" in olga.get(address).text
    run_jobs()
    assert re.search(r"[1-9][0-9]* KB, made", olga.get(address).text)
    action = re.search(r'action="(/api/staff/orders/[^"]+)"', olga.get(address).text)
    assert action is not None
    assert olga.post(action[1]).headers["content-type"] == "application/octet-stream"
    page = olga.get(address).text
    assert "handed over" in page
    assert "complied" in page


def test_people_of_an_authority_use_its_channel_and_nothing_else(
    parts: Parts, join: Join, world: tuple[Body, int]
) -> None:
    body, video = world
    vera = staff_of(parts, join("vera"), "vera", "authority")
    assert 'href="/console/channel"' in vera.get("/settings").text
    assert vera.get("/console").status_code == 403
    assert vera.post("/console/channel", data={"envelope": "{}"}).status_code == 400
    statement = body.statement("remove", targets=videos(video))
    envelope = body.sign(statement).decode()
    page = vera.post("/console/channel", data={"envelope": envelope})
    assert (page.status_code, "in force" in page.text) == (200, True)
    assert _withheld(parts, video)
    with parts.transaction() as session:
        (found,) = regions.orders.orders(session)
    looked_up = vera.get(f"/console/channel?digest={found.document_digest}")
    assert f"No. {found.id}" in looked_up.text
    assert vera.get(f"/console/channel?digest={'0' * 64}").status_code == 404
