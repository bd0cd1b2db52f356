"""The longer commands of `reelm`, one file each; cli.py declares them."""
