"""The three layers of egress: tried here, and as the running processes found them themselves."""

import subprocess
import sys
from collections.abc import Iterator

from reelm.commands.doctor.check import Check, fail, ok, warn
from reelm.commands.serve import is_served
from reelm.foundation.config import Settings
from reelm.foundation.egress.confined import confined
from reelm.foundation.egress.named import peers
from reelm.foundation.egress.outside import needs_rules, try_outside
from reelm.foundation.egress.serving import serving_order
from reelm.foundation.home import Home
from reelm.regions.egress import active_layers

KERNEL = "Run Reelm on a kernel with seccomp filters, outside of a sandbox that keeps them out."
RULES = "Load what `reelm egress rules` prints; docs/egress.md says how."
# Names each family of which a socket could be made.
TRY = """
import socket
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_PACKET):
    try:
        socket.socket(family, socket.SOCK_DGRAM).close()
        print("open", family.name)
    except PermissionError:
        pass
    except OSError as error:
        print("open", family.name, error)
"""


def check_egress(home: Home, settings: Settings) -> Iterator[Check]:
    """Yield one check for each layer."""
    layers = active_layers(home.path, settings)
    served = is_served(home)
    for layer in layers[:2]:
        name = f"egress {layer.letter}"
        fault = _filter_fault(settings) if layer.letter == "b" else ""
        if fault:
            yield fail(name, fault, KERNEL)
        elif layer.state == "on" or not served:
            yield ok(name, layer.sentence)
        else:
            yield warn(name, layer.sentence, RULES)
    yield _check_outside(settings)


def _filter_fault(settings: Settings) -> str:
    """Try the lock of web and worker in a child; return what it let through."""
    if peers(settings):
        return ""  # clients of another host: sockets are theirs, which ones is for layer c
    argv = confined([sys.executable, "-I", "-S", "-c", TRY], serving_order(settings))
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        return f"Web and worker cannot be locked here: {ran.stderr.strip()}."
    open_ = [line.split()[1] for line in ran.stdout.splitlines()]
    return f"A locked process could make a socket: {', '.join(open_)}." if open_ else ""


def _check_outside(settings: Settings) -> Check:
    name = "egress c"
    named = peers(settings)
    if not named:
        return ok(name, "Not needed: database and store are on this machine.")
    if not needs_rules(named):
        sentence = "Database or store are reached over loopback, and no rule was tried."
        return warn(name, sentence, RULES)
    outcome = try_outside()
    if outcome == "refused":
        return ok(name, "A packet to an address that must fail was refused.")
    if outcome == "no route":
        return warn(name, "There is no route to try the rules with.", RULES)
    return fail(name, "A packet to an address that must fail has left this machine.", RULES)
