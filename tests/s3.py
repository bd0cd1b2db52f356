"""A real S3-compatible server in this process."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2 as httpx
from moto.server import ThreadedMotoServer

from reelm.foundation.config import StorageSettings


@contextmanager
def serving_s3() -> Iterator[str]:
    """Serve on a free port of loopback; yields the address of a bucket.

    All servers of a process have the same buckets, so each has one of its own.
    """
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        bucket = f"http://{host}:{port}/bucket-{secrets.token_hex(4)}"
        assert httpx.put(bucket).status_code == 200
        yield bucket
    finally:
        server.stop()


def s3_settings(bucket: str, **changes: str) -> StorageSettings:
    """Return how a region stores its objects in a bucket of this address."""
    endpoint, _, name = bucket.rpartition("/")
    fields = {
        "url": f"s3://{name}/region-7",
        "s3_endpoint": endpoint,
        "s3_access_key_id": "id",
        "s3_secret_access_key": "secret",
    }
    return StorageSettings(**(fields | changes))
