"""Fields are asked in groups, and every value ends beside the words that tell it."""

import json
import math
from collections.abc import Sequence

from analysis.fields.claims import CheckedClaim
from analysis.fields.data_collection import collect_fields
from analysis.judge.asking import Meter, answer_question
from analysis.judge.prompts import JudgeVariant
from analysis.judge.windows import transcript_windows
from analysis.results import Evidence
from conversation.agent.config import DataCollectionField
from conversation.agent.criteria import FieldType
from conversation.llm.chat_model import Completion
from conversation.transcript import Turn, Usage
from tests.fakes import ScriptedChatModel

TURNS = (
    Turn(role="agent", text="Shall we call you back?"),
    Turn(role="user", text="Yes please, on 555 0100. We are twelve people."),
)


def field(field_id: str, kind: FieldType = "string") -> DataCollectionField:
    return DataCollectionField(field_id=field_id, type=kind, description=f"The {field_id}.")


def word(**probabilities: float) -> Completion:
    """A one-word answer with the probabilities of its candidates."""
    return Completion(
        text="yes",
        usage=Usage(model="scripted/model", input_tokens=10, output_tokens=1, cost_usd=0.0),
        finish_reason="stop",
        top_logprobs={token: math.log(p) for token, p in probabilities.items()},
    )


def collect(
    judge: ScriptedChatModel,
    *fields: DataCollectionField,
    variant: JudgeVariant = "logprobs",
    turns: Sequence[Turn] = TURNS,
) -> dict[str, CheckedClaim]:
    question = collect_fields(
        fields, turns, transcript_windows(turns), variant=variant, meter=Meter()
    )
    return answer_question(question, judge)


def test_a_boolean_stands_beside_the_sentence_it_is_about():
    judge = ScriptedChatModel({"call_back": True}, "yes")

    found = collect(judge, field("call_back", "boolean"))["call_back"]

    assert (found.value, found.status) == (True, "supported")
    assert found.evidence == (Evidence(turn_index=0, quote="Shall we call you back?"),)


def test_a_boolean_about_nothing_that_was_said_is_not_discussed():
    judge = ScriptedChatModel({"smoking": False})

    assert collect(judge, field("smoking", "boolean"))["smoking"].status == "not_discussed"


def test_a_boolean_that_the_judge_does_not_stand_by_is_unsupported():
    judge = ScriptedChatModel({"call_back": False}, "no")

    found = collect(judge, field("call_back", "boolean"))["call_back"]

    assert (found.value, found.status) == (None, "unsupported")
    assert "call_back" in judge.prompts[1][-1].content


def test_an_enum_with_a_catch_all_sorts_every_conversation():
    topic = field("topic").model_copy(update={"enum": ("billing", "other")})
    kind = field("kind").model_copy(update={"enum": ("complaint", "question")})
    judge = ScriptedChatModel({"topic": "other", "kind": "question"}, "no")

    found = collect(judge, topic, kind)

    assert (found["topic"].value, found["topic"].status) == ("other", "supported")
    assert found["topic"].evidence[0].turn_index == 1
    assert (found["kind"].value, found["kind"].status) == (None, "unsupported")


def test_of_classes_that_nobody_names_the_surest_is_taken():
    kind = field("kind").model_copy(update={"enum": ("complaint", "question", "praise")})
    judge = ScriptedChatModel(
        {"kind": "question"}, word(yes=0.6, no=0.4), word(yes=0.8, no=0.2), word(yes=0.1, no=0.9)
    )

    found = collect(judge, kind)["kind"]

    assert (found.value, found.status) == ("complaint", "supported")
    assert [prompt[-1].content.count("is praise") for prompt in judge.prompts] == [0, 0, 0, 1]


def test_numbers_are_found_by_their_words():
    judge = ScriptedChatModel({"people": 12}, "yes")

    found = collect(judge, field("people", "integer"))["people"]

    assert found.value == 12
    assert found.evidence == (Evidence(turn_index=1, quote="twelve"),)


def test_a_number_that_the_user_did_not_tell_is_unsupported():
    told, denied = word(yes=0.6, no=0.4), word(yes=0.55, no=0.45)

    assert collect(ScriptedChatModel({"people": 12}, told), field("people", "integer"))[
        "people"
    ].value == 12  # fmt: skip
    assert collect(ScriptedChatModel({"people": 12}, denied), field("people", "integer"))[
        "people"
    ].status == "unsupported"  # fmt: skip


def test_a_number_in_a_text_field_counts_as_a_number():
    people = field("people").model_copy(update={"description": "How many people come."})
    days = field("days").model_copy(update={"description": "Days until arrival."})
    judge = ScriptedChatModel({"people": "12", "days": "555"}, "yes")

    found = collect(judge, people, days)

    assert (found["people"].value, found["people"].evidence[0].quote) == ("12", "twelve")
    assert found["days"].status == "unsupported"
    assert len(judge.prompts) == 2


def test_words_that_are_claimed_for_two_fields_have_to_be_told_for_each():
    judge = ScriptedChatModel(
        {"home": "555 0100", "work": "555 0100", "call": "please"}, "no", "yes"
    )

    found = collect(judge, field("home"), field("work"), field("call"))

    assert [found[name].value for name in ("home", "work", "call")] == [None, "555 0100", "please"]
    assert len(judge.prompts) == 3


def test_words_that_only_the_agent_said_have_to_be_told():
    offered = field("offer")
    denied, told = word(yes=0.45, no=0.55), word(yes=0.55, no=0.45)

    assert collect(ScriptedChatModel({"offer": "call you back"}, denied), offered)[
        "offer"
    ].status == "unsupported"  # fmt: skip
    assert collect(ScriptedChatModel({"offer": "call you back"}, told), offered)[
        "offer"
    ].value == "call you back"  # fmt: skip


def test_a_class_in_words_needs_less_than_a_number():
    unsure = word(yes=0.5, no=0.5)
    answer = field("answer").model_copy(update={"enum": ("yes please", "no")})

    found = collect(
        ScriptedChatModel({"answer": "yes please", "people": 12}, unsure, unsure),
        *(answer, field("people", "integer")),
    )

    assert (found["answer"].value, found["people"].value) == ("yes please", None)


def test_a_number_of_an_enum_that_nobody_says_has_to_be_surer():
    riders = DataCollectionField(
        field_id="riders",
        type="integer",
        description="How many people ride.",
        enum=("1", "2", "12"),
    )
    alone = (Turn(role="user", text="I want a ride home, it is for me alone."),)

    for probability, value in ((0.65, 1), (0.58, None)):
        judge = ScriptedChatModel({"riders": 1}, word(yes=probability, no=1 - probability))
        assert collect(judge, riders, turns=alone)["riders"].value == value


def test_a_day_written_as_a_number_is_put_into_the_words_that_were_said():
    turns = (
        Turn(role="user", text="A flight to Rome, please, and a room from Friday on."),
        Turn(role="agent", text="When do you fly?"),
        Turn(role="user", text="On the 2nd of this month."),
    )
    chosen, told, denied = {"departure": "2nd of this month"}, word(yes=0.8), word(yes=0.5, no=0.5)
    judge = ScriptedChatModel({"departure": "2023-02-02"}, chosen, told)

    found = collect(judge, field("departure"), turns=turns)["departure"]

    assert found.value == "2nd of this month"
    assert found.evidence == (Evidence(turn_index=2, quote="2nd of this month"),)
    schema = judge.options[1].schema
    assert schema is not None
    assert schema["properties"]["departure"]["enum"] == ["Friday", "2nd of this month"]
    judge = ScriptedChatModel({"departure": "2023-02-02"}, chosen, denied)
    assert collect(judge, field("departure"), turns=turns)["departure"].status == "unsupported"


def test_a_time_written_in_another_way_is_put_into_the_words_that_were_said():
    turns = (
        Turn(role="agent", text="I have 4 pm and 4:30 pm."),
        Turn(role="user", text="The one at 4:30 p.m. then."),
    )

    found = collect(ScriptedChatModel({"slot": "16:30:00"}), field("slot"), turns=turns)["slot"]

    assert (found.value, found.evidence[0].turn_index) == ("4:30 p.m.", 1)


def test_a_day_that_was_said_once_goes_to_the_field_that_is_surest_of_it():
    turns = (Turn(role="user", text="A flight to Rome on Friday."),)
    judge = ScriptedChatModel(
        {"back": "2023-02-03", "departure": "2023-02-03", "arrival": "2023-02-03"},
        *({"back": "Friday"}, word(yes=0.7, no=0.3)),
        *({"departure": "Friday"}, word(yes=0.8, no=0.2)),
        *({"arrival": "Friday"}, word(yes=0.75, no=0.25)),
    )

    found = collect(judge, field("back"), field("departure"), field("arrival"), turns=turns)

    assert {name: each.value for name, each in found.items()} == {
        **{"back": None, "arrival": None},
        "departure": "Friday",
    }


def test_a_day_that_nobody_said_stays_unsupported():
    judge = ScriptedChatModel({"departure": "2023-02-02"})

    assert collect(judge, field("departure"))["departure"].status == "unsupported"
    assert len(judge.prompts) == 1


def test_a_day_of_which_the_judge_chooses_none_stays_unsupported():
    turns = (Turn(role="user", text="We met on Friday."),)
    judge = ScriptedChatModel({"departure": "2023-02-02"}, {})

    assert collect(judge, field("departure"), turns=turns)["departure"].status == "unsupported"


def test_null_and_empty_text_are_no_values():
    judge = ScriptedChatModel({"a": None, "b": ""})

    assert {each.status for each in collect(judge, field("a"), field("b")).values()} == {
        "not_discussed"
    }


def test_a_field_that_was_not_asked_for_is_ignored():
    judge = ScriptedChatModel({"phone": "555 0100", "shoe_size": "44"})

    assert set(collect(judge, field("phone"))) == {"phone"}


def test_many_fields_are_asked_in_groups_that_fit_a_prompt():
    judge = ScriptedChatModel(always="{}")
    fields = [field(f"f{number}") for number in range(50)]

    found = collect(judge, *fields)

    assert len(found) == 50
    assert len(judge.prompts) == 3
    asked = [name for options in judge.options for name in (options.schema or {})["properties"]]
    assert asked == [each.field_id for each in fields]


def test_in_the_json_variant_a_bad_citation_costs_only_its_own_value():
    reply = {
        "fields": [
            {"field": "phone", "turn": 0, "value": "555 0100"},
            {"field": "people", "turn": 1, "value": 12},
        ]
    }

    found = collect(
        ScriptedChatModel(json.dumps(reply)),
        field("phone"),
        field("people", "integer"),
        variant="json",
    )

    assert (found["phone"].value, found["phone"].status) == (None, "unsupported")
    assert (found["people"].value, found["people"].status) == (12, "supported")
