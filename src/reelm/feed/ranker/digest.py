"""The digest of a state."""

import hashlib
import json

import numpy as np

from reelm.feed.ranker.values import State


def digest_of(state: State) -> str:
    """Return the SHA-256 over header and arrays, in hex."""
    digest = hashlib.sha256(json.dumps(state.header, sort_keys=True).encode())
    for name in sorted(state.arrays):
        array = np.ascontiguousarray(state.arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()
