"""The log: lines on standard error that can hold nothing but declared fields.

A line is a constant with named fields, so an undeclared field is refused when its module is
loaded; called with the values it gives what `logging` writes:

    RENEWED = Line("the id lease was not renewed: {error}")
    log.warning(RENEWED(error=error))

Anything else is not written as it is: of another text (a library's, or one put together in
place) the logger's name alone, of an error its kind and where it was raised, as messages of
errors may repeat what somebody typed.
"""

import logging
import string
import sys
import traceback
from typing import Any

from reelm.foundation.classes import (
    DataClass,
    Erasure,
    Place,
    Residency,
    Transfer,
    declare,
    refuse_undeclared,
)
from reelm.foundation.errors import ReelmError

_LINES = DataClass(
    Residency.REGION,
    Transfer.EXCLUDE,
    Erasure.EXPIRE,
    "Written to standard error; whatever starts `reelm serve` keeps or drops it.",
)
for _name, _holds in {
    "process": "web, worker or notice",
    "level": "how grave it is",
    "logger": "the module that says it",
    "trace": "files and lines of this program and its libraries, and the kinds of errors",
    "error": "our own sentence, the first line of the driver's, or the kind of the error",
    "method": "of a request",
    "route": "of a request, as the template that all like it share",
    "channel": "a channel of the database's notifications",
    "job": "number of a job",
    "task": "kind of a job",
    "seq": "number of a signal in the log of signals",
    "first": "a day",
    "last": "a day",
    "count": "how many",
    "videos": "how many videos",
    "days": "how many days",
    "seconds": "how long it took",
}.items():
    declare(Place.LOG_FIELD, _name, _holds, _LINES)


class Said(str):
    """The text of one line with its declared fields filled in."""

    __slots__ = ()


class Line:
    """One kind of line: a text with {fields}.

    Raises:
        Unavailable: nobody declared a field.
    """

    def __init__(self, template: str) -> None:
        fields = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
        refuse_undeclared(Place.LOG_FIELD, *fields)
        self.template = template

    def __call__(self, **fields: object) -> Said:
        """Return the line with these values."""
        return Said(self.template.format(**{name: _plain(it) for name, it in fields.items()}))


def begin(process: str) -> None:
    """Write warnings and worse of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(DeclaredFormatter(process))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class DeclaredFormatter(logging.Formatter):
    """Writes the declared fields of a record, and says where it left a text out."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        said = record.msg
        if not isinstance(said, Said):
            said = f"{record.name}: (a text without declared fields was left out)"
        line = f"{self.process}: {record.levelname} {said}"
        error = record.exc_info[1] if record.exc_info else None
        return f"{line}\n{trace(error)}" if error is not None else line


def trace(error: BaseException) -> str:
    """Return where an error and its causes were raised, without their messages."""
    lines = []
    seen: BaseException | None = error
    while seen is not None:
        lines += [line.rstrip("\n") for line in traceback.format_tb(seen.__traceback__)]
        lines.append(_kind(seen))
        seen = seen.__cause__
    return "\n".join(lines)


def _plain(value: object) -> Any:
    """Return a value as it may be written: of an error what names the reason and no value."""
    if not isinstance(value, BaseException):
        return value
    if isinstance(value, ReelmError):
        cause = value.__cause__
        words = _driver_words(getattr(cause, "orig", cause))
        return f"{value.sentence} ({words})" if words else value.sentence
    return _driver_words(getattr(value, "orig", value)) or _kind(value)


def _driver_words(error: object) -> str:
    # A driver's first line names the reason; the lines after it repeat rows.
    if isinstance(error, OSError):
        return error.strerror or _kind(error)
    if type(error).__module__.startswith("psycopg"):
        return next(iter(str(error).strip().splitlines()), "")
    return ""


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"
