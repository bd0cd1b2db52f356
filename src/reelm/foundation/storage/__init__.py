"""The object store: immutable, content-addressed objects (SHA-256) by way of obstore."""

from reelm.foundation.storage.store import ObjectStore, StoredObject, open_store

__all__ = ["ObjectStore", "StoredObject", "open_store"]
