"""Merkle trees, signed notes and the offline verifier of the audit log: no database, no network.

Whoever checks a region needs none of the region's own parts, so nothing here imports them.
"""
