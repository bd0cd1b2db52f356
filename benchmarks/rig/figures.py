"""Median, spread and the one line of JSON that a benchmark ends with."""

import json
import os
import statistics
import sys
from collections.abc import Sequence
from typing import Any


def summary(values: Sequence[float], digits: int = 3) -> dict[str, Any]:
    """Return median, smallest, largest and how many."""
    return {
        "median": round(statistics.median(values), digits),
        "least": round(min(values), digits),
        "most": round(max(values), digits),
        "runs": len(values),
    }


def finish(name: str, figures: dict[str, Any]) -> None:
    """Print the result, with the load that the machine had besides."""
    load = round(os.getloadavg()[0], 1)
    sys.stdout.write(json.dumps({"benchmark": name, **figures, "load_at_end": load}) + "\n")


def say(sentence: str) -> None:
    """Tell the person who waits."""
    sys.stderr.write(f"{sentence}\n")
