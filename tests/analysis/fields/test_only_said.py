"""Where a small judge's own words stand nowhere, what was said decides, if it stands by that."""

from datetime import date

import pytest

from analysis.fields.claims import CheckedClaim
from analysis.fields.data_collection import collect_fields
from analysis.fields.only_said import only_value_said
from analysis.judge.asking import Meter, answer_question
from analysis.judge.windows import transcript_windows
from analysis.said.spelling.spelled import spelled_out
from conversation.agent.criteria import DataCollectionField, FieldType
from conversation.transcript import Turn
from tests.fakes import ScriptedChatModel, judge_that_stands_by

MONDAY = date(2026, 11, 23)
ACCEPTED = "Whether the user accepted the offer."
TAKES = "Days that the agent said a refund takes."
PROMISED = "Day that the agent promised."
CAR = "Whether the user has a car."
NO_ALLERGY = "a: Any allergies?/u: None that I know of."
WANTED = "How many tickets the user wants."
DAY = "Day that the user wants."
AGREED = "Day that the user agreed to."


def spoken(said: str) -> list[Turn]:
    return [
        Turn(role="user" if turn.startswith("u:") else "agent", text=turn[2:].strip())
        for turn in said.split("/")
    ]


def collected(
    kind: FieldType, description: str, said: str, judge: ScriptedChatModel
) -> CheckedClaim:
    field = DataCollectionField(field_id="asked", type=kind, description=description)
    turns = spoken(said)
    question = collect_fields(
        [field],
        turns,
        transcript_windows(turns),
        variant="logprobs",
        meter=Meter(),
        today=MONDAY,
    )
    return answer_question(question, judge)["asked"]


@pytest.mark.parametrize(
    ("kind", "description", "said", "answer", "expected"),
    [
        ("boolean", ACCEPTED, "a: Would you take it?/u: No, thanks.", False, "No, thanks."),
        ("boolean", ACCEPTED, "a: Nehmen Sie Premium?/u: Ja, gern.", True, "Ja, gern."),
        ("boolean", ACCEPTED, "a: \u63a5\u53d7\u5417\uff1f/u: \u597d\u7684", True, "\u597d\u7684"),
        ("integer", TAKES, "u: Wie lange?/a: Das dauert vierzehn Tage.", 4, "vierzehn"),
        ("integer", TAKES, "u: C'est long ?/a: Cela prend quinze jours.", 15, "quinze"),
        ("date", AGREED, "a: Is Friday all right?/u: Yes.", "Monday, 2026-11-23", "Friday"),
        ("date", AGREED, "a: Demain, c'est possible ?/u: Oui.", "2026-11-23", "Demain"),
        ("date", PROMISED, "u: Quand ?/a: Fin du mois.", "fin du mois", "Fin du mois"),
    ],
)  # fmt: skip
def test_what_was_said_is_taken_once_the_judge_stands_by_it(
    kind: FieldType, description: str, said: str, answer: object, expected: str
):
    judge = judge_that_stands_by({"asked": answer})

    found = collected(kind, description, said, judge)

    assert found.status == "supported"
    assert [evidence.quote for evidence in found.evidence] == [expected]


@pytest.mark.parametrize(
    ("kind", "description", "said", "answer", "status"),
    [
        ("boolean", ACCEPTED, "u: I have a question./a: Go on.", False, "not_discussed"),
        ("boolean", CAR, "a: Noch etwas?/u: Nein.", False, "not_discussed"),
        ("integer", TAKES, "u: Wie lange?/a: Vierzehn oder f\u00fcnfzehn Tage.", 4, "unsupported"),
        ("integer", TAKES, "u: Wie lange?/a: Das dauert 14 Tage.", 4, "unsupported"),
        ("date", AGREED, "a: Is Friday all right?/u: Yes.", "2026-12-24", "unsupported"),
        ("date", AGREED, "a: Friday or Saturday?/u: Yes.", "2026-11-23", "unsupported"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_not_made_up(
    kind: FieldType, description: str, said: str, answer: object, status: str
):
    found = collected(kind, description, said, judge_that_stands_by({"asked": answer}))

    assert (found.value, found.status) == (None, status)


def test_the_judge_is_shown_the_words_and_asked_without_the_value_of_an_answer():
    words = judge_that_stands_by({"asked": 15})
    answer = judge_that_stands_by({"asked": False})

    collected("integer", TAKES, "u: C'est long ?/a: Cela prend quinze jours.", words)
    collected("boolean", ACCEPTED, "a: Encore ?/u: Non merci.", answer)

    assert "refund takes: quinze.\n" in words.prompt_texts[1]
    assert "asked whether the user accepted the offer, and" in answer.prompt_texts[1]


@pytest.mark.parametrize(
    ("kind", "answer", "said"),
    [
        ("boolean", True, "a: Encore ?/u: Oui."),
        ("integer", 4, "a: Das dauert vierzehn Tage."),
    ],
)
def test_a_judge_that_does_not_stand_by_it_is_heard(kind: FieldType, answer: object, said: str):
    judge = ScriptedChatModel({"asked": answer}, always="no")

    assert collected(kind, ACCEPTED, said, judge).value is None


@pytest.mark.parametrize(
    ("kind", "description", "said", "answer", "value"),
    [
        # Words that prove enough by themselves, whatever a small judge says when asked again.
        ("integer", WANTED, "u: Two tickets please./a: Two?/u: No, make it three.", 3, 3),
        ("integer", WANTED, "u: Zwei Tickets./a: Zwei?/u: Nein, lieber drei.", 3, 3),
        ("date", DAY, "a: Which day? Friday?/u: Das passt.", "Friday", "2026-11-27"),
        ("date", DAY, "a: Which day? Friday?/u: Yes, that works for me.", "Friday", "2026-11-27"),
        ("time", "Time", "u: No, mejor a las 16 horas.", "16 horas", "16:00:00"),
        ("string", "Code on the device", "u: It's A B four seven.", "It's A B four seven", "AB47"),
        ("string", "Phone", "u: six one oh two oh two", "six one oh two oh two", "610202"),
        ("string", "E-mail", "u: It's jo at web dot de.", "It's jo at web dot de", "jo@web.de"),
        ("string", "Allergies", NO_ALLERGY, "None that I know of.", "None"),
    ],
)  # fmt: skip
def test_what_is_settled_needs_no_second_look(
    kind: FieldType, description: str, said: str, answer: object, value: object
):
    found = collected(kind, description, said, ScriptedChatModel({"asked": answer}, always="no"))

    assert (found.status, found.value) == ("supported", value)


@pytest.mark.parametrize(
    ("description", "said"),
    [
        (DAY, "a: Which day? Friday?/u: No."),
        (DAY, "a: Which day? Friday?/u: Yes, but I have a question about the price."),
        ("Day that the agent named", "a: Which day? Friday?/u: Yes."),
    ],
)
def test_what_is_not_settled_is_put_to_the_judge(description: str, said: str):
    judge = ScriptedChatModel({"asked": "Friday"}, always="no")

    assert collected("date", description, said, judge).value is None


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("It's A B four seven", ["AB47"]),
        ("the code is AB-4712 please", ["AB-4712"]),
        ("K L M, drei, neun", ["KLM39"]),
        ("mail me at jo underscore smith at web dot de", ["jo_smith@web.de"]),
        ("jo at web dot de or B four two", ["jo@web.de", "B42"]),
        ("I have two tickets", []),
        ("USB 30 sticks", []),
        ("I am at home dot", []),
    ],
)
def test_what_is_spelled_is_written(said: str, written: list[str]):
    assert [each for _, each in spelled_out(said, None)] == written


def test_several_numbers_tell_nothing():
    field = DataCollectionField(field_id="asked", type="integer", description=TAKES)
    one, two = spoken("a: F\u00fcnf Tage."), spoken("a: F\u00fcnf Tage./u: Sechs?")

    assert only_value_said(field, one, range(1)) == 5
    assert only_value_said(field, two, range(2)) is None


@pytest.mark.parametrize(
    ("description", "said", "answer"),
    [
        ("E-mail address", "u: I only want to ask something.", "I only want to ask something."),
        ("Ticket number", "u: Is there a number?/a: No.", "Is there a number?"),
    ],
)
def test_a_sentence_is_no_address_and_no_number(description: str, said: str, answer: str):
    found = collected("string", description, said, judge_that_stands_by({"asked": answer}))

    assert (found.status, found.value) == ("unsupported", None)
