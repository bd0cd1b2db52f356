"""The keys: where each was kept, and its end."""

from collections.abc import Iterator

from reelm.foundation.durable import sync
from reelm.proofs.certificate import Custody
from reelm.proofs.sale import Words
from reelm.transfer.wind_down.copies import OPERATOR_KEY
from reelm.transfer.wind_down.destroy import OVERWRITTEN, destroy_secret
from reelm.transfer.wind_down.journal import Journal
from reelm.transfer.wind_down.site import Site

KINDS: dict[str, Words] = {
    "region-key": "wraps every account's data key, and derives blind indexes (AES-256)",
    "region-key-next": "a region key, of a rotation that was cut off",
    "region-key-previous": "the region key before the last rotation",
    "postgres-superuser": "password of the embedded database's superuser",
    "database-owner": "password of the role that owns the tables",
    "database-app": "password of the role that served",
    "preservation.age": "age identity that opens copies made for orders to preserve",
    "preservation-recipient": "public half of the preservation key",
    OPERATOR_KEY: "the operator's signing key (Ed25519); it opens nothing",
}
KEPT_WHERE = (
    "a file in keys/ of the region home, mode 0600, not in a hardware module; a copy was in each"
    " backup; whoever was administrator of this machine could read it"
)
STAYS = "it signs this certificate and what has to be said of it later"
OUTSIDE = "it is no file of the region; revoke it where it was given out"


def note_keys(site: Site, journal: Journal) -> None:
    """Put every key on the list of custody, before any is destroyed."""
    known = {line.facts["name"] for line in journal.of("key_found")}
    for path in sorted(site.home.keys.iterdir()):
        if path.name not in known:
            kind = KINDS.get(path.name, "another secret in keys/")
            journal.append("key_found", name=path.name, kind=kind, kept=KEPT_WHERE)
    for name, kind in _outside(site):
        if name not in known:
            kept = "region.toml in the region home, or the environment of its processes"
            journal.append("key_found", name=name, kind=kind, kept=kept)


def destroy_keys(site: Site, journal: Journal) -> None:
    """Destroy every key file but the operator's own key; what is done is not done again."""
    done = {line.facts["name"] for line in journal.of("key_destroyed")}
    for path in sorted(site.home.keys.iterdir()):
        if path.name != OPERATOR_KEY:
            destroy_secret(path)
    sync(site.home.keys)
    for line in list(journal.of("key_found")):
        name = line.facts["name"]
        is_file = line.facts["kept"] == KEPT_WHERE
        if is_file and name not in done and not (site.home.keys / name).exists():
            journal.append("key_destroyed", name=name, method=OVERWRITTEN)


def custody(journal: Journal) -> list[Custody]:
    """Return what became of each key."""
    ended = {line.facts["name"]: line for line in journal.of("key_destroyed")}
    told = []
    for line in journal.of("key_found"):
        name = line.facts["name"]
        end = ended.get(name)
        reason = STAYS if name == OPERATOR_KEY else OUTSIDE
        told.append(
            Custody(
                **line.facts,
                outcome="kept" if end is None else "destroyed",
                method=reason if end is None else end.facts["method"],
                at=line.at if end is None else end.at,
            )
        )
    return told


def _outside(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the secrets that settings name; they are needed until the end, to reach the places."""
    if site.settings.database.url:
        yield "database.url", "password of the owner at the operator's own database server"
    if site.settings.storage.s3_secret_access_key:
        yield "storage.s3_secret_access_key", "access to the object store's bucket"
