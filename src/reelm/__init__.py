"""Reelm: a short-video platform that a country can keep at home."""

__version__ = "0.1.0"
