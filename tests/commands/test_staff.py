import re

from tests.commands.factory import owner_of, reelm

CODE = re.compile(r"^  ([a-z2-7]{4}(?:-[a-z2-7]{4}){3})$", re.MULTILINE)


def role_of(region, handle):
    with owner_of(region) as connection:
        query = "SELECT role FROM account WHERE handle = %s"
        row = connection.execute(query, [handle]).fetchone()
    return row and row[0]


def test_the_first_staff_account_is_made_with_recovery_codes(region):
    ran = reelm("accounts", "staff", "@boss", "--region", region)
    assert ran.status == 0, ran.err
    assert role_of(region, "boss") == "owner"
    assert len(set(CODE.findall(ran.out))) == 10
    assert "/recover" in ran.out
    again = reelm("accounts", "staff", "boss", "--region", region)
    assert CODE.findall(again.out) == []


def test_a_role_is_changed_and_taken_away(region):
    reelm("accounts", "staff", "chief", "--region", region)
    reelm("accounts", "staff", "helga", "--region", region, "--role", "moderator")
    assert role_of(region, "helga") == "moderator"
    ran = reelm("accounts", "staff", "helga", "--region", region, "--role", "none")
    assert "staff no more" in ran.out
    assert role_of(region, "helga") is None


def test_a_wrong_role_or_handle_is_one_sentence(region):
    role = reelm("accounts", "staff", "helga", "--region", region, "--role", "king")
    assert role.status == 2
    assert "moderator" in role.err
    nobody = reelm("accounts", "reset", "nobody", "--region", region)
    assert nobody.status == 2
    assert nobody.err.startswith("reelm: ")


def test_a_locked_out_person_gets_codes_and_no_password_is_shown(region):
    reelm("accounts", "staff", "lost", "--region", region, "--role", "analyst")
    ran = reelm("accounts", "reset", "lost", "--region", region)
    assert ran.status == 0, ran.err
    assert len(set(CODE.findall(ran.out))) == 10
    assert "password and all sessions of @lost have ended" in ran.out
