"""`reelm transfer`: the seller's region, and the desk of any side, which needs none."""
