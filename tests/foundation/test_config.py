"""Settings: from file and environment, each checked with a clear error."""

from pathlib import Path

import pytest

from reelm.foundation.config import describe, load
from reelm.foundation.errors import BadSetting
from reelm.foundation.home import Home


def write(home: Home, more: str) -> Path:
    path = home.path / "region.toml"
    path.write_text(path.read_text() + more)
    return home.path


def test_the_environment_wins_over_the_file(home: Home) -> None:
    path = write(home, "[http]\nport = 9000\n")
    assert load(path, {}).http.port == 9000
    assert load(path, {"REELM_HTTP_PORT": "9001"}).http.port == 9001
    proxies = load(path, {"REELM_HTTP_TRUSTED_PROXIES": "10.0.0.1, ::1"}).http.trusted_proxies
    assert proxies == ["10.0.0.1", "::1"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("[http]\nport = 70000\n", ("http.port", "65535")),
        ("[http]\nprot = 1\n", ("prot",)),
        ("[htp]\n", ("htp",)),
        ("[http]\nport = 'x'\n", ("http.port",)),
        ("[database]\nurl = 'mysql://x'\n", ("postgresql://",)),
        ("data_country = 'UK'\n", ("region.data_country", "GB")),
        ("[storage]\nurl = 'ftp://x'\n", ("s3://",)),
        ("nonsense", ("TOML",)),
    ],
)
def test_a_wrong_setting_is_named(home: Home, more: str, words: tuple[str, ...]) -> None:
    with pytest.raises(BadSetting) as error:
        load(write(home, more), {})
    assert all(word in error.value.sentence for word in words)


def test_a_wrong_variable_is_named(home: Home) -> None:
    with pytest.raises(BadSetting, match="REELM_HTTP_PORT"):
        load(home.path, {"REELM_HTTP_PORT": "many"})


def test_a_folder_without_a_region_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="reelm init"):
        load(tmp_path, {})


def test_every_setting_has_a_meaning(home: Home) -> None:
    rows = list(describe())
    assert len(rows) > 15
    assert all(meaning for *_, meaning in rows)
