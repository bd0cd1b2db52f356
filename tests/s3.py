"""A real S3-compatible server in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2 as httpx
from moto.server import ThreadedMotoServer

BUCKET = "bucket"


@contextmanager
def serving_s3() -> Iterator[str]:
    """Serve on a free port of loopback, with one bucket; yields the address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        assert httpx.put(f"{address}/{BUCKET}").status_code == 200
        yield address
    finally:
        server.stop()
