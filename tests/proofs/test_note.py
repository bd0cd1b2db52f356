"""Notes, checkpoints and cosignatures are those of C2SP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proofs.factory import OPERATOR, STRANGER, WITNESS

from reelm.foundation.errors import Invalid
from reelm.proofs.note import (
    COSIGNATURE,
    Checkpoint,
    Note,
    VerifierKey,
    cosign,
    cosigned,
    log_key,
    public_bytes,
    sign,
)

# The example of golang.org/x/mod/sumdb/note.
KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotp"
    "RZb6KE6RyyBwJnAM=\n"
)
# The example of C2SP tlog-checkpoint and tlog-cosignature; their keys are not told.
EXAMPLE = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv"
    "2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b"
    "2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)


def test_a_note_of_others_verifies():
    key, note = VerifierKey.parse(KEY), Note.parse(NOTE)
    assert key.text == KEY
    assert str(note) == NOTE
    assert [one.verifies(key, note.text) for one in note.signatures] == [True]
    assert not note.signatures[0].verifies(key, note.text.replace("answer", "question"))


def test_the_example_of_the_specification_is_read():
    note = Note.parse(EXAMPLE)
    checkpoint = Checkpoint.parse(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text == note.text
    assert str(note) == EXAMPLE
    witness = note.signatures[1]
    assert (witness.name, witness.timestamp) == ("witness.example.com/w1", 1679315147)
    assert cosigned(note.text, 1679315147) == (
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_a_signature_is_of_one_key_one_name_and_one_type():
    text = Checkpoint("a.example/log", 3, bytes(32)).text
    signature = sign(text, "a.example/log", OPERATOR)
    assert signature.verifies(log_key("a.example/log", public_bytes(OPERATOR)), text)
    assert not signature.verifies(log_key("a.example/log", public_bytes(STRANGER)), text)
    assert not signature.verifies(log_key("b.example/log", public_bytes(OPERATOR)), text)
    as_witness = VerifierKey("a.example/log", COSIGNATURE, public_bytes(OPERATOR))
    assert not signature.verifies(as_witness, text)


def test_a_cosignature_signs_its_time():
    text = Checkpoint("a.example/log", 3, bytes(32)).text
    line = cosign(text, "w.example", WITNESS, 1_800_000_000)
    key = VerifierKey("w.example", COSIGNATURE, public_bytes(WITNESS))
    assert line.verifies(key, text)
    later = (1_800_000_001).to_bytes(8, "big") + line.blob[8:]
    assert not type(line)(line.name, line.key_id, later).verifies(key, text)
    beyond = (2**63).to_bytes(8, "big") + line.blob[8:]
    assert not type(line)(line.name, line.key_id, beyond).verifies(key, text)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "a\n",
        "a\n\n",
        "a\n\n— name\n",
        "a\n\n- name x08go/ZJkuBS9UG/\n",
        "a\n\n— na+me x08go/ZJkuBS9UG/\n",
        "a\n\n— name x08=\n",
        "a\n\n— name x08go/ZJkuBS9UG/",
        "a\r\n\n— name x08go/ZJkuBS9UG/\n",
        "a\n\n— name not*base64\n",
        "a\n\n— name YWJjZGVmZ2h=\n",
        "a" * 70_000 + "\n\n— name x08go/ZJkuBS9UG/\n",
    ],
)
def test_what_is_no_note_is_refused(note):
    with pytest.raises(Invalid):
        Note.parse(note)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "a\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a b\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a\n1\nAAAA\n",
        "a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore\n",
        "a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(Invalid):
        Checkpoint.parse(text)


@pytest.mark.parametrize("text", ["", "a", "a+b", "a+00000000+AAAA", KEY.replace("c74f", "c74e")])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(Invalid):
        VerifierKey.parse(text)


@given(st.text(max_size=300))
def test_whatever_is_read_as_a_note_is_written_the_same(text):
    for given_text in (text, f"{text}\n\n— name x08go/ZJkuBS9UG/\n"):
        try:
            note = Note.parse(given_text)
        except Invalid:
            continue
        assert str(note) == given_text
