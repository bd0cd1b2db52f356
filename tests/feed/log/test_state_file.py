"""The file of a snapshot: gives back what was written, and runs nothing."""

import io
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reelm.feed.log.state_file import MAGIC, TYPES, read_state, write_state
from reelm.feed.ranker import State
from reelm.foundation.errors import Invalid


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("it ran",)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state"


def _write(path, state):
    with path.open("wb") as file:
        write_state(file, state)
    return path.read_bytes()


def _read(path):
    with path.open("rb") as file:
        return read_state(file)


def _equal(one, other):
    assert one.header == other.header
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        assert (array.dtype, array.shape) == (other.arrays[name].dtype, other.arrays[name].shape)
        assert array.tobytes() == other.arrays[name].tobytes()


@given(data=st.data())
def test_any_state_comes_back_as_it_was(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("state") / "state"
    kinds = st.sampled_from(sorted(TYPES))
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    names = st.text(max_size=5)
    arrays = data.draw(st.dictionaries(names, hnp.arrays(kinds, shapes), max_size=4))
    state = State({"version": 1, "tags": {"7": "ünï"}}, arrays)
    _write(path, state)
    _equal(_read(path), state)


def test_equal_states_make_equal_files(path):
    one = {"b": np.arange(6).reshape(2, 3).T, "a": np.zeros(0)}
    other = {"a": np.zeros(0), "b": np.ascontiguousarray(one["b"])}
    assert _write(path, State({"x": 1, "y": 2}, one)) == _write(
        path, State({"y": 2, "x": 1}, other)
    )


def test_big_endian_numbers_are_written_little(path):
    _write(path, State({}, {"a": np.array([1, 2], ">i4")}))
    assert _read(path).arrays["a"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "array",
    [
        np.array([Bomb()], object),
        np.array(["text"]),
        np.array([(1, 2.0)], "i4,f4"),
        np.array([1j]),
        np.array(["2026"], "M8[D]"),
    ],
)
def test_nothing_but_plain_numbers_is_written(path, array):
    with pytest.raises(TypeError):
        _write(path, State({}, {"a": array}))


def _npz(arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def _with_head(head: bytes, rest: bytes = b"") -> bytes:
    return MAGIC + len(head).to_bytes(8, "little") + head + rest


@pytest.mark.parametrize(
    "planted",
    [
        pickle.dumps(Bomb()),
        _npz({"a": np.arange(3)}),
        _npy(np.array([Bomb()], object)),
        b"",
        MAGIC,
        MAGIC + b"\xff" * 8,
        _with_head(b"not json"),
        _with_head(b"[]"),
        _with_head(b"[" * 100_000),
        _with_head(b'{"header":{}}'),
        _with_head(b'{"header":{},"arrays":[["a","|O",[1]]]}', pickle.dumps(Bomb())),
        _with_head(b'{"header":{},"arrays":[["a","O8",[1]]]}', pickle.dumps(Bomb())),
        _with_head(b'{"header":{},"arrays":[["a",["<i4","x"],[1]]]}'),
        _with_head(b'{"header":{},"arrays":[["a","<i4",[-1]]]}'),
        _with_head(b'{"header":{},"arrays":[["a","<i4",[true]]]}', b"1234"),
        _with_head(b'{"header":{},"arrays":[["a","<i4",[1099511627776]]]}'),
        _with_head(b'{"header":{},"arrays":[["a","<i4",[1]]]}', b"12345"),
    ],
)
def test_what_is_planted_is_refused_and_not_run(path, capsys, planted):
    path.write_bytes(planted)
    with pytest.raises(Invalid, match="no snapshot"):
        _read(path)
    assert "it ran" not in capsys.readouterr().out


def test_a_file_cut_off_anywhere_is_refused(path):
    whole = _write(path, State({"version": 1}, {"a": np.arange(3), "b": np.ones((2, 2))}))
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(Invalid):
            _read(path)
