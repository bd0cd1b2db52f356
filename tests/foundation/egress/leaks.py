"""One planted leak for each language: programs that bring a byte to a host and port.

Each prints LEAKED once the other side has taken the connection; a refusal is its error.
"""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reelm.foundation.egress.confined import Order, confined
from reelm.videos.sandbox import ffmpeg_path

PYTHON = """
import socket
socket.create_connection((host, port), timeout=20).sendall(b"x")
print("LEAKED")
"""
LIBPQ = """
import psycopg
try:
    psycopg.connect(host=host, port=port, dbname="x", user="x", password="x", connect_timeout=10)
except psycopg.OperationalError as error:
    # The other side is no database: it hangs up once it has taken the connection.
    print("LEAKED" if "closed the connection" in str(error) or "SSL" in str(error) else error)
"""
OBSTORE = """
import obstore
from obstore.store import HTTPStore
store = HTTPStore(f"http://{host}:{port}", client_options={"allow_http": True},
    retry_config={"max_retries": 0})
try:
    obstore.get(store, "x")
except Exception as error:
    said = repr(error)
    print("LEAKED" if "tcp connect error" not in said and "permitted" not in said else said)
"""
CTYPES = """
import ctypes, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
made = libc.socket(2, 1, 0)
to = struct.pack("=H", 2) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)
if made < 0 or libc.connect(made, to, len(to)) != 0:
    raise OSError(ctypes.get_errno(), "libc")
print("LEAKED")
"""
FFMPEG = """
import subprocess
argv = [ffmpeg, "-nostdin", "-hide_banner", "-i", f"http://{host}:{port}/x.mp4", "-f", "null", "-"]
said = subprocess.run(argv, capture_output=True, text=True).stderr
print(said if "not permitted" in said else "LEAKED")
"""
LANGUAGES = {
    "python": PYTHON,
    "libpq": LIBPQ,
    "obstore": OBSTORE,
    "ctypes": CTYPES,
    "ffmpeg": FFMPEG,
}
# Layer a, as web and worker begin it, with nothing named by settings.
HOOK = """
from reelm.foundation.egress import hook
hook.install((), lambda kind, to: print("hook refused", kind, to))
"""


def leak(code: str, port: int, order: Order | None, *, host: str = "127.0.0.1") -> str:
    """Run a program under an order, or freely; return all that it said."""
    given = f"host, port, ffmpeg = {json.dumps(host)}, {port}, {ffmpeg_path()!r}\n"
    argv = [sys.executable, "-c", given + code]
    ran = subprocess.run(
        confined(argv, order) if order is not None else argv,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout + ran.stderr


@contextmanager
def outsider() -> Iterator[int]:
    """Stand in for a host elsewhere: takes each connection and hangs up; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken, _ = server.accept()
                    taken.settimeout(5)
                    with taken, suppress(OSError):
                        taken.recv(100)

        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
