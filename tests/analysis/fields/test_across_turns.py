"""What several turns say together: corrections, "none" as an answer, a day and its time."""

from datetime import date

import pytest

from analysis.fields.claims import Claim, check_claim
from analysis.results import FieldValue, ValueStatus
from conversation.agent.criteria import DataCollectionField, FieldType
from conversation.transcript import Turn

MONDAY = date(2026, 11, 23)


def field(kind: FieldType, *enum: str) -> DataCollectionField:
    return DataCollectionField(field_id="f", type=kind, description="What", enum=enum or None)


def turns(*said: str) -> list[Turn]:
    return [
        Turn(role="user" if line.startswith("u:") else "agent", text=line[2:].strip())
        for line in said
    ]


@pytest.mark.parametrize(
    ("kind", "claimed", "said", "value", "index"),
    [
        ("integer", 2, ("u: Two tickets, no, make it three.",), 3, 0),
        ("integer", 3, ("u: Three people. Scrap that, five.",), 5, 0),
        ("integer", 2, ("u: Two tickets.", "a: Two?", "u: No, make it three."), 3, 2),
        ("integer", 2, ("u: Two tickets.", "u: Sorry, I meant three tickets."), 3, 1),
        ("integer", 2, ("u: Two tickets.", "u: Sorry, not two, three."), 3, 1),
        ("integer", 2, ("u: Two.", "u: No, three.", "u: Wait, actually four please."), 4, 2),
        ("integer", 2, ("u: Zwei Karten bitte.", "u: Nein, lieber drei."), 3, 1),
        ("integer", 2, ("u: Deux billets.", "u: Non, plutôt trois."), 3, 1),
        ("integer", 2, ("u: Dos entradas.", "u: Perdón, mejor tres."), 3, 1),
        ("time", "15:00", ("u: At 3 pm.", "u: Actually, let's say 4 pm."), "16:00:00", 1),
        ("date", "Friday", ("u: On Friday.", "u: No, on Tuesday."), "2026-11-24", 1),
        ("integer", 2, ("u: I have two, no, three children.",), 3, 0),
        ("integer", 2, ("u: Wir sind zwei, äh, drei Personen.",), 3, 0),
        ("integer", 2, ("u: Deux, non, trois personnes.",), 3, 0),
        ("integer", 2, ("u: Dos, perdón, tres personas.",), 3, 0),
        ("integer", 4, ("u: It used to be two, wait, four. Now it is five.",), 5, 0),
        ("integer", 4, ("u: Wir waren vier, jetzt sind wir fünf.",), 5, 0),
        ("date", "2026-12-03", ("u: On the third, sorry, I meant the 5th.",), "2026-12-05", 0),
        # What is no correction of this value.
        ("integer", 2, ("u: Two tickets.", "u: No. Three kids are mine."), 2, 0),
        ("integer", 2, ("u: Two tickets.", "u: Actually, my room number is 12."), 2, 0),
        ("integer", 2, ("u: Two tickets.", "u: No, three kids come along."), 2, 0),
        ("integer", 2, ("u: Two tickets.", "a: No, make it three."), 2, 0),
        ("integer", 2, ("u: Two tickets.", "u: No, two."), 2, 0),
    ],
)
def test_the_last_correction_by_the_user_counts(
    kind: FieldType, claimed: object, said: tuple[str, ...], value: FieldValue, index: int
):
    found = check_claim(field(kind), Claim(0, claimed), turns(*said), today=MONDAY)

    assert (found.status, found.value) == ("supported", value)
    assert [each.turn_index for each in found.evidence] == [index]


def test_a_choice_is_corrected_too():
    plan = field("string", "basic", "premium")
    said = turns("u: The basic plan.", "u: Sorry, make it premium.")

    assert check_claim(plan, Claim(0, "basic"), said).value == "premium"


def test_what_is_said_only_to_be_denied_is_not_the_value():
    said = turns("u: Three, not two.")

    assert check_claim(field("integer"), Claim(0, 2), said).value is None
    assert check_claim(field("integer"), Claim(0, 3), said).value == 3


@pytest.mark.parametrize(
    ("kind", "answer", "value"),
    [
        ("string", "None.", "None"),
        ("string", "None that I know of.", "None"),
        ("string", "Nothing, thanks", "Nothing"),
        ("string", "Keine.", "Keine"),
        ("string", "Aucune", "Aucune"),
        ("integer", "None", 0),
    ],
)
def test_none_is_an_answer_to_who_was_asked(kind: FieldType, answer: str, value: FieldValue):
    said = turns("a: Any allergies?", f"u: {answer}")

    found = check_claim(field(kind), Claim(1, "none"), said)

    assert (found.status, found.value) == ("supported", value)
    assert found.evidence[0].quote in answer


@pytest.mark.parametrize("answer", ["Yes, nuts.", "None of your business is my name.", "Hello"])
def test_none_is_no_answer_where_nobody_said_so(answer: str):
    said = turns("a: Any allergies?", f"u: {answer}")

    assert check_claim(field("string"), Claim(1, "none"), said).status == "not_discussed"
    assert check_claim(field("string"), Claim(1, None), said).status == "not_discussed"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (("u: On Friday.", "a: At what time?", "u: At 3 pm."), "supported"),
        (("u: Um 15 Uhr.", "a: An welchem Tag?", "u: Am Freitag."), "supported"),
        (("u: On Friday.", "a: Or Tuesday?", "u: At 3 pm."), "unsupported"),
        (("u: On Friday.", "a: At what time?", "u: At 4 pm."), "unsupported"),
        (("u: On Friday.", "a: At what time?", "u: At nine o'clock."), "unsupported"),
    ],
)
def test_a_day_and_its_time_make_a_moment(said: tuple[str, ...], status: str):
    claim = Claim(2, "2026-11-27T15:00")

    found = check_claim(field("datetime"), claim, turns(*said), today=MONDAY)

    assert found.status == status
    if status == "supported":
        assert found.value == "2026-11-27T15:00:00"
        assert {each.turn_index for each in found.evidence} == {0, 2}


@pytest.mark.parametrize(
    ("said", "index", "status"),
    [
        (("a: Is it five?", "u: Yes."), 0, "supported"),
        (("a: Is it five?", "u: No, it's six."), 0, "unsupported"),
        (("a: So that's five tickets, right?", "u: No."), 0, "unsupported"),
        (("a: Five tickets, anything else?", "u: No, thanks."), 0, "supported"),
        (("u: Is it five?", "a: Yes, it is."), 0, "supported"),
        (("u: Is it five?", "a: I will look it up."), 0, "unsupported"),
        (("u: Sind es fünf?",), 0, "unsupported"),
        (("u: Can you make it five?",), 0, "supported"),
        (("u: Is it 1.5 or five? It is five.",), 0, "supported"),
    ],
)
def test_what_is_only_asked_is_not_told(said: tuple[str, ...], index: int, status: ValueStatus):
    assert check_claim(field("integer"), Claim(index, 5), turns(*said)).status == status


@pytest.mark.parametrize(
    ("about", "said", "status"),
    [
        ("Number of nights", "at least three nights", "unsupported"),
        ("Least number of nights", "at least three nights", "supported"),
        ("Maximum number of nights", "at least three nights", "unsupported"),
        ("Maximum number of nights", "no more than three nights", "supported"),
        ("Roughly how many nights", "almost three nights", "supported"),
        ("Number of nights", "about three nights", "supported"),
        ("Number of nights", "three or so", "supported"),
    ],
)
def test_a_bound_is_a_value_only_where_it_is_asked_for(about: str, said: str, status: ValueStatus):
    asked = field("integer").model_copy(update={"description": about})

    assert check_claim(asked, Claim(0, 3), turns(f"u: {said}")).status == status
