"""docs/operate.md documents every command and every setting."""

from pathlib import Path

import typer.main
from typer.core import TyperGroup

from reelm.cli import cli
from reelm.foundation.config import describe

PAGE = (Path(__file__).parents[2] / "docs/operate.md").read_text("utf-8")


def commands(group: TyperGroup, prefix: str) -> list[str]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            found += commands(command, f"{prefix} {name}")
        else:
            found.append(f"{prefix} {name}")
    return found


def test_every_command_has_a_row():
    group = typer.main.get_command(cli)
    assert isinstance(group, TyperGroup)
    named = commands(group, "reelm")
    assert len(named) > 8
    assert [name for name in named if f"\n| `{name}` | " not in PAGE] == []


def test_the_table_of_settings_is_the_one_of_this_release():
    rows = [
        f"| `{name}` | `{variable}` | `{default}` | {meaning} |"
        for name, variable, default, meaning in describe()
    ]
    table = PAGE[PAGE.index("| setting | variable |") :].splitlines()[2:]
    assert table == rows
