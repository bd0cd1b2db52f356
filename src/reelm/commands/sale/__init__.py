"""`reelm demo sale`: the whole sale of a region, between two made-up operators on this machine."""

from reelm.commands.sale.story import play

__all__ = ["play"]
