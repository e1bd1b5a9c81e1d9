"""What `/why` shows."""

from conversation.transcript import Citation, LLMCall, Retrieval, ToolCall, Turn, Usage
from orchestration.terminal.explaining import turn_explanation

TEXT = "Refunds take 14 days. Shipping is free. Anything else?"
CITED = Citation(
    document_id="d1",
    document_name="refunds.md",
    chunk_id="c1",
    start_char=100,
    end_char=162,
    quote="paid within\n14 days",
    turn_start_char=0,
    turn_end_char=21,
    score=0.9,
    page="3",
)
TURN = Turn(
    role="agent",
    text=TEXT,
    citations=(CITED,),
    unsupported_spans=((22, 39),),
    grounded_share=0.5,
    tool_calls=(ToolCall(tool_name="lookup", tool_call_id="t", result="sent"),),
    calls=(
        LLMCall(usage=Usage(model="a/first", source="estimated"), error="ModelUnavailableError"),
        LLMCall(
            usage=Usage(
                model="b/second",
                input_tokens=1_200,
                cached_input_tokens=900,
                output_tokens=20,
                cost_usd=0.001,
            ),
            request_to_first_token_ms=412.4,
        ),
    ),
)


def found(
    chunk_id: str, rank: int, *, in_prompt: bool = True, text: str = "Some text"
) -> Retrieval:
    return Retrieval(
        turn_id="conv_a.2",
        query="How long?",
        chunk_id=chunk_id,
        document_id="d1",
        document_name="refunds.md",
        start_char=100,
        end_char=162,
        page="3",
        rank=rank,
        score=0.5 / rank,
        in_prompt=in_prompt,
        text=text,
    )


def test_an_answer_is_explained_by_passages_sentences_and_calls():
    shown = turn_explanation(
        TURN,
        [found("c1", 1, text="x " * 400), found("c2", 2), found("c3", 3, in_prompt=False)],
    ).splitlines()

    assert shown[0] == "searched for 'How long?', by meaning and by words"
    assert shown[1] == "  1. refunds.md, page 3 [100-162]  score 0.500  cited"
    assert shown[2].endswith("x ...")
    assert len(shown[2]) < 320
    assert shown[3].endswith("score 0.250  read")
    assert shown[5].endswith("score 0.167  not in the prompt")
    assert shown[8:] == [
        "+ Refunds take 14 days.",
        '    refunds.md, page 3 [100-162]  overlap 0.90: "paid within 14 days"',
        "! Shipping is free.",
        "    no passage says this",
        "  Anything else?",
        "grounded share 0.50",
        "tool lookup: sent",
        "model a/first (answer) · failed: ModelUnavailableError · 0 tokens read, 0 written"
        " · estimated",
        "model b/second (answer) · 1,200 tokens read, 900 of them from the cache, 20 written"
        " · 0.0010 USD · measured · first token after 412 ms",
    ]


def test_a_late_search_says_so_and_nothing_steers_the_terminal():
    late = found("c1", 1, text="\x1b[2J").model_copy(update={"mode": "lexical"})

    shown = turn_explanation(Turn(role="agent", text="Well."), [late])

    assert "by words alone, because the full search was too slow" in shown
    assert "\x1b" not in shown
    assert turn_explanation(Turn(role="agent", text="Well."), []).startswith("No passage was found")
