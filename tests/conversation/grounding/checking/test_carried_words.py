import pytest

from conversation.grounding.checking.answer_check import AnswerCheck
from conversation.grounding.checking.carried_words import CarriedWords
from conversation.grounding.checking.held_back import HeldBack
from tests.conversation.grounding.checking.test_answer_check import passage

ENGLISH = (
    "The chat window has a button at the lower right. It opens when somebody presses the button. "
    "Its colours follow those of the page. A conversation ends when the window is closed, and the "
    "agent says goodbye before it does."
)
GERMAN = (
    "Das Fenster hat unten rechts einen Knopf. Es öffnet sich, wenn jemand auf den Knopf drückt. "
    "Seine Farben folgen denen der Seite. Ein Gespräch endet, wenn das Fenster geschlossen wird."
)


def words(text: str, asked: str, language: str = "en", own: str = "") -> CarriedWords:
    return CarriedWords([("Guide", text)], asked=asked, own_words=own, language=language)


@pytest.mark.parametrize(
    ("text", "language", "asked", "answer"),
    [
        (ENGLISH, "en", "When does it end?", "A conversation ends when the window is closed."),
        (ENGLISH, "en", "When does it end?", "It ends when you close the window."),
        (ENGLISH, "en", "How do I open the window?", "Press the button at the lower right."),
        (ENGLISH, "en", "Which colours?", "The colours of the page."),
        (GERMAN, "de", "Wann endet es?", "Das Gespräch endet, wenn das Fenster geschlossen wird."),
    ],
)
def test_words_of_a_passage_are_carried_by_it(text: str, language: str, asked: str, answer: str):
    assert words(text, asked, language).are_carried(answer)


@pytest.mark.parametrize(
    ("text", "language", "asked", "answer"),
    [
        (ENGLISH, "en", "Which colours?", "It comes in white, black, red, green and pink."),
        (
            ENGLISH,
            "en",
            "Who founded the company?",
            "It was founded by entrepreneurs who wanted to create a platform.",
        ),
        (GERMAN, "de", "Welche Farben?", "Es gibt Weiß, Schwarz, Rot, Grün und Rosa."),
    ],
)
def test_words_that_stand_nowhere_together_are_not(
    text: str, language: str, asked: str, answer: str
):
    assert not words(text, asked, language).are_carried(answer)


@pytest.mark.parametrize("language", ["de", "ja"])
def test_nothing_is_told_by_words_where_documents_and_agent_speak_two_languages(language: str):
    answer = "Es gibt Weiß, Schwarz, Rot, Grün und Rosa."

    assert words(ENGLISH, "Which colours?", language).are_carried(answer)


def test_the_agent_may_say_what_it_was_told():
    answer = "Tessmer sells bicycles, scooters and helmets."

    assert not words(ENGLISH, "What do you sell?").are_carried(answer)
    assert words(ENGLISH, "What do you sell?", own=answer).are_carried(answer)


@pytest.mark.parametrize("by_words", [True, False])
def test_only_small_models_are_held_to_the_words_of_the_documents(by_words: bool):
    check = AnswerCheck((passage(ENGLISH),), "Which colours are there?", by_words=by_words)
    held = HeldBack(check)
    answer = "There are white, black, red, green and pink."

    said = held.take(answer) + held.end()

    assert held.is_refuted is by_words
    assert ("pink" in said) is not by_words
