import hashlib
import os
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.videos.acts import arriving, begun, left_files, looked, person, sent, stored

from reelm import videos
from reelm.foundation.errors import Conflict, Gone, Invalid, Missing, TooLarge
from reelm.videos import upload

SIZE = 300
DATA = bytes(range(256)) + bytes(44)

_length = st.integers(0, SIZE + 20)
_steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["send", "cut", "kill", "checked", "mischecked"]), _length),
        st.tuples(st.just("elsewhere"), st.integers(0, SIZE)),
    ),
    max_size=8,
)


def step(parts, ana: int, upload_id: int, act: str, number: int) -> None:
    """Do one thing that a client, a network or a machine may do."""
    offset = looked(parts, ana, upload_id).offset_bytes
    data = DATA[offset : offset + number] if number <= SIZE - offset else DATA[offset:] + b"more"
    if act == "send":
        sent(parts, ana, upload_id, offset, data)
    elif act == "elsewhere":
        sent(parts, ana, upload_id, number, DATA[number:])
    elif act == "cut":
        arrival = arriving(parts, ana, upload_id, offset)
        try:
            arrival.write(data)
        finally:
            arrival.cut()
    elif act == "kill":
        arrival = arriving(parts, ana, upload_id, offset)
        os.pwrite(arrival.descriptor, b"torn" * 100, offset)
        os.close(arrival.descriptor)  # as the kernel does when a process is killed
    else:
        digest = hashlib.sha256(data if act == "checked" else b"other").digest()
        sent(parts, ana, upload_id, offset, data, checksum=videos.Checksum("sha256", digest))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=_steps)
def test_whatever_happens_on_the_way_the_video_has_the_bytes_that_were_sent(parts, steps):
    ana = person(parts)
    upload_id = begun(parts, ana, SIZE)
    for act, number in steps:
        before = looked(parts, ana, upload_id)
        with suppress(Conflict, Gone, Invalid, Missing, TooLarge):
            step(parts, ana, upload_id, act, number)
        after = looked(parts, ana, upload_id)
        assert after.offset_bytes >= before.offset_bytes
        assert (after.video_id is None) == (after.offset_bytes < SIZE)
        if after.video_id is None:
            path = upload.file_of(parts.home, upload_id)
            kept = path.read_bytes() if path.exists() else b""
            assert kept[: after.offset_bytes] == DATA[: after.offset_bytes]
    end = looked(parts, ana, upload_id)
    sent(parts, ana, upload_id, end.offset_bytes, DATA[end.offset_bytes :])
    (original,) = stored(parts, "originals")
    assert parts.store.get(original) == DATA
    assert left_files(parts) == []
