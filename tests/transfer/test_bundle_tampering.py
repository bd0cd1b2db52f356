"""Whatever is changed in a bundle is refused, with the table, row or object named."""

import hashlib
import shutil
import struct
from dataclasses import replace
from typing import Any

import msgspec
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.transfer.attack import change_rows, opened, put_object, rewritten, to
from tests.transfer.bundle_factory import FFMPEG, copied_to, files_of, fill, sealed, sold

from reelm.accounts import Wrapping
from reelm.foundation.errors import Invalid, ReelmError
from reelm.proofs.closing import read_closing, sign_closing
from reelm.transfer.bundle import differing_row, import_, open_bundle, seal, verify
from reelm.transfer.bundle.contents import MODEL, Slice, Stored
from reelm.transfer.bundle.files import FileFact, read_frames, write_encrypted
from reelm.transfer.bundle.objects import file_name

MANY = settings(
    suppress_health_check=list(HealthCheck), deadline=None, max_examples=30, database=None
)


@pytest.fixture
def made(owner, parts, tmp_path):
    """A sealed bundle."""
    fill(owner, parts, rows=6, seed=2)
    made = sold(owner, parts, tmp_path / "bundle", has_model=True)
    sealed(made, parts)
    return made


def verified(made):
    return verify(made.folder, made.identity, made.expected)


def test_a_bundle_as_it_was_sealed_verifies(made):
    assert verified(made).manifest.scope_digest == made.expected.scope_digest


def test_one_flipped_byte_is_refused_whichever_it_is(made):
    files = list(files_of(made.folder))

    @MANY
    @given(st.integers(0, 10**9), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
    def flip(number, where, mask):
        path = files[number % len(files)]
        data = bytearray(path.read_bytes())
        data[int(where * len(data))] ^= mask
        good = path.read_bytes()
        path.write_bytes(data)
        try:
            with pytest.raises(ReelmError) as refused:
                verified(made)
        finally:
            path.write_bytes(good)
        # The file is named, or what it holds: a table by its folder, an object by its digest.
        assert path.stem in str(refused.value) or path.parent.name in str(refused.value)

    flip()
    verified(made)


def test_no_file_of_a_bundle_goes_unread(made):
    for path in files_of(made.folder):
        good = path.read_bytes()
        path.write_bytes(bytes([good[0] ^ 1]) + good[1:])
        with pytest.raises(ReelmError):
            verified(made)
        path.write_bytes(good)


def changes(chosen):
    """Ways to change the rows of a table of several rows."""
    return {
        "drop": lambda lines: lines[1:],
        "add": lambda lines: [*lines, lines[0]],
        "swap": lambda lines: [lines[1], lines[0], *lines[2:]],
        "change": lambda lines: [lines[0].replace(b"\n", b"1\n"), *lines[1:]],
        "trade": lambda lines: trade(lines, chosen),
        "empty": lambda lines: [],
        "cut": lambda lines: [b"".join(lines)[:-1]],
    }


def trade(lines, column):
    """Let two rows trade one field."""
    one, other = lines[0][:-1].split(b"\t"), lines[1][:-1].split(b"\t")
    differing = [i for i in range(len(one)) if one[i] != other[i]]
    at = differing[column % len(differing)]
    one[at], other[at] = other[at], one[at]
    return [b"\t".join(one) + b"\n", b"\t".join(other) + b"\n", *lines[2:]]


def test_rows_that_the_seller_did_not_seal_are_refused_and_their_table_named(made, tmp_path):
    manifest = read_closing(opened(made)[2], made.expected.seller_key)
    tables = [one.name for one in manifest.tables if one.rows >= 2 and not one.sliced_by]
    assert len(tables) > 25

    @MANY
    @given(st.sampled_from(tables), st.sampled_from(sorted(changes(0))), st.integers(0, 30))
    def tamper(table, how, chosen):
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        bad = replace(made, folder=copied_to(made, tmp_path / "copy"))
        change_rows(bad, table, changes(chosen)[how])
        with pytest.raises(Invalid, match=table):
            verified(bad)

    tamper()


def test_a_row_that_differs_is_named_where_both_sides_can_be_read(made, owner, parts):
    def first_bio(lines):
        fields = lines[2].split(b"\t")
        fields[3] = b"not what they wrote"
        return [*lines[:2], b"\t".join(fields), *lines[3:]]

    with psycopg.connect(owner) as connection:
        rows = connection.execute("SELECT id FROM account ORDER BY id").fetchall()
        change_rows(made, "account", first_bio)
        bundle = open_bundle(made.folder, made.identity, made.expected)
        wrapping = Wrapping(parts.region_key)
        known = {wrapping.version: wrapping}
        assert differing_row(bundle, connection, "account", known) == f"id {rows[2][0]}"
        assert differing_row(bundle, connection, "account_key", known) is None


def test_a_changed_account_key_is_refused(made):
    def other_key(lines):
        fields = lines[0].split(b"\t")
        fields[1] = b"\\\\x" + b"ab" * 32
        return [b"\t".join(fields), *lines[1:]]

    change_rows(made, "account_key", other_key)
    with pytest.raises(Invalid, match="account_key"):
        verified(made)


def test_a_lost_added_or_swapped_object_is_named(made, tmp_path):
    paths = sorted((made.folder / "objects").rglob("*.age"))
    one, other = paths[0], paths[-1]
    good = one.read_bytes()
    one.unlink()
    with pytest.raises(Invalid, match=one.stem):
        verified(made)
    one.write_bytes(other.read_bytes())
    with pytest.raises(Invalid, match=one.stem):
        verified(made)
    put_object(made, one.stem, b"other bytes")
    with pytest.raises(Invalid, match=one.stem):
        verified(made)
    one.write_bytes(good)
    verified(made)
    extra = hashlib.sha256(b"more").hexdigest()
    put_object(made, extra, b"more")
    with pytest.raises(Invalid, match=extra):
        verified(made)


def test_a_lost_other_or_added_model_is_named(made):
    _, contents, envelope = opened(made)
    path = made.folder / MODEL
    good = path.read_bytes()
    path.unlink()
    with pytest.raises(Invalid, match=f"{MODEL} of the bundle is missing"):
        verified(made)
    other = write_encrypted(made.folder, MODEL, [b"other bytes"], to(made))
    with pytest.raises(Invalid, match=f"{MODEL} of the bundle"):
        verified(made)
    rewritten(made, msgspec.structs.replace(contents, model=other))
    with pytest.raises(Invalid, match=f"{MODEL} of the bundle holds another model"):
        verified(made)
    rewritten(made, msgspec.structs.replace(contents, model=None))
    with pytest.raises(Invalid, match=f"{MODEL} of the bundle is missing, and"):
        verified(made)
    elsewhere = write_encrypted(made.folder, "other.age", [b"other bytes"], to(made))
    rewritten(made, msgspec.structs.replace(contents, model=elsewhere))
    with pytest.raises(Invalid, match="another file than"):
        verified(made)
    (made.folder / "other.age").unlink()
    manifest = read_closing(envelope, made.expected.seller_key)
    path.write_bytes(good)
    stays = sign_closing(msgspec.structs.replace(manifest, assets=[FFMPEG]), made.keys.operator)
    rewritten(made, contents, stays)
    with pytest.raises(Invalid, match="the model stays behind"):
        verified(made)
    rewritten(made, msgspec.structs.replace(contents, model=None), stays)
    with pytest.raises(Invalid, match=f"does not name: {MODEL}"):
        verified(made)
    rewritten(made, contents, envelope)
    verified(made)


def test_an_altered_manifest_is_refused(made):
    _, contents, envelope = opened(made)
    manifest = read_closing(envelope, made.expected.seller_key)
    fewer = msgspec.structs.replace(manifest, excluded=manifest.excluded[1:])
    rewritten(made, contents, sign_closing(fewer, Ed25519PrivateKey.generate()))
    with pytest.raises(Invalid, match="not signed by the seller's key"):
        verified(made)
    read = msgspec.json.decode(envelope)
    other = msgspec.json.decode(sign_closing(fewer, Ed25519PrivateKey.generate()))
    rewritten(made, contents, msgspec.json.encode({**read, "payload": other["payload"]}))
    with pytest.raises(Invalid, match="not signed by the seller's key"):
        verified(made)


def test_what_the_seller_signs_is_still_checked_against_the_buyers_own_tables(made):
    _, contents, envelope = opened(made)
    manifest = read_closing(envelope, made.expected.seller_key)
    changes: list[tuple[dict[str, Any], str]] = [
        ({"tables": manifest.tables[1:]}, manifest.tables[0].name),
        *(
            ({"excluded": [one for one in manifest.excluded if one is not left]}, left.name)
            for left in manifest.excluded
            if left.place in {"column", "object prefix"} or left.name == "session"
        ),
        ({"epoch": manifest.epoch + 1}, "another region or epoch"),
        (
            {"tables": [msgspec.structs.replace(one, columns=["x"]) for one in manifest.tables]},
            "other columns",
        ),
    ]
    for changed, words in changes:
        bad = msgspec.structs.replace(manifest, **changed)
        rewritten(made, contents, sign_closing(bad, made.keys.operator))
        with pytest.raises(Invalid, match=words):
            verified(made)


def test_a_bundle_of_an_older_scope_is_refused(made, parts, tmp_path):
    older = replace(
        made, folder=tmp_path / "older", notes=tmp_path / "older-notes",
        sale=replace(made.sale, scope_digest="0d" * 32),
    )  # fmt: skip
    sealed(older, parts)
    with pytest.raises(Invalid, match="scope 0d0d"):
        verified(older)
    # Nor does the new manifest take the old bundle's rows.
    _, old, _ = opened(older)
    rewritten(older, old, opened(made)[2])
    with pytest.raises(Invalid, match="another scope"):
        verified(older)
    rewritten(older, msgspec.structs.replace(old, scope_digest="5c" * 32), opened(made)[2])
    with pytest.raises(Invalid, match="secret of the bundle"):
        verified(older)


@pytest.mark.parametrize(
    "name", ["../outside.age", "/etc/passwd", "tables/../../x.age", "a/b/c/d.age"]
)
def test_no_path_leaves_the_folder(made, name):
    _, contents, envelope = opened(made)
    stored = Stored(None, [Slice("", [FileFact(name, 1, "00")])])
    tables = {**contents.tables, "account": stored}
    rewritten(made, msgspec.structs.replace(contents, tables=tables), envelope)
    with pytest.raises(Invalid, match="No bundle holds a file named"):
        verified(made)


def test_a_link_in_a_bundle_is_refused(made, tmp_path):
    path = next((made.folder / "tables" / "account").iterdir())
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Invalid, match="is a link"):
        verified(made)


def test_a_file_that_nothing_names_is_refused(made):
    (made.folder / "tables" / "more.sql").write_text("DROP TABLE account")
    with pytest.raises(Invalid, match=r"tables/more\.sql"):
        verified(made)


@pytest.mark.parametrize("head", [(20, 1 << 30), (1 << 30, 20), (20, 0), (20, 100)])
def test_a_frame_never_gives_more_than_it_may(made, tmp_path, head):
    packed = struct.pack(">II", *head) + bytes(20)
    fact = write_encrypted(tmp_path, "bomb.age", [packed], to(made))
    taken = list[bytes]()
    with pytest.raises(Invalid, match="frame"):
        read_frames(tmp_path, fact, made.identity, taken.append)
    assert taken == []


def test_a_bundle_that_changes_after_it_was_verified_leaves_nothing_behind(made, buyer):
    bundle = verified(made)
    path = next((made.folder / "tables" / "video").glob("all*"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(Invalid, match="tables/video/"):
        import_(bundle, buyer.owner, buyer.store, buyer.region_key, buyer.home.work)
    with psycopg.connect(buyer.owner) as connection:
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (0,)


def test_an_object_that_changed_in_the_store_is_not_sealed(made, parts, tmp_path):
    key = next(one.key for one in parts.store.list("renditions") if one.size_bytes > 1)
    (parts.home.objects / key).write_bytes(b"rotten")
    shutil.rmtree(made.folder)
    with pytest.raises(Invalid, match=key):
        seal(made.owner, parts.store, made.folder, made.notes, made.sale, made.keys)
    assert not (made.folder / file_name(key.rsplit("/", 1)[-1])).exists()
    assert not (made.folder / "bundle.json").exists()
