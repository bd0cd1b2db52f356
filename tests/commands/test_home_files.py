"""What commands and a server leave in a region home is declared, as the data map names it."""

from pathlib import Path

from tests.commands.served import serving

from reelm.foundation.classes import Place, declared


def undeclared(home: Path) -> set[str]:
    return {path.name for path in home.iterdir()} - declared(Place.FILES).keys()


def test_every_entry_of_a_served_home_is_declared(tmp_path: Path) -> None:
    with serving(tmp_path / "region") as served:
        assert undeclared(served.home) == set()
    (served.home / "strays").touch()
    assert undeclared(served.home) == {"strays"}
