import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.llm.engine.slots import Slots, best_slot, common_chars


def never() -> bool:
    return False


@given(st.text("ab", max_size=12), st.text("ab", max_size=12))
def test_the_common_beginning_is_the_longest_one(one: str, other: str):
    common = common_chars(one, other)

    assert one[:common] == other[:common]
    assert one[common : common + 1] != other[common : common + 1] or common == len(one) == len(
        other
    )


SYSTEM = "s" * 400


@pytest.mark.parametrize(
    ("text", "held", "restorable", "best"),
    [
        # A conversation goes on where it was.
        (SYSTEM + "abc", ["", SYSTEM + "abx", SYSTEM + "ab"], 0, 2),
        # Nothing is read again for an empty slot when another holds the beginning.
        (SYSTEM + "new", ["", SYSTEM + "old"], 0, 1),
        # What any slot gets from a file costs nobody their conversation.
        (SYSTEM + "new", ["", SYSTEM + "old"], len(SYSTEM), 0),
        # With none empty, the one that loses least.
        (SYSTEM + "new", [SYSTEM + "o" * 300, SYSTEM + "o" * 20], len(SYSTEM), 1),
        ("unknown", ["x" * 5_000, "y" * 10], 0, 1),
    ],
)
def test_a_request_runs_where_it_saves_most(text: str, held: list[str], restorable: int, best: int):
    ages = [1] * len(held)

    assert best_slot(text, held, ages, numbers=range(len(held)), restorable=restorable) == best


def test_what_is_old_is_less_likely_to_be_missed():
    held = ["x" * 300, "y" * 200]

    assert best_slot("new", held, [50, 1], numbers=[0, 1], restorable=0) == 0


def test_slots_are_numbered_as_the_engine_numbers_them():
    slots = Slots(2)
    first = slots.take("abc", restorable=0, given_up=never)
    second = slots.take("abcd", restorable=0, given_up=never)
    assert {first, second} == {0, 1}

    slots.give_back(1, "abcd")

    assert slots.take("abcde", restorable=0, given_up=never) == 1


def test_those_that_wait_are_served_in_order():
    slots = Slots(1)
    assert slots.take("", restorable=0, given_up=never) == 0
    served: list[int] = []

    def ask(number: int) -> None:
        slots.take(str(number), restorable=0, given_up=never)
        served.append(number)
        slots.give_back(0, "")

    threads: list[threading.Thread] = []
    for number in range(5):
        threads.append(threading.Thread(target=ask, args=[number]))
        threads[-1].start()
        wait_until(lambda number=number: slots.waiting == number + 1)
    slots.give_back(0, "")
    for thread in threads:
        thread.join(30)

    assert served == [0, 1, 2, 3, 4]


def test_who_gives_up_holds_up_nobody():
    slots = Slots(1)
    slots.take("", restorable=0, given_up=never)
    given_up = threading.Event()
    results: list[int | None] = []

    def ask(gives_up: Callable[[], bool]) -> None:
        results.append(slots.take("", restorable=0, given_up=gives_up))

    first = threading.Thread(target=ask, args=[given_up.is_set])
    first.start()
    wait_until(lambda: slots.waiting == 1)
    second = threading.Thread(target=ask, args=[never])
    second.start()
    wait_until(lambda: slots.waiting == 2)
    given_up.set()
    slots.wake()
    first.join(30)
    slots.give_back(0, "")
    second.join(30)

    assert results == [None, 0]


def test_a_request_waits_for_the_slot_that_is_being_filled_for_it():
    slots = Slots(2)
    warmed = slots.take("system", restorable=0, given_up=never, warms=True)
    assert warmed is not None
    results: list[int | None] = []
    asking = threading.Thread(
        target=lambda: results.append(
            slots.take("system and question", restorable=0, given_up=never)
        )
    )
    asking.start()
    wait_until(lambda: slots.waiting == 1)
    assert results == []

    slots.give_back(warmed, "system")
    asking.join(30)

    assert results == [warmed]


def test_others_do_not_wait_for_it():
    slots = Slots(2)
    slots.take("system", restorable=0, given_up=never, warms=True)

    assert slots.take("another system", restorable=0, given_up=never) is not None


def test_who_waits_for_an_answer_to_end_holds_nobody_up():
    slots = Slots(2)
    answering = slots.take("Question", restorable=0, given_up=never)
    assert answering is not None
    waiting = threading.Thread(
        target=slots.wait_for_answer, args=["Question and what follows"], kwargs={"given_up": never}
    )
    waiting.start()

    other = slots.take("Something else", restorable=0, given_up=never)
    waiting.join(0.02)

    assert other == 1 - answering
    assert waiting.is_alive()
    slots.give_back(answering, "Question and answer")
    waiting.join(30)
    assert not waiting.is_alive()


def test_who_says_something_else_waits_where_that_saves_much():
    history = "system and a long history. " * 20
    slots = Slots(2)
    warmed = slots.take(f"{history}(Rule)", restorable=6, given_up=never, warms=True)
    assert warmed is not None
    results: list[int | None] = []
    asking = threading.Thread(
        target=lambda: results.append(slots.take(f"{history}Thanks!", restorable=6, given_up=never))
    )
    asking.start()
    wait_until(lambda: slots.waiting == 1)
    assert results == []
    slots.give_back(warmed, f"{history}(Rule)")
    asking.join(30)

    assert results == [warmed]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)
