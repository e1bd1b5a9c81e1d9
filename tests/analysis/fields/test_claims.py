"""Claimed values count only where they were said."""

import pytest

from analysis.fields.claims import Claim, check_claim, find_value, parse_claims
from analysis.results import Evidence, FieldValue, ValueStatus
from conversation.agent.config import DataCollectionField
from conversation.agent.criteria import FieldType
from conversation.errors import ModelOutputError
from conversation.transcript import Turn

TURNS = (
    Turn(role="user", text="I have three dogs and want the basic plan."),
    Turn(role="agent", text="The Basic plan or the premium plan?"),
    Turn(role="user", text="Premium, and please call me back."),
)


def field(kind: FieldType = "string", *enum: str) -> DataCollectionField:
    return DataCollectionField(
        field_id="f", type=kind, description="What was said.", enum=enum or None
    )


@pytest.mark.parametrize(
    ("asked", "claim", "value", "status", "quote"),
    [
        (field("integer"), Claim(0, 3), 3, "supported", "three"),
        (field("integer"), Claim(0, 4), None, "contradicted", "three"),
        (field("integer"), Claim(2, 3), None, "unsupported", None),
        (field(), Claim(0, "basic plan"), "basic plan", "supported", "basic plan"),
        (field(), Claim(2, "basic plan"), None, "unsupported", None),
        (field(), Claim(9, "basic plan"), None, "unsupported", None),
        (field(), Claim(-1, "Premium"), None, "unsupported", None),
        (
            field("string", "basic", "premium"),
            Claim(2, "premium"),
            "premium",
            "supported",
            "Premium",
        ),
        (field("string", "basic", "premium"), Claim(2, "basic"), None, "contradicted", "Premium"),
        (
            field("string", "sales", "support"),
            Claim(0, "sales"),
            "sales",
            "supported",
            "I have three dogs and want the basic plan.",
        ),
        (
            field("boolean"),
            Claim(2, True),
            True,
            "supported",
            "Premium, and please call me back.",
        ),
        (field("string", "sales", "support"), Claim(0, "other"), None, "invalid", None),
        (field("boolean"), Claim(2, "perhaps"), None, "invalid", None),
    ],
)
def test_a_claim_is_accepted_only_when_its_turn_says_it(
    asked: DataCollectionField,
    claim: Claim,
    value: FieldValue,
    status: ValueStatus,
    quote: str | None,
):
    finding = check_claim(asked, claim, TURNS)

    assert (finding.value, finding.status) == (value, status)
    assert [each.quote for each in finding.evidence] == ([] if quote is None else [quote])


def test_a_value_is_located_where_the_user_said_it_last():
    assert find_value(field(), "premium", TURNS, range(3)) == Evidence(
        turn_index=2, quote="Premium"
    )
    assert find_value(field(), "premium", TURNS, range(2)) == Evidence(
        turn_index=1, quote="premium"
    )
    assert find_value(field(), "gold", TURNS, range(3)) is None


def test_a_number_counts_only_where_its_field_is_spoken_of():
    dogs = field("integer").model_copy(update={"field_id": "dogs"})
    bags = field("integer").model_copy(update={"field_id": "bags"})

    assert find_value(dogs, 3, TURNS, range(3)) == Evidence(turn_index=0, quote="three")
    assert find_value(bags, 3, TURNS, range(3)) is None


@pytest.mark.parametrize(
    ("about", "value", "status"),
    [
        ("The lowest price", 200, "supported"),
        ("The highest price", 200, "ambiguous"),
        ("max_price", 300, "supported"),
        ("The price", 200, "ambiguous"),
    ],
)
def test_of_a_range_a_field_may_ask_for_one_end(about: str, value: int, status: ValueStatus):
    said = [Turn(role="user", text="Between 200 and 300 euros.")]

    asked = field("integer").model_copy(update={"description": about})

    assert check_claim(asked, Claim(0, value), said).status == status


def test_of_two_claims_for_a_field_the_first_counts():
    claims = parse_claims(
        '{"fields": [{"field": "f", "turn": 1, "value": 1}, {"field": "f", "turn": 2, "value": 2}]}'
    )

    assert claims == {"f": Claim(1, 1)}


@pytest.mark.parametrize(
    "text",
    ["none", "[]", '{"fields": 3}', '{"fields": [1]}', '{"fields": [{"field": "f", "value": 1}]}'],
)
def test_another_form_is_not_read(text: str):
    with pytest.raises(ModelOutputError, match="expected"):
        parse_claims(text)


@pytest.mark.parametrize(
    ("chosen", "turned_down", "text"),
    [
        ("退款", "换货", "我不要换货，我要退款"),
        ("换货", "退款", "不用退款了，换货吧"),
        ("返金", "交換", "交換ではなく返金です"),
        ("환불", "교환", "교환 말고 환불이요"),
        ("возврат", "обмен", "не обмен, а возврат"),
        ("rimborso", "cambio", "non un cambio, un rimborso"),
        ("reembolso", "troca", "não quero troca, quero reembolso"),
        ("retour", "ruilen", "niet ruilen maar retour"),
        ("zwrot", "wymiana", "nie wymiana, tylko zwrot"),
    ],
)
def test_what_is_turned_down_is_no_choice_in_any_language(chosen: str, turned_down: str, text: str):
    said, asked = [Turn(role="user", text=text)], field("string", chosen, turned_down)

    assert check_claim(asked, Claim(0, chosen), said).status == "supported"
    assert check_claim(asked, Claim(0, turned_down), said).status == "contradicted"
