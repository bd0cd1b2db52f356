"""The log of signals: written by one appender, read again to make the ranker's state anew."""
