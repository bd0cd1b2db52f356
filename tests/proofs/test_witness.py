"""A witness signs what follows from what it saw, and never two roots for one size."""

import pytest
from tests.proofs.factory import NEXT, OPERATOR, STRANGER, Log, a_log

from reelm.foundation.errors import Conflict, Missing
from reelm.proofs.merkle import Frontier, consistency_ranges, leaf_hash
from reelm.proofs.note import Note, log_key, public_bytes
from reelm.proofs.proof_file import ConsistencyProof, encode
from reelm.proofs.witness import Refused, Witness, make_witness


@pytest.fixture
def witness(tmp_path):
    make_witness(tmp_path / "w", "w.example/1")
    return Witness(tmp_path / "w")


def key_of(log, key=OPERATOR):
    return log_key(log.origin, public_bytes(key)).text


def growth(log, first, second):
    hashes = [leaf_hash(leaf) for leaf in log.leaves]
    path = []
    for start, end in consistency_ranges(first, second):
        tree = Frontier()
        tree.extend(hashes[start:end])
        path.append(tree.root())
    notes = dict(log.signed)
    return ConsistencyProof(notes[first], notes[second], encode(path), key_of(log))


def anew(size):
    log = Log()
    for number in range(size):
        log.add(account_id=str(number))
    log.sign()
    return log


def note(log, at=-1):
    return Note.parse(log.signed[at][1])


def test_it_signs_a_log_that_grows(witness):
    log = a_log(12, 4)
    first = witness.cosign_by_proof(note(log, 0), None, key_of(log))
    assert first.verifies(witness.key, note(log, 0).text)
    second = witness.cosign_by_proof(note(log, 1), growth(log, 4, 8), "")
    assert second.verifies(witness.key, note(log, 1).text)
    assert witness.cosign_by_log(note(log, 2), iter(log.lines())).verifies(
        witness.key, note(log, 2).text
    )
    # The same again is no news, and no contradiction.
    assert witness.cosign_by_proof(note(log, 2), None, "")


def test_it_does_not_sign_two_roots_for_one_size(witness):
    log, other = a_log(8), anew(8)
    witness.cosign_by_proof(note(log), None, key_of(log))
    with pytest.raises(Refused, match="forked"):
        witness.cosign_by_proof(note(other), None, "")
    with pytest.raises(Refused, match="written anew"):
        witness.cosign_by_log(note(other), iter(other.lines()))


def test_it_does_not_sign_a_log_that_went_back(witness):
    log = a_log(8, 4)
    witness.cosign_by_proof(note(log), None, key_of(log))
    with pytest.raises(Refused, match="gone back"):
        witness.cosign_by_proof(note(log, 0), None, "")
    with pytest.raises(Refused, match="gone back"):
        witness.cosign_by_log(note(log, 0), iter(a_log(4, 4).lines()))


def test_it_does_not_sign_a_longer_log_that_was_written_anew(witness):
    log, other = a_log(8), anew(12)
    witness.cosign_by_proof(note(log), None, key_of(log))
    with pytest.raises(Refused, match="give proof or log"):
        witness.cosign_by_proof(note(other), None, "")
    longer = a_log(12, 4)
    with pytest.raises(Refused, match="does not lead"):
        witness.cosign_by_proof(note(other), growth(longer, 8, 12), "")
    with pytest.raises(Refused, match="written anew"):
        witness.cosign_by_log(note(other), iter(other.lines()))
    assert witness.seen(log.origin).note == log.signed[-1][1]


def test_it_does_not_sign_for_a_key_that_is_not_the_logs(witness):
    log = a_log(4)
    with pytest.raises(Refused, match="does not follow from this key"):
        witness.cosign_by_proof(note(log), None, key_of(log, STRANGER))
    log.sign(4, by=STRANGER)
    with pytest.raises(Refused, match="not signed by the log's key"):
        witness.cosign_by_proof(note(log), None, key_of(log))


def test_it_follows_the_log_to_another_key_by_the_log_alone(witness):
    log = a_log(4)
    witness.cosign_by_proof(note(log), None, key_of(log))
    log.change_key(NEXT)
    log.sign()
    with pytest.raises(Refused, match="not signed by the log's key"):
        witness.cosign_by_proof(note(log), growth(log, 4, 5), "")
    assert witness.cosign_by_log(note(log), iter(log.lines()))
    assert witness.seen(log.origin).log_key == key_of(log, NEXT)


def test_it_does_not_sign_a_log_that_is_not_sound(witness):
    log = a_log(8)
    lines = log.lines()
    lines[2] = lines[2].replace(b"1001", b"1009")
    with pytest.raises(Refused, match=r"Entry 1 .* was edited"):
        witness.cosign_by_log(note(log), iter(lines))
    assert witness.seen(log.origin) is None


def test_what_it_saw_is_on_the_disk_before_it_signs(witness, monkeypatch):
    log = a_log(4)

    def cut_off(*_: object):
        raise KeyboardInterrupt

    monkeypatch.setattr("reelm.proofs.witness.cosign", cut_off)
    with pytest.raises(KeyboardInterrupt):
        witness.cosign_by_proof(note(log), None, key_of(log))
    assert witness.seen(log.origin).note == log.signed[-1][1]


def test_logs_are_kept_apart(witness):
    log, other = a_log(4), Log(STRANGER, first=STRANGER)
    other.add()
    other.sign()
    witness.cosign_by_proof(note(log), None, key_of(log))
    witness.cosign_by_proof(note(other), None, key_of(other, STRANGER))
    assert witness.seen(log.origin).note == log.signed[-1][1]


def test_a_folder_is_a_witness_once(tmp_path):
    key = make_witness(tmp_path / "w", "w.example/1")
    assert Witness(tmp_path / "w").key == key
    assert (tmp_path / "w/witness-ed25519.pem").stat().st_mode & 0o077 == 0
    with pytest.raises(Conflict):
        make_witness(tmp_path / "w", "w.example/2")
    with pytest.raises(Missing):
        Witness(tmp_path / "nowhere")
