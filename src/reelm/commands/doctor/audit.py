"""The audit log: whether each entry is in the tree, and the tree is the one that was signed."""

from reelm import audit
from reelm.commands.doctor.check import Check, fail, ok, warn
from reelm.commands.serve import is_served
from reelm.foundation.database import Database
from reelm.foundation.home import Home
from reelm.regions.audit_log import signer_in

NAME = "audit log"
# The worker takes entries in within a second; so many wait only where it does not.
MANY = 1000
LOOK = "`reelm audit check` says what is wrong; keep the database as it is, and a copy of it."


def check_audit(home: Home, owner: str) -> Check:
    """Nothing that was recorded is missing, and what was signed is still so."""
    database = Database(owner, pool_size=1)
    try:
        with database.transaction() as session:
            found = audit.check_tables(session, signer_in(session, home))
    finally:
        database.close()
    if found.outside:
        told = f"Entries were recorded and are not in the tree, such as {found.outside[0]}."
        return fail(NAME, told, LOOK)
    if found.wrong:
        return fail(NAME, found.wrong[0], LOOK)
    sentence = f"{found.size} entries are signed for, {found.pending} wait."
    if found.pending > MANY and is_served(home):
        return warn(NAME, sentence, "Look at what `reelm serve` prints about the audit log.")
    return ok(NAME, sentence)
