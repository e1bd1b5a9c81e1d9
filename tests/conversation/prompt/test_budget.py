"""What just fits into a part of the prompt, and what just does not."""

import pytest

from conversation.language.tokens import estimated_tokens
from conversation.prompt.budget import fit_notes, fit_passages
from conversation.prompt.parts import passage_tag
from tests.conversation.prompt.test_prompt import passage

LONG = passage("word " * 100)
SHORT = passage("A sentence of its own.")


def cost(number: int, found: object) -> int:
    return estimated_tokens(passage_tag(number, found)) + estimated_tokens(found.text)  # pyright: ignore


def test_a_passage_that_just_fits_with_its_tag_is_whole():
    room = cost(1, LONG) + cost(2, SHORT)

    assert fit_passages([LONG, SHORT], room) == [LONG, SHORT]
    assert fit_passages([LONG, SHORT], room - 1) == [LONG]
    (cut,) = fit_passages([LONG], cost(1, LONG) - 1)
    assert len(cut.text) < len(LONG.text)


def test_a_passage_is_cut_at_a_word_unless_that_leaves_less_than_half_of_it():
    (words,) = fit_passages([LONG], 90)
    (one_word,) = fit_passages([passage("ab " + "x" * 600)], 90)

    assert words.text.endswith("word")
    assert words.end_char == len(words.text)
    assert len(one_word.text) > 100


@pytest.mark.parametrize(("room", "kept"), [(4, 2), (3, 1), (0, 1)])
def test_notes_that_just_fit_are_kept(room: int, kept: int):
    notes = ["abcdefg", "hijklmn"]
    assert [estimated_tokens(note) for note in notes] == [2, 2]

    assert fit_notes(notes, room) == notes[-kept:]
