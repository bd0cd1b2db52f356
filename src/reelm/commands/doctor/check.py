"""One check: what was looked at, how it is, and how to mend it."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
import psycopg
from sqlalchemy.exc import SQLAlchemyError

from reelm.foundation.errors import ReelmError


class Check(msgspec.Struct, frozen=True):
    """The outcome of one check; `mend` says what to do unless all is well."""

    name: str
    state: Literal["ok", "warn", "fail"]
    sentence: str
    mend: str = ""


def ok(name: str, sentence: str) -> Check:
    """All is well."""
    return Check(name, "ok", sentence)


def warn(name: str, sentence: str, mend: str) -> Check:
    """It works, and should be looked at."""
    return Check(name, "warn", sentence, mend)


def fail(name: str, sentence: str, mend: str) -> Check:
    """Something is wrong."""
    return Check(name, "fail", sentence, mend)


def guarded(name: str, mend: str, look: Callable[..., Check], *arguments: Any) -> Check:
    """Make a check; where it cannot even look, that is the fault to name."""
    try:
        return look(*arguments)
    except (ReelmError, OSError, psycopg.Error, SQLAlchemyError) as error:
        return fail(name, reason(error), mend)


def reason(error: Exception) -> str:
    """Return an exception as one sentence."""
    if isinstance(error, ReelmError):
        return error.sentence
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [repr(error)]
    return f"{type(error).__name__}: {lines[0]}"
