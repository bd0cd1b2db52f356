"""Each attack on an exported log is named by the verifier, with the first entry it is about."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.proofs.factory import NEXT, OPERATOR, STRANGER, WITNESS, Log, a_log, faults

from reelm.proofs.exported import end_line, header_line
from reelm.proofs.note import COSIGNATURE, Note, VerifierKey, public_bytes
from reelm.proofs.verify import Expected, verify_export

KEY = VerifierKey("witness.example", COSIGNATURE, public_bytes(WITNESS))


def first_fault(lines, **expected):
    fault = verify_export(lines, Expected(**expected)).first
    return (fault.name, fault.index) if fault else None


def at(lines, index):
    """Where in the file the entry of this index stands: header and checkpoints stand between."""
    entries = [n for n, line in enumerate(lines) if line.startswith(b'{"at"')]
    return entries[index]


def test_a_sound_log_is_sound():
    log = a_log()
    log.cosign()
    report = verify_export(log.lines(), Expected(log.origin, [KEY], [Note.parse(log.signed[0][1])]))
    assert report.faults == []
    assert (report.size, report.checkpoints, report.key) == (12, 3, public_bytes(OPERATOR).hex())
    assert report.kinds == {"accounts.reset": 12}
    assert report.witnessed["witness.example"].size == 12


def test_an_empty_log_is_sound():
    assert faults(Log().lines()) == []


def test_it_needs_no_database():
    code = (
        "import sys, reelm.proofs.verify, reelm.proofs.witness, reelm.proofs.proof_file;"
        "print([name for name in ('sqlalchemy', 'psycopg') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


# What is done to the file, where the hashes of the leaves are still those that were signed.


def test_an_edited_entry_is_named():
    lines = a_log().lines()
    place = at(lines, 5)
    lines[place] = lines[place].replace(b"1005", b"1006", 1)
    assert first_fault(lines) == ("edited", 5)


def test_a_deleted_entry_is_named():
    lines = a_log().lines()
    del lines[at(lines, 5)]
    assert first_fault(lines) == ("missing", 5)


def test_a_deleted_last_entry_under_a_checkpoint_is_named():
    lines = a_log().lines()
    del lines[at(lines, 11)]
    assert first_fault(lines) == ("missing", 11)


def test_an_inserted_entry_is_named():
    log, other = a_log(), a_log(13, 13)
    lines = log.lines()
    lines.insert(at(lines, 6), other.leaves[12] + b"\n")
    assert first_fault(lines) == ("inserted", 6)


def test_an_entry_that_stands_twice_is_named():
    lines = a_log().lines()
    lines.insert(at(lines, 6), lines[at(lines, 5)])
    assert first_fault(lines) == ("duplicated", 6)


def test_an_entry_that_stands_twice_far_apart_is_named():
    lines = a_log().lines()
    lines.insert(at(lines, 9), lines[at(lines, 1)])
    assert first_fault(lines) == ("duplicated", 9)


def test_entries_in_another_order_are_named():
    lines = a_log().lines()
    one, two = at(lines, 5), at(lines, 7)
    lines[one], lines[two] = lines[two], lines[one]
    assert first_fault(lines) == ("reordered", 5)


def test_after_one_wrong_entry_the_next_checkpoints_are_still_checked():
    lines = a_log().lines()
    for index in (1, 9):
        lines[at(lines, index)] = lines[at(lines, index)].replace(b"reset", b"erase", 1)
    report = verify_export(lines)
    assert [(fault.name, fault.index) for fault in report.faults] == [("edited", 1), ("edited", 9)]


# What is done to the file by somebody who does the same to the hashes.


@pytest.mark.parametrize(("way", "name"), [("edit", "edited"), ("delete", "missing")])
def test_without_the_hashes_the_first_entry_after_the_last_good_checkpoint_is_named(way, name):
    lines = a_log().lines(hashes=False)
    place = at(lines, 6)
    lines[place : place + 1] = [lines[place].replace(b"1006", b"9", 1)] * (way == "edit")
    assert first_fault(lines) == (name, 4)


def test_without_the_hashes_an_entry_too_many_is_named():
    lines = a_log().lines(hashes=False)
    lines.insert(at(lines, 6), lines[at(lines, 1)])
    assert first_fault(lines) == ("inserted", 4)


def test_a_file_that_was_cut_off_is_named():
    lines = a_log().lines()
    assert first_fault(lines[:-1]) == ("truncated", 12)
    assert first_fault(lines[: at(lines, 8)]) == ("truncated", 8)
    assert first_fault([*lines[:-1], lines[-1][:5]])[0] == "truncated"
    assert first_fault([*lines, lines[3]])[0] == "truncated"


def test_entries_that_no_checkpoint_covers_are_named():
    log = a_log()
    log.add()
    assert first_fault(log.lines()) == ("unsigned", 12)


def test_what_is_no_export_is_named():
    assert first_fault([]) == ("not_an_export", None)
    assert first_fault([b"{}\n"]) == ("not_an_export", None)
    assert first_fault([b'{"reelm_audit_export":2,"origin":"a","first_key":"' + b"0" * 64
                        + b'","size":0}\n']) == ("not_an_export", None)  # fmt: skip


# What the operator itself can do, who has the key.


def test_a_log_that_was_written_anew_is_named_by_a_checkpoint_from_before():
    seen = a_log(8).signed[-1][1]
    anew = Log()
    for number in range(12):
        anew.add(account_id=str(number))
    anew.sign()
    assert faults(anew.lines()) == []
    assert first_fault(anew.lines(), previous=[Note.parse(seen)]) == ("forked", 7)


def test_a_log_that_went_back_is_named_by_a_checkpoint_from_before():
    seen = a_log(12).signed[-1][1]
    back = a_log(8)
    assert faults(back.lines()) == []
    assert first_fault(back.lines(), previous=[Note.parse(seen)]) == ("rolled_back", 8)


def test_two_roots_for_one_size_are_named():
    log, other = a_log(8), Log()
    for number in range(8):
        other.add(account_id=str(number))
    other.sign()
    lines = log.lines()
    forged = [line for line in other.lines() if line.startswith(b'{"checkpoint"')]
    assert first_fault([*lines[:-1], *forged, lines[-1]]) == ("forked", 7)


def test_a_checkpoint_after_a_larger_one_is_named():
    lines = a_log(8).lines()
    checkpoints = [line for line in lines if line.startswith(b'{"checkpoint"')]
    assert first_fault([*lines[:-1], checkpoints[0], lines[-1]]) == ("rolled_back", 4)


def test_a_log_that_another_key_signs_is_named():
    log = a_log(8)
    for _ in range(4):
        log.add()
    log.sign(by=STRANGER)
    assert first_fault(log.lines()) == ("re-signed", 11)


def test_a_log_that_another_key_signs_from_the_first_entry_on_is_named():
    lines = a_log(8).lines()
    stranger = Log(STRANGER, first=STRANGER)
    for _ in range(8):
        stranger.add()
    stranger.sign()
    own = a_log().origin
    theirs = [line.replace(stranger.origin.encode(), own.encode()) for line in stranger.lines()]
    theirs[0] = header_line(own, public_bytes(STRANGER).hex(), 8)
    assert first_fault(theirs) == ("re-signed", 0)
    assert first_fault(lines, origin=stranger.origin)[0] == "other_log"


def test_a_signature_that_was_changed_is_named():
    log = a_log(4)
    size, note = log.signed[0]
    good = Note.parse(note).signatures[0]
    bad = type(good)(good.name, good.key_id, good.blob[:-1] + bytes([good.blob[-1] ^ 1]))
    log.signed[0] = size, str(Note(Note.parse(note).text, (bad,)))
    assert first_fault(log.lines()) == ("forged_signature", 3)


def test_a_key_that_the_old_one_endorses_signs_from_there_on():
    log = a_log(4)
    log.change_key(NEXT)
    log.add()
    log.sign()
    report = verify_export(log.lines())
    assert report.faults == []
    assert report.key == public_bytes(NEXT).hex()


def test_a_key_that_the_old_one_does_not_endorse_is_named():
    log = a_log(4)
    log.change_key(STRANGER, by=STRANGER)
    log.sign()
    assert faults(log.lines()) == ["re-signed", "forged_key_change"]
    assert first_fault(log.lines()) == ("re-signed", 4)


def test_the_old_key_signs_no_more_after_it_has_handed_over():
    log = a_log(4)
    log.change_key(NEXT)
    log.add()
    log.sign(by=OPERATOR)
    assert first_fault(log.lines()) == ("re-signed", 5)


# Witnesses.


def test_a_forged_cosignature_is_named():
    log = a_log(8)
    log.cosign()
    size, note = log.signed[-1]
    own, theirs = Note.parse(note).signatures
    bad = type(theirs)(theirs.name, theirs.key_id, theirs.blob[:-1] + b"\0")
    log.signed[-1] = size, str(Note(Note.parse(note).text, (own, bad)))
    assert faults(log.lines()) == []
    assert set(faults(log.lines(), witnesses=[KEY])) == {"forged_witness", "not_witnessed"}
    assert first_fault(log.lines(), witnesses=[KEY]) == ("forged_witness", 7)


def test_a_cosignature_by_another_key_under_the_same_name_does_not_count():
    log = a_log(8)
    log.cosign(STRANGER)
    assert faults(log.lines(), witnesses=[KEY]) == ["not_witnessed"]


def test_a_cosignature_that_was_kept_shows_a_log_written_anew():
    log = a_log(8)
    log.cosign()
    seen = Note.parse(log.signed[-1][1])
    anew = Log()
    for number in range(8):
        anew.add(account_id=str(number))
    anew.sign()
    found = faults(anew.lines(), witnesses=[KEY], previous=[seen])
    assert "forked" in found


# Confidential entries.


def test_an_opening_of_what_was_committed_to_is_sound():
    log = a_log(4)
    entry_id = log.commit(bytes(32), {"account_id": "7"})
    log.open(entry_id, bytes(32), {"account_id": "7"})
    log.sign()
    assert faults(log.lines()) == []


@pytest.mark.parametrize(
    ("salt", "body"), [(bytes(32), {"account_id": "8"}), (b"\1" * 32, {"account_id": "7"})]
)
def test_an_opening_of_something_else_is_named(salt, body):
    log = a_log(4)
    entry_id = log.commit(bytes(32), {"account_id": "7"})
    log.open(entry_id, salt, body)
    log.sign()
    assert first_fault(log.lines()) == ("forged_opening", 5)


def test_an_opening_of_no_commitment_is_named():
    log = a_log(4)
    log.open(1000, bytes(32), {"account_id": "7"})
    log.sign()
    assert first_fault(log.lines()) == ("forged_opening", 4)


# Entries that the operator signed and that are none.


def test_a_signed_entry_that_is_there_twice_is_named():
    log = a_log(4)
    log.leaves.append(log.leaves[1])
    log.sign()
    assert first_fault(log.lines()) == ("duplicated", 4)


@pytest.mark.parametrize("number", [2**63, 10**19 - 1])
def test_an_entry_with_an_id_that_is_none_is_named(number):
    log = a_log(4)
    line = log.leaves[3].replace(b'"id":"1003"', f'"id":"{number}"'.encode())
    assert line != log.leaves[3]
    log.leaves.append(line)
    log.sign()
    assert first_fault(log.lines()) == ("not_an_entry", 4)


@pytest.mark.parametrize("epoch", [True, -1, "2", 2**53 - 1])
def test_a_change_of_key_to_an_epoch_that_is_none_is_named(epoch):
    log = a_log(4)
    key = public_bytes(OPERATOR).hex()
    keys = {"old_key": key, "new_key": key}
    log.add("audit.key_changed", **keys, epoch=epoch, endorsement="00" * 64)
    log.sign()
    assert faults(log.lines()) == ["forged_key_change"]


def test_a_signed_line_that_is_no_entry_is_named():
    log = a_log(4)
    log.leaves.append(b'{"at": "yesterday"}')
    log.sign()
    assert first_fault(log.lines()) == ("not_an_entry", 4)


@given(st.data())
@settings(max_examples=250, deadline=None)
def test_no_change_of_one_byte_goes_unseen(data):
    log = a_log(6, 3)
    log.cosign()
    joined = b"".join(log.lines())
    place = data.draw(st.integers(0, len(joined) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != joined[place]))
    changed = joined[:place] + bytes([value]) + joined[place + 1 :]
    lines = changed.splitlines(keepends=True)
    report = verify_export(lines, Expected(log.origin, [KEY]))
    if report.is_sound:
        # The hashes of leaves, and signatures by keys that nobody gave, prove nothing.
        start = joined.rfind(b"\n", 0, place) + 1
        assert joined[start:].startswith(b'{"checkpoint"')
        assert b'"leaf_hashes"' in joined[start:place]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_is_done_to_the_lines_is_seen(data):
    log = a_log(9, 3)
    lines = log.lines()
    done = data.draw(st.permutations(lines)) if data.draw(st.booleans()) else list(lines)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(done) - 1))
        if data.draw(st.booleans()) and len(done) > 1:
            del done[place]
        else:
            done.insert(place, data.draw(st.sampled_from(lines)))
    is_sound = faults(done, previous=[Note.parse(log.signed[-1][1])]) == []
    # A checkpoint that a later one covers may be left out: that one signs its entries, too.
    needed = [line for line in lines if not line.startswith(b'{"checkpoint"')]
    kept = [line for line in done if not line.startswith(b'{"checkpoint"')]
    assert is_sound <= (kept == needed and done[-2:] == lines[-2:])
    assert is_sound >= (done == lines)


def test_hints_that_are_no_hashes_change_nothing():
    lines = a_log().lines()
    spoilt = [line.replace(b'"leaf_hashes":"', b'"leaf_hashes":"?') for line in lines]
    assert faults(spoilt) == []
    assert first_fault([*spoilt[:-1], end_line(13)]) == ("truncated", 12)
