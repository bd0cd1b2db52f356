"""What the commands of the audit log print, and how far they are."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from reelm.foundation.errors import Invalid
from reelm.proofs.note import Note

STANDARD = "-"


def say(line: str) -> None:
    """Print a line of the command's output."""
    sys.stdout.write(f"{line}\n")


def as_json(value: object) -> None:
    """Print JSON, for programs."""
    say(msgspec.json.encode(value).decode())


def read_note(path: Path) -> Note:
    """Read a signed note from a file, or from standard input where it is `-`.

    Raises:
        Invalid: there is no note in it.
    """
    try:
        text = sys.stdin.read() if str(path) == STANDARD else path.read_text("utf-8")
        return Note.parse(text)
    except UnicodeDecodeError:
        raise Invalid(f"{path} is no signed note: it is not UTF-8.") from None
    except Invalid as error:
        raise Invalid(f"{path}: {error.sentence}") from None


def write(text: str, target: Path | None) -> None:
    """Write to a file, or print where none is given."""
    if target is None:
        sys.stdout.write(text)
    else:
        target.write_text(text, "utf-8")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far it is, on a terminal; what is yielded is called with done and total."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
