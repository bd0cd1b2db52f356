"""`reelm accounts staff` and `reelm accounts reset`."""

import typer

from reelm import accounts
from reelm.foundation.parts import Parts

ONCE = "They are shown this once: hand them over on paper or in person."


def set_role(parts: Parts, handle: str, role: str) -> None:
    """Give an account a role, or take it away with `none`; print what to do next."""
    handle = handle.removeprefix("@")
    if role == "none":
        with parts.transaction() as session:
            accounts.set_role(session, handle=handle, role=None)
        typer.echo(f"@{handle} is staff no more and has to sign in again.")
        return
    with parts.transaction() as session:
        made = accounts.make_staff(session, parts, handle=handle, role=role)
    typer.echo(f"@{handle} is {role} now. Whoever was signed in to it has to sign in again.")
    if made.is_new:
        typer.echo("The account is new. Set its password with one of these recovery codes.")
        print_codes(parts, made.recovery_codes)


def reset(parts: Parts, handle: str) -> None:
    """Take password, second factor and sessions off an account; print new recovery codes."""
    handle = handle.removeprefix("@")
    with parts.transaction() as session:
        codes = accounts.reset_account(session, handle)
    typer.echo(f"The password and all sessions of @{handle} have ended, and any second factor.")
    typer.echo("The person sets a new password with one of these recovery codes.")
    print_codes(parts, codes)


def print_codes(parts: Parts, codes: list[str]) -> None:
    """Print recovery codes, once, and where they are used."""
    typer.echo(ONCE + "\n")
    for code in codes:
        typer.echo(f"  {code}")
    http = parts.settings.http
    public = http.public_url.rstrip("/") or f"http://{http.address}:{http.port}"
    typer.echo(f"\nThe page for it, while the region is served: {public}/recover")
