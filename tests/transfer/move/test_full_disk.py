"""A disk that fills up in a rehearsal or a seal: one sentence, and it goes on later."""

import pytest
from tests.transfer.move.test_killed import STEPS, go_on

from reelm.transfer.move import is_frozen


@pytest.mark.parametrize(
    ("name", "most_bytes"), [("rehearse", 20_000), ("seal", 1000), ("seal", 20_000)]
)
def test_a_full_disk_is_told_in_a_sentence_and_the_step_goes_on_once_there_is_room(
    stages, name, most_bytes
):
    step = STEPS[name]
    with stages.at(step.after) as moving:
        ran = step.start(stages, most_bytes=most_bytes)
        assert ran.status == 2
        assert ran.said.startswith("reelm: There is no room left in "), ran.said
        with moving.seller.transaction() as session:
            assert is_frozen(session) == (name == "seal")
        step.run(stages)
    go_on(stages, step.leads_to)
