"""The operator's own PostgreSQL: dropped by its owner; what its server keeps has to be declared."""

from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.transfer.factory import public
from tests.transfer.vectors import BUYER
from tests.transfer.wind_down.factory import (
    DECLARED,
    Seller,
    certificate_of,
    cutover_of,
    down,
    scope_of,
)

from reelm import app
from reelm.foundation.strict_json import canonical


def url_of(owner: str) -> str:
    known = conninfo_to_dict(owner)
    return (
        f"postgresql://{known['user']}:{quote(str(known['password']))}@/{known['dbname']}"
        f"?host={quote(str(known['host']), safe='')}&port={known.get('port', 5432)}"
    )


@pytest.fixture
def seller(home, owner, tmp_path, monkeypatch) -> Seller:
    """A seller whose database is on a server of its own."""
    monkeypatch.setenv("REELM_DATABASE_URL", url_of(owner))
    with app.open_region(home.path):
        pass
    made = Seller(home.path, tmp_path / "sale", tmp_path / "saved")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("UPDATE tenure SET ended_at = now()")
    made.exchange.mkdir()
    scope = scope_of(made.operator_key)
    assert scope.seller.public_key == public(made.operator_key)
    (made.exchange / "scope.json").write_bytes(canonical(scope))
    (made.exchange / "cutover.dsse").write_bytes(cutover_of(scope, made.operator_key, BUYER))
    made.declared.write_text(DECLARED)
    return made


def test_the_database_and_its_roles_are_dropped(seller, owner, postgres):
    role = f"{conninfo_to_dict(owner)['dbname']}_app_1"
    lacking = down(seller)
    assert lacking.status == 1
    assert "database-wal: declare what became of it" in lacking.out
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(owner)
    with psycopg.connect(postgres) as connection:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    assert found is None
    seller.declared.write_text(DECLARED + DECLARED.replace("staff-devices", "database-wal"))
    ran = down(seller)
    assert ran.status == 0, ran.out + ran.err
    stated = certificate_of(seller)
    (database,) = [copy for copy in stated.register if copy.name == "database"]
    assert "DROP DATABASE" in database.method
    assert "password" not in database.place.lower()
    (wal,) = [copy for copy in stated.register if copy.name == "database-wal"]
    assert wal.attested_by == "Head of operations"
    (url,) = [key for key in stated.custody if key.name == "database.url"]
    assert url.outcome == "kept"
