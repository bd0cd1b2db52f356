"""Staff for browser tests."""

import subprocess

from tests.accounts.factory import code_of
from tests.browser.house import PASSWORD, House, Visit
from tests.commands.served import REELM


def give_role(house: House, handle: str, role: str) -> None:
    """Give an account a role, as the operator does; it has to sign in again."""
    words = ["accounts", "staff", handle, "--role", role, "--region", str(house.served.home)]
    subprocess.run([*REELM, *words], check=True, capture_output=True)


def become_staff(house: House, member: Visit, role: str) -> str:
    """Make who is signed in staff with a second factor, through the API; return the secret."""
    handle = member.api("GET", "/api/me")["handle"]
    give_role(house, handle, role)
    member.sign_in(handle)
    secret: str = member.api("POST", "/api/me/second-factor", {"password": PASSWORD})["secret"]
    member.api("POST", "/api/me/second-factor/confirmation", {"code": code_of(secret)})
    return secret
