"""After a whole move: the seller is wound down, and the buyer has it on record."""

from contextlib import contextmanager

import msgspec
from tests.transfer.factory import public
from tests.transfer.wind_down.factory import DECLARED

from reelm import transfer
from reelm.foundation import ids
from reelm.foundation.envelope import add_signatures
from reelm.proofs import certificate as form
from reelm.proofs.certified import verify_certificate
from reelm.transfer import wind_down as room
from reelm.transfer.current import newest_transfer


def site_of(moving, owner: str) -> room.Site:
    @contextmanager
    def connect():
        yield owner

    settings = moving.seller.settings
    database = msgspec.structs.replace(settings.database, url=owner)
    http = msgspec.structs.replace(settings.http, port=1)
    return room.Site(
        home=moving.seller.home,
        settings=msgspec.structs.replace(settings, database=database, http=http),
        store=moving.seller.store,
        connect=connect,
        exchange=moving.exchange.folder,
        sale=room.read_sale(moving.exchange.folder),
    )


def test_the_seller_is_wound_down_and_the_buyer_records_it(moving, owner, tmp_path):
    moving.cut_over()
    declared = tmp_path / "copies.toml"
    declared.write_text(DECLARED + DECLARED.replace("staff-devices", "database-wal"))
    moving.seller.database.close()
    moving.serving.database.close()
    site = site_of(moving, owner)
    state = room.wind_down(site, room.read_declared(declared))
    assert state.is_done, state
    assert not moving.exchange.bundle.exists()
    path = room.write_certificate(site.home, site.sale, moving.exchange.folder)
    keys = [moving.buyer.home.operator_key(), *moving.sale.host.keys]
    text = add_signatures(path.read_bytes(), form.PAYLOAD_TYPE, keys)
    authorities = [public(key) for key in moving.sale.host.keys]
    cutover = moving.exchange.cutover.read_bytes()
    assert verify_certificate(text, site.sale.scope, cutover, authorities)
    ids.use(ids.Snowflakes(region=7, process=2))  # the buyer's process is another
    with moving.buyer.transaction() as session:
        known = newest_transfer(session)
        assert known is not None
        room.record_certificate(session, known, text)
        assert transfer.status(session).state == "wound_down"
