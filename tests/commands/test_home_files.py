"""What commands and a server leave in a region home is declared, as the data map names it."""

from pathlib import Path

from tests.commands.served import Served

from reelm.foundation.classes import Place, declared


def undeclared(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()} - declared(Place.FILES).keys()


def test_every_entry_of_a_served_home_is_declared(served: Served) -> None:
    assert undeclared(served.home) == set()


def test_a_stray_entry_is_seen(tmp_path: Path) -> None:
    (tmp_path / "strays").touch()
    assert undeclared(tmp_path) == {"strays"}
