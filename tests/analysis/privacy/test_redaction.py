from hypothesis import given
from hypothesis import strategies as st

from analysis.judge.evidence import verify_quote
from analysis.privacy.pii import BuiltinDetector
from analysis.privacy.redaction import (
    Redactor,
    policy_version,
    redact_retrievals,
    redact_transcript,
)
from conversation.agent.privacy_config import PrivacySection
from conversation.transcript import Citation, Retrieval, ToolCall, Transcript, Turn, TurnFile

MASKING = PrivacySection(redact=True)


def talk(*texts: str, **changes: object) -> Transcript:
    turns = tuple(
        Turn(role="agent" if index % 2 else "user", text=text) for index, text in enumerate(texts)
    )
    return Transcript(conversation_id="c1", turns=turns).model_copy(update=changes)


def masked(*texts: str) -> list[str]:
    return [turn.text for turn in redact_transcript(talk(*texts), MASKING)[0].turns]


def test_the_same_value_has_one_placeholder_and_another_has_another():
    assert masked(
        "I am ann@example.org, my husband is bob@example.org.",
        "I wrote to ANN@example.org.",
        "And call +49 170 1234567.",
    ) == [
        "I am [EMAIL_1], my husband is [EMAIL_2].",
        "I wrote to [EMAIL_1].",
        "And call [PHONE_1].",
    ]


def test_a_number_is_masked_also_where_only_a_later_turn_says_what_it_is():
    assert masked("It is 5550123.", "What is?", "My phone number is 5550123.") == [
        "It is [PHONE_1].",
        "What is?",
        "My phone number is [PHONE_1].",
    ]


def test_a_placeholder_that_somebody_typed_is_not_given_out():
    assert masked("I said [EMAIL_1]. I am ann@example.org.") == [
        "I said [EMAIL_1]. I am [EMAIL_2]."
    ]


def test_what_stands_in_the_documents_is_not_personal():
    found = Retrieval(
        turn_id="t", query="ann@example.org", chunk_id="c", document_id="d", document_name="n",
        start_char=0, end_char=1, rank=1, score=1.0, text="Write to Help@shop.example.",
    )  # fmt: skip
    said = talk("I am ann@example.org, is yours help@shop.example?")
    redacted, redactor = redact_transcript(said, MASKING, retrievals=[found])
    assert redacted.turns[0].text == "I am [EMAIL_1], is yours help@shop.example?"
    assert redact_retrievals([found], redactor)[0].query == "[EMAIL_1]"
    assert redactor.counts == {"email": 1}


def test_quotes_are_verified_against_the_masked_words():
    redacted, _ = redact_transcript(talk("My mail is ann@example.org, thanks."), MASKING)
    assert verify_quote(redacted.turns, 0, "my mail is [EMAIL_1]") is not None
    assert verify_quote(redacted.turns, 0, "ann@example.org") is None


def test_tool_calls_and_metadata_are_masked_and_citations_stay_in_place():
    text = "I noted ann@example.org. Refunds take five days."
    start = text.index("Refunds")
    turn = Turn(
        role="agent",
        text=text,
        generated_text=f"{text} Anything else, ann@example.org?",
        tool_calls=(
            ToolCall(
                tool_name="save",
                tool_call_id="1",
                parameters={"to": ["ann@example.org"], "n": 2},
                result="ok ann@example.org",
            ),
        ),
        citations=(
            Citation(
                document_id="d", document_name="n", chunk_id="c", start_char=0, end_char=9,
                quote="five days", turn_start_char=start, turn_end_char=len(text), score=1.0,
            ),
        ),
        unsupported_spans=((0, start - 1),),
    )  # fmt: skip
    said = Transcript(conversation_id="c", turns=(turn,), metadata={"from": "+1 415 555 0132"})
    redacted, _ = redact_transcript(said, MASKING)
    [found] = redacted.turns
    citation = found.citations[0]
    assert (
        found.text[citation.turn_start_char : citation.turn_end_char] == "Refunds take five days."
    )
    assert found.text[: found.unsupported_spans[0][1]] == "I noted [EMAIL_1]."
    assert "ann@" not in redacted.model_dump_json()
    assert redacted.metadata == {"from": "[PHONE_1]"}
    assert found.tool_calls[0].parameters == {"to": ["[EMAIL_1]"], "n": 2}


def test_the_name_of_a_file_is_masked_as_in_the_words_of_its_turn():
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    came = (
        TurnFile(file_id="file_1", name="bill of ann@example.org.docx", mime_type=word),
        TurnFile(file_id="file_2", name="plain.txt", mime_type="ann@example.org/x"),
    )
    turn = Turn(role="user", text="I am bob@example.org.\n\n[ann@example.org.docx]", files=came)
    (shown,) = redact_transcript(talk().model_copy(update={"turns": (turn,)}), MASKING)[0].turns
    assert [each.file_id for each in shown.files] == ["file_1", "file_2"]
    assert [each.name for each in shown.files][1:] == ["plain.txt"]
    assert shown.files[0].mime_type == word
    assert "ann@" not in shown.model_dump_json()


def test_names_of_variables_and_parameters_are_masked_as_values_are():
    given = {
        "zoe.quux@example.com": "v",
        "ZOE.quux@example.com": 1,
        "call +1 415 555 0132": True,
        "plan": "gold",
    }
    parameters = {"inner": [dict(given)], "zoe.quux@example.com": {"+1 415 555 0132": 2}}
    call = ToolCall(tool_name="save", tool_call_id="1", parameters=parameters, result=None)
    turn = Turn(role="agent", text="Done.", tool_calls=(call,))
    said = Transcript(conversation_id="c", turns=(turn,), variables=dict(given))
    redacted, redactor = redact_transcript(said, MASKING)

    shown = {"[EMAIL_1]": "v", "[EMAIL_1] (2)": 1, "call [PHONE_1]": True, "plan": "gold"}
    assert redacted.variables == shown
    assert redacted.turns[0].tool_calls[0].parameters == {
        "inner": [shown],
        "[EMAIL_1]": {"[PHONE_1]": 2},
    }
    assert "zoe" not in redacted.model_dump_json().casefold()
    kept = redactor.anything({"zoe.quux@example.com": "zoe.quux@example.com"})
    assert kept == {"zoe.quux@example.com": "[EMAIL_1]"}, "what a program wrote keeps its names"


@given(
    st.dictionaries(
        st.text(st.sampled_from("aA@. [](2)EMIL_1"), max_size=12)
        | st.sampled_from(["a@b.example", "A@b.example", "a@B.example", "[EMAIL_1]"]),
        st.integers(0, 9),
        max_size=8,
    )
)
def test_no_value_is_lost_where_its_name_is_masked(given: dict[str, int]):
    found = Redactor(MASKING).anything(given, names=True)
    assert list(found.values()) == list(given.values())


def test_other_kinds_are_another_policy():
    detector = BuiltinDetector()
    some = PrivacySection(redact=True, kinds=("email",))
    assert policy_version(MASKING, detector) != policy_version(some, detector)
    kept = PrivacySection(redact=True, transcripts_days=3)
    assert policy_version(MASKING, detector) == policy_version(kept, detector)


@given(st.lists(st.sampled_from(["a@b.example", "x", "+1 415 555 0132", " ", ". "]), max_size=12))
def test_masking_twice_changes_nothing_more(parts: list[str]):
    once = Redactor(MASKING).text(" ".join(parts))
    assert Redactor(MASKING).text(once) == once
