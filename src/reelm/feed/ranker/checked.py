"""Make a ranker of a state that comes from elsewhere, and trust nothing in it.

What it must be is what a ranker of this release saves: so it is loaded into one, saved again, and
compared. What could lead outside of a table is looked at by itself, for negative rows are rows to
numpy.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from reelm.feed.ranker.digest import digest_of
from reelm.feed.ranker.ranker import Ranker
from reelm.feed.ranker.rows import NONE, Array
from reelm.feed.ranker.seen import ROW_BITS
from reelm.feed.ranker.sizes import Sizes
from reelm.feed.ranker.values import State
from reelm.feed.signals import SURFACES

# Which table the rows in an array are of; NONE stands for no row.
ROWS_OF: Mapping[str, str] = {
    "videos.creator": "creators",
    "videos.sound": "sounds",
    "videos.tags": "tags",
    "videos.neighbours": "neighbours",
    "viewers.watched": "videos",
    "viewers.long": "videos",
    "neighbours.beside": "videos",
    "vectors.recent": "videos",
    "pending.viewer": "viewers",
    "pending.video": "videos",
    "seen.viewers": "viewers",
}
SURFACES_IN = ("pending.surface", "viewers.last_surface")
# Far more than a region counts in a thousand years, and far from where numbers of 64 bits end.
MOST_COUNTED = 1 << 53
TABLES = ("videos", "creators", "tags", "sounds", "viewers", "neighbours")


def checked(state: State, most: Sizes) -> Ranker:
    """Return a ranker of a state from elsewhere.

    Args:
        state: the state; what its header has beside the ranker's own is passed over.
        most: larger tables than these are refused before memory is taken for them.

    Raises:
        ValueError: says what is wrong.
    """
    try:
        sizes = _sizes(state.header.get("sizes"), most)
        _check_counts(state.header)
        _check_values(state.arrays)
        ranker = Ranker(sizes)
        ranker.load(state.header, state.arrays)
        saved = ranker.state()
        own = {name: state.header.get(name) for name in saved.header}
        if digest_of(State(own, state.arrays)) != digest_of(saved):
            raise ValueError("It is not of the form in which a ranker of this release saves.")
        for table in TABLES:
            _check_table(table, saved)
        _check_rows(saved)
    except (KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"It is not whole: {error}.") from error
    return ranker


def _sizes(given: Any, most: Sizes) -> Sizes:
    names = Sizes.__dataclass_fields__
    if not isinstance(given, dict) or set(given) != set(names):
        raise ValueError("It does not say its sizes.")
    for name in names:
        if type(given[name]) is not int or not 1 <= given[name] <= getattr(most, name):
            raise ValueError(
                f"Its table of {name} has no size between 1 and {getattr(most, name)}."
            )
    return Sizes(**given)


def _check_counts(header: Mapping[str, Any]) -> None:
    for name, number in _numbers({name: header[name] for name in header if name != "sizes"}):
        if not 0 <= number <= MOST_COUNTED:
            raise ValueError(f"Its count {name} is out of bounds.")


def _numbers(part: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    for name, value in part.items():
        # The state of a generator of chance has numbers of 128 bits; what it hides are texts' ids.
        if name in ("random", "hidden"):
            continue
        if isinstance(value, dict):
            yield from _numbers(value, f"{above}{name}.")
        elif isinstance(value, int | float):
            yield above + name, value


def _check_table(name: str, saved: State) -> None:
    top, free = saved.header[name]["top"], saved.header[name]["free"]
    ids = saved.arrays[f"{name}.ids"]
    used = ids[ids != 0]
    capacity = saved.header["sizes"][name]
    if top > capacity:
        raise ValueError(f"Its table of {name} has more rows than its size.")
    unused = np.flatnonzero(ids == 0).tolist()
    if sorted(free) != unused or len(np.unique(used)) != len(used):
        raise ValueError(f"Its table of {name} has a row that is free and used, or used twice.")


def _check_values(arrays: Mapping[str, Array]) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"Its array {name} holds something that is no number.")
        if array.dtype == np.bool_ and (array.view(np.uint8) > 1).any():
            raise ValueError(f"Its array {name} holds something else than yes and no.")


def _check_rows(saved: State) -> None:
    for name, table in ROWS_OF.items():
        _check_within(name, saved.arrays[name], NONE, saved.header[table]["top"])
    for name in SURFACES_IN:
        _check_within(name, saved.arrays[name], NONE, SURFACES)
    _check_within("seen.viewers", saved.arrays["seen.viewers"], 0, saved.header["viewers"]["top"])
    _check_within(
        "seen.lengths", saved.arrays["seen.lengths"], 0, len(saved.arrays["seen.entries"]) + 1
    )
    rows = saved.arrays["seen.entries"].astype(np.int64) & ((1 << ROW_BITS) - 1)
    _check_within("seen.entries", rows, 0, saved.header["videos"]["top"])
    viewers = saved.header["viewers"]
    for row in viewers["hidden"]:
        if not 0 <= int(row) < viewers["top"]:
            raise ValueError("It hides something from a viewer who is not there.")


def _check_within(name: str, array: Array, least: int, end: int) -> None:
    if array.size and not (least <= int(array.min()) and int(array.max()) < end):
        raise ValueError(f"Its array {name} names rows that are not there.")
