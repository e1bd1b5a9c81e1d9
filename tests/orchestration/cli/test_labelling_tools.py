"""People who label see what judges see."""

from conversation.transcript import ToolCall, Transcript, Turn
from orchestration.cli.labelling import transcript_text


def test_the_tools_that_an_agent_used_stand_before_what_it_said():
    call = ToolCall(
        tool_name="cancel_order",
        tool_call_id="1",
        parameters={"id": 5},
        result="no such order",
        is_error=True,
    )
    transcript = Transcript(
        conversation_id="c1",
        turns=(
            Turn(role="user", text="Cancel order 5"),
            Turn(role="agent", text="I cancelled it.", tool_calls=(call,)),
        ),
    )

    shown = transcript_text(transcript)

    assert shown.splitlines() == [
        "  0  user   Cancel order 5",
        '  1  tool   cancel_order {"id": 5} failed: no such order',
        "  1  agent  I cancelled it.",
    ]
