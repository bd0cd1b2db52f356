"""`reelm audit`: the region's side, the verifier's, and the witness's, in a file each."""
