"""What binds the service and protects people is at the buyer as it was, compared one by one."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pyrage
import pytest
from tests.transfer.shows.browser import COUNTRY
from tests.transfer.shows.whole_move import Move

from reelm import accounts
from reelm.accounts.models import Account, AccountKey, ErasedAccount
from reelm.accounts.preservation_key import IDENTITY
from reelm.foundation.clock import utc_text
from reelm.foundation.parts import Parts
from reelm.regions import orders

INSIDE, OUTSIDE = {COUNTRY: "IN"}, {COUNTRY: "FR"}


def got(move: Move, address: str, who: str = "", **headers: str) -> Any:
    """Ask the buyer's region."""
    move.village.client.cookies.clear()
    if who:
        move.village.as_(who)
    return move.village.client.request("GET", address, headers=headers)


def order(parts: Parts, number: int) -> orders.ListedOrder:
    with parts.transaction() as session:
        return orders.order(session, number)


GIVEN = (
    "remove", "restrict", "interim", "suspend", "preserve", "preserve going", "disclose", "secret",
    "to lift", "lift", "untold", "late", "late disclose", "after the seal",
)  # fmt: skip


@pytest.mark.parametrize("name", GIVEN)
def test_an_order_is_as_it_was_with_its_deadlines(move: Move, name: str) -> None:
    after = move.noted["orders"][name]
    with move.seller.owner.transaction() as session:
        assert orders.order(session, move.law.orders[name].id) == after
    statement = move.law.orders[name].statement
    assert (after.due_at is not None) == ("complies_by" in statement)
    assert (after.lapses_at is not None) == ("lapses_at" in statement)
    assert after.is_signed


def test_what_an_order_withholds_is_withheld_there_with_its_link(move: Move) -> None:
    withheld = {
        f"/api/videos/{move.village.videos['ordered']}": 200,
        f"/api/videos/{move.village.videos['cleo']}": 200,
        f"/media/{move.village.videos['ordered']}/source.mp4": 200,
        "/api/accounts/ben": 200,
        "/api/accounts/frozen_out": 451,
    }
    for address, outside in withheld.items():
        inside = got(move, address, **INSIDE)
        assert (inside.status_code, inside.headers["link"]) == (451, '</region>; rel="blocked-by"')
        assert inside.json()["withheld_by"][0]["authority"] == "Demo Ministry"
        assert got(move, address, **OUTSIDE).status_code == outside, address


def test_what_the_staff_withheld_stays_withheld(move: Move) -> None:
    decided = f"/api/videos/{move.village.videos['decided']}"
    assert got(move, decided, **INSIDE).status_code == 410
    assert got(move, decided, **OUTSIDE).status_code == 200
    assert got(move, "/api/accounts/banned").status_code == 410


def test_a_suspended_account_does_nothing_that_others_see(move: Move) -> None:
    said = {"body": "I am here."}
    for handle, status in (("frozen_out", 451), ("banned", 410)):
        move.village.as_(handle)
        address = f"/api/videos/{move.village.videos['ana']}/comments"
        assert move.village.client.request("POST", address, said).status_code == status


def test_a_block_is_a_block(move: Move) -> None:
    assert got(move, "/api/accounts/priya", "ben").status_code == 404
    assert got(move, f"/api/videos/{move.village.videos['priya']}", "ben").status_code == 404


def test_a_private_account_is_private(move: Move) -> None:
    address = f"/api/videos/{move.village.videos['shy']}"
    assert got(move, address).status_code == got(move, address, "v33").status_code == 404
    assert got(move, address, "ana").status_code == 200
    assert got(move, f"/api/videos/{move.village.videos['mine']}", "ben").status_code == 404


@pytest.mark.parametrize(
    ("handle", "field"),
    [("dara", "is_profiled"), ("paused", "history_paused")],
)
def test_an_opt_out_holds(move: Move, handle: str, field: str) -> None:
    told = got(move, "/api/feed/settings", handle).json()
    assert told[field] is (field == "history_paused")
    if field == "is_profiled":
        assert got(move, "/api/feed", handle).json()["is_profiled"] is False


def test_what_somebody_hid_stays_hidden(move: Move) -> None:
    assert {one["kind"] for one in got(move, "/api/feed/hidden", "ben").json()["hidden"]} == set()
    hidden = got(move, "/api/feed/hidden", "priya").json()["hidden"]
    assert {one["kind"] for one in hidden} == {"video", "hashtag"}


def test_a_revoked_key_signs_nothing(move: Move) -> None:
    body = move.law.revoked
    targets = {"targets": {"videos": [str(move.village.videos["ana"])]}}
    envelope = body.sign(body.statement("remove", **targets), body.keys[:1])
    answer = move.village.client.request("POST", "/api/orders", envelope)
    assert answer.status_code == 400
    with move.buyer.owner.transaction() as session:
        known = orders.authority(session, body.id)
    assert [key.revoked_at is None for key in known.keys].count(True) == 1


def test_an_erased_account_stays_erased_and_its_handle_is_taken(move: Move) -> None:
    number = move.village.people["gone"].id
    with move.buyer.owner.transaction() as session:
        assert session.get(ErasedAccount, number) is not None
        assert session.get(Account, number) is None
        assert session.get(AccountKey, number) is None
    assert move.village.sign_in("gone").status_code == 401
    terms = got(move, "/api/region").json()["terms_version"]
    form = {"handle": "gone", "password": "somebody else's words", "birth_date": "1990-05-17"}
    again = move.village.client.request("POST", "/api/accounts", {**form, "terms_version": terms})
    assert again.status_code == 409


def test_an_erasure_that_waits_for_its_copy_goes_on_at_the_buyer(move: Move) -> None:
    number, about = move.village.people["going"].id, move.law.orders["preserve going"].id
    with move.buyer.owner.transaction() as session:
        erased = session.get_one(ErasedAccount, number).erased_at
    assert number in move.noted["held"]
    with move.seller.owner.transaction() as session:
        assert session.get_one(ErasedAccount, number).erased_at == erased
    move.village.run_jobs()
    with move.buyer.owner.transaction() as session:
        assert session.get(Account, number) is None
        assert session.get(AccountKey, number) is None
        assert session.get_one(ErasedAccount, number).erased_at == erased
        kept = accounts.preserved_copies(session, about)
    assert [one.occasion for one in kept] == ["erasure"]


def test_what_waited_for_a_job_is_done_by_the_buyers(move: Move) -> None:
    move.village.run_jobs()
    shown = got(move, "/api/me/videos", "v29").json()
    assert [one["state"] for one in shown["videos"]] == ["ready"]
    about = move.law.orders["untold"].id
    told = [(one["about"], one["about_id"], one["what"]) for one in notices(move, "v34")]
    assert told.count(("order", str(about), "in_force")) == 1
    # Who was told before is not told again.
    about = move.law.orders["restrict"].id
    to_ben = [one["about_id"] for one in notices(move, "ben") if one["about"] == "order"]
    assert to_ben.count(str(about)) == 1


def notices(move: Move, handle: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = got(move, "/api/me/notices", handle).json()["notices"]
    return found


def test_what_was_preserved_opens_with_the_key_that_was_kept_elsewhere(
    move: Move, tmp_path: Path
) -> None:
    identity = move.seller.home.keys / IDENTITY
    copy = accounts.open_preserved(
        move.buyer.owner, move.law.orders["preserve"].id, identity=identity, out=tmp_path / "copy"
    )
    with zipfile.ZipFile(tmp_path / "copy") as archive:
        about = json.loads(archive.read("order.json"))
    assert about["reference"] == move.law.orders["preserve"].reference
    assert copy.account_id == move.village.people["ben"].id


@pytest.mark.parametrize("name", ["late", "after the seal", "between"])
def test_an_order_in_the_freeze_is_in_force_where_the_region_went(move: Move, name: str) -> None:
    (account_id,) = move.law.orders[name].statement["targets"]["accounts"]
    (handle,) = [who for who, one in move.village.people.items() if str(one.id) == account_id]
    assert move.from_far(f"/api/accounts/{handle}").status_code == 451
    assert got(move, f"/api/accounts/{handle}").status_code == 200
    after = order(move.buyer.owner, move.law.orders[name].id)
    assert after.due_at is not None
    assert after.in_force_at is not None
    # In time: it is in force before what the authority itself has set.
    assert utc_text(after.due_at) == move.law.orders[name].statement["complies_by"]
    assert after.in_force_at < after.due_at


def test_an_order_in_the_freeze_was_in_force_at_once(move: Move) -> None:
    assert move.noted["late at once"] == 451


def test_an_order_after_the_seal_has_the_region_sealed_again(move: Move) -> None:
    assert "was written after the seal" in move.noted["refused cutover"]


def test_between_the_signatures_nobody_takes_an_order_and_the_buyer_takes_it_then(
    move: Move,
) -> None:
    refused = move.noted["between"]
    assert refused.status_code == 503
    assert "gone to another operator" in refused.json()["detail"]
    taken = move.noted["given again"]
    assert (taken.status_code, taken.json()["state"]) == (201, "in_force")


def test_nobody_of_the_former_staff_has_a_role_at_the_buyer(move: Move) -> None:
    assert move.noted["staff"] == 0


def test_a_disclosure_that_is_due_is_handed_out_by_the_buyers_officer(move: Move) -> None:
    move.village.run_jobs()
    move.village.come_in("officer")
    for name in ("disclose", "late disclose"):
        number = move.law.orders[name].id
        told = move.village.do("GET", f"staff/orders/{number}/disclosure")
        assert told["due_at"] == move.law.orders[name].statement["complies_by"]
        (package,) = told["packages"]
        address = f"/api/staff/orders/{number}/disclosure/{package['account_id']}"
        file = move.village.client.request("POST", address)
        assert file.status_code == 200
        plain = pyrage.decrypt(file.content, [move.law.body.identity])
        assert zipfile.ZipFile(io.BytesIO(plain)).testzip() is None
        after = order(move.buyer.owner, number)
        assert (after.state, after.is_overdue) == ("complied", False)
