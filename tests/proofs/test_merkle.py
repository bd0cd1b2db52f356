"""Roots and proofs are those of RFC 9162, and of another implementation of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from reelm.proofs.merkle import (
    EMPTY_ROOT,
    BadProof,
    Frontier,
    check_consistency,
    consistency_ranges,
    fold,
    inclusion_ranges,
    leaf_hash,
    root_by_inclusion,
    subtrees,
)

# The inputs and roots that the test suites of Certificate Transparency share.
INPUTS = [
    bytes.fromhex(data)
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def root_of(hashes):
    tree = Frontier()
    tree.extend(hashes)
    return tree.root()


def path_of(hashes, ranges):
    return [root_of(hashes[start:end]) for start, end in ranges]


def other(leaves):
    tree = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf)
    return tree


def subproof(first, leaves, *, is_whole):
    """RFC 9162, section 2.1.4.1, word for word; pymerkle's own proofs have another form."""
    size = len(leaves)
    if first == size:
        return [] if is_whole else [other(leaves).get_root()]
    split = 1 << ((size - 1).bit_length() - 1)
    left, right = leaves[:split], leaves[split:]
    if first <= split:
        return [*subproof(first, left, is_whole=is_whole), other(right).get_root()]
    return [*subproof(first - split, right, is_whole=False), other(left).get_root()]


@pytest.mark.parametrize("size", range(9))
def test_the_known_roots(size):
    assert root_of(map(leaf_hash, INPUTS[:size])).hex() == ROOTS[size]


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=140), st.data())
@settings(max_examples=80, deadline=None)
def test_roots_and_proofs_equal_those_of_pymerkle(leaves, data):
    tree, hashes = other(leaves), list(map(leaf_hash, leaves))
    size = data.draw(st.integers(1, len(leaves)))
    assert root_of(hashes[:size]) == tree.get_root(size)
    index = data.draw(st.integers(0, size - 1))
    path = path_of(hashes, inclusion_ranges(index, size))
    theirs = tree.prove_inclusion(index + 1, size)
    assert [node.hex() for node in path] == theirs.serialize()["path"][1:]
    assert root_by_inclusion(hashes[index], index, size, path) == tree.get_root(size)
    first = data.draw(st.integers(1, size))
    grown = path_of(hashes, consistency_ranges(first, size))
    check_consistency(first, tree.get_root(first), size, tree.get_root(size), grown)
    assert grown == subproof(first, leaves[:size], is_whole=True)


@given(st.integers(1, 90), st.data())
@settings(max_examples=150, deadline=None)
def test_a_path_that_was_changed_leads_elsewhere(size, data):
    hashes = [leaf_hash(bytes([number])) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path = path_of(hashes, inclusion_ranges(index, size))
    wrong = changed(path, data)
    assert refused(lambda: root_by_inclusion(hashes[index], index, size, wrong), root_of(hashes))
    first = data.draw(st.integers(1, size))
    wrong = changed(path_of(hashes, consistency_ranges(first, size)), data)
    with pytest.raises(BadProof):
        check_consistency(first, root_of(hashes[:first]), size, root_of(hashes), wrong)


def changed(path, data):
    way = data.draw(st.sampled_from(["longer", "shorter", "flipped"]))
    if way == "longer" or not path:
        return [*path, bytes(32)]
    at = data.draw(st.integers(0, len(path) - 1))
    if way == "shorter":
        return path[:at] + path[at + 1 :]
    return [*path[:at], bytes(32), *path[at + 1 :]]


def refused(compute, root):
    try:
        return compute() != root
    except BadProof:
        return True


@given(st.integers(0, 2**50), st.integers(0, 2**50))
def test_subtrees_cover_a_range_from_left_to_right(one, two):
    # Ranges of proofs begin where a tree at least as large as they are may begin.
    start = one - one % (1 << two.bit_length())
    at = start
    for level, index in subtrees(start, start + two):
        assert index << level == at
        at += 1 << level
    assert at == start + two


def test_the_empty_tree_begins_every_tree_and_has_one_root():
    check_consistency(0, EMPTY_ROOT, 3, bytes(32), [])
    with pytest.raises(BadProof, match="Two roots"):
        check_consistency(0, bytes(32), 3, bytes(32), [])
    with pytest.raises(BadProof, match="Two roots"):
        check_consistency(3, bytes(32), 3, EMPTY_ROOT, [])
    with pytest.raises(BadProof, match="too long"):
        check_consistency(3, EMPTY_ROOT, 3, EMPTY_ROOT, [bytes(32)])


@pytest.mark.parametrize(("index", "size"), [(3, 3), (-1, 3), (0, 0)])
def test_there_is_no_proof_of_what_is_not_there(index, size):
    with pytest.raises(BadProof, match="no leaf"):
        inclusion_ranges(index, size)
    with pytest.raises(BadProof, match="no leaf"):
        root_by_inclusion(bytes(32), index, size, [])


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3)])
def test_there_is_no_proof_that_a_log_shrinks(first, second):
    with pytest.raises(BadProof, match="no proof"):
        consistency_ranges(first, second)
    if first:
        with pytest.raises(BadProof, match="no proof"):
            check_consistency(first, bytes(32), second, bytes(32), [])


def test_a_tree_completes_its_nodes_once_and_in_order():
    tree, completed = Frontier(), {}
    hashes = [leaf_hash(bytes([number])) for number in range(37)]
    for hashed in hashes:
        for level, index, node in tree.append(hashed):
            assert (level, index) not in completed
            completed[level, index] = node
    for (level, index), node in completed.items():
        assert node == root_of(hashes[index << level : (index + 1) << level])
    assert len(completed) == sum(37 >> level for level in range(1, 6))
    wanted = [completed.get((level, index), hashes[index]) for level, index in subtrees(0, 37)]
    assert fold(wanted) == root_of(hashes)
