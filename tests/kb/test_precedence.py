"""Who goes first when turns and an ingest share a process."""

import threading

from kb.precedence import Precedence


def test_work_that_can_wait_goes_on_when_the_last_turn_is_answered():
    precedence = Precedence(at_most_s=60)
    went_on = threading.Event()

    def ingest() -> None:
        precedence.step_aside()
        went_on.set()

    with precedence.turn():
        with precedence.turn():
            thread = threading.Thread(target=ingest)
            thread.start()
        assert not went_on.wait(0.05)
    thread.join(60)

    assert went_on.is_set()


def test_work_gets_on_a_little_while_turns_never_end():
    precedence = Precedence(at_most_s=0.01)
    thread = threading.Thread(target=precedence.step_aside)

    with precedence.turn():
        thread.start()
        thread.join(60)

    assert not thread.is_alive()


def test_a_turn_does_not_wait_for_itself():
    precedence = Precedence(at_most_s=60)

    with precedence.turn():
        precedence.step_aside()
