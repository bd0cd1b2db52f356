"""Shows that can fail: what a region promises, tried on the real program with planted leaks."""
