"""What to watch next, and what was watched."""

from reelm.feed import models

__all__ = ["models"]
