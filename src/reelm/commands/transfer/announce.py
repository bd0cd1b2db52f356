"""`reelm transfer announce`: tell everybody of the sale."""

from datetime import datetime

import msgspec
import typer

from reelm import transfer
from reelm.foundation.clock import utc_text
from reelm.foundation.parts import Parts


def announce(
    parts: Parts, freeze_from: datetime | None, notice_days: int | None, *, as_json: bool
) -> None:
    """Announce the open sale, and say what people are told."""
    with parts.transaction() as session:
        told = transfer.announce(session, parts, freeze_from=freeze_from, notice_days=notice_days)
        news = transfer.news(session)
    if as_json:
        fields = {**msgspec.to_builtins(told.announcement), "is_new": told.is_new}
        typer.echo(msgspec.json.encode(fields).decode())
        return
    is_new = "The sale is announced" if told.is_new else "The sale was announced before"
    at = utc_text(told.announcement.freeze_from)
    typer.echo(f"{is_new}: nothing is frozen before {at}. Each page and each account is told:\n")
    if news is not None:
        typer.echo(transfer.words(news))
