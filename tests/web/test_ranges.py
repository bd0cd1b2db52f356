"""Byte ranges, against a plain reading of RFC 9110."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelm.web.ranges import ByteRange, Unsatisfiable, parse_range


def test_no_header_and_unknown_units_are_the_whole_file() -> None:
    assert parse_range(None, 10) is None
    assert parse_range("seconds=1-2", 10) is None
    assert parse_range("nonsense", 10) is None


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 20))
def test_a_range_is_the_bytes_it_names(first: int, last: int, size: int) -> None:
    data = bytes(range(size))
    try:
        found = parse_range(f"bytes={first}-{last}", size)
    except Unsatisfiable:
        assert first > last or first >= size
        return
    assert found is not None
    assert data[found.start : found.end + 1] == data[first : last + 1]
    assert found.length == len(data[first : last + 1])


@given(st.integers(0, 30), st.integers(1, 20))
def test_open_and_suffix_ranges(number: int, size: int) -> None:
    data = bytes(range(size))
    if number < size:
        assert parse_range(f"bytes={number}-", size) == ByteRange(number, size - 1)
    else:
        with pytest.raises(Unsatisfiable):
            parse_range(f"bytes={number}-", size)
    if number == 0:
        with pytest.raises(Unsatisfiable):
            parse_range("bytes=-0", size)
    else:
        found = parse_range(f"bytes=-{number}", size)
        assert found is not None
        assert data[found.start :] == data[-number:]


def test_an_end_however_far_is_the_end_of_the_file() -> None:
    assert parse_range("bytes=0-" + "9" * 30, 10) == ByteRange(0, 9)
    assert parse_range("bytes=-" + "9" * 30, 10) == ByteRange(0, 9)


def test_of_several_ranges_only_the_first_counts() -> None:
    assert parse_range("bytes=2-3, 5-6, 0-", 10) == ByteRange(2, 3)
    with pytest.raises(Unsatisfiable):
        parse_range("bytes=50-60, 0-1", 10)


@given(st.text(max_size=40))
def test_no_header_can_crash_it(header: str) -> None:
    try:
        found = parse_range("bytes=" + header, 100)
    except Unsatisfiable:
        return
    assert found is None or 0 <= found.start <= found.end < 100
