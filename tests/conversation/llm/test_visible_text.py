"""What models write for themselves is not said, however it is cut into pieces."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.agent.config import AgentConfig
from conversation.llm.chat_model import Completion, RequestedTool
from conversation.llm.reasoning_habit import ReasoningHabit
from conversation.llm.visible_text import VisibleText, learn_from_trial, visible
from conversation.llm.written_calls import requested_in_text
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import Usage
from conversation.turn.events import AgentTurn, TextDelta
from tests.fakes import ScriptedChatModel

CASES = [
    ("<think>The user is rude.</think>Hello!", "Hello!", ["The user is rude."], []),
    ("<think>\na\n</think>\n\nHello!", "Hello!", ["a"], []),
    ("<THINK >a</ think>Hi", "Hi", ["a"], []),
    ("<reasoning>a</reasoning> Hi <thinking>b</thinking> you", "Hi you", ["a", "b"], []),
    ("<think>a <b>c</b> < d </reasoning></think>Hi", "Hi", ["a <b>c</b> < d </reasoning>"], []),
    ("<think>cut at the limit", "", ["cut at the limit"], []),
    ("</think>Hi", "Hi", [], []),
    ("<think></think>Hi", "Hi", [], []),
    ('<tool_call>{"name": "x"}</tool_call>', "", [], ['{"name": "x"}']),
    ('One moment.\n<tool_call>\n{"name": "x"}', "One moment.\n", [], ['{"name": "x"}']),
    ("Write `<think>` before it.", "Write `<think>` before it.", [], []),
    ("Use the <think> tag for it.", "Use the <think> tag for it.", [], []),
    ("3 < 4 and <thing> and <t", "3 < 4 and <thing> and <t", [], []),
    ("a\n\nb <thinker>", "a\n\nb <thinker>", [], []),
    ("<think>a</think>one\n\ntwo", "one\n\ntwo", ["a"], []),
    ('<think type="deep">a</think>Hi', "Hi", ["a"], []),
    ("<seed:think>a</seed:think>Hi", "Hi", ["a"], []),
    ("<think />Hi <s>all</s>", "Hi <s>all</s>", [], []),
    ("<think>a<think>b</think>c</think>Hi", "Hi", ["a<think>b", "c"], []),
    ("<think>not <think> again</think>Hi <b>you</b>", "Hi <b>you</b>", ["not <think> again"], []),
    ("[THINK]a[/THINK]Hi", "Hi", ["a"], []),
    ("See [think] and [1]", "See [think] and [1]", [], []),
    ("\u25c1think\u25b7a\u25c1/think\u25b7Hi", "Hi", ["a"], []),
    ("<|begin_of_thought|>a<|end_of_thought|>Hi", "Hi", ["a"], []),
    ("<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>Hi<|END_RESPONSE|>", "Hi", ["a"], []),
    (
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>Hi",
        *("Hi", ["a"], []),
    ),
    ("<|channel|>commentary<|message|>One moment.<|end|>", "One moment.", [], []),
    (
        "<|channel|>commentary to=functions.x <|constrain|>json<|message|>{}<|call|>",
        *("", [], ["<function=functions.x>{}"]),
    ),
    (
        "Hi<|start|>functions.x to=assistant<|channel|>commentary<|message|>{}<|end|>",
        *("Hi", ["{}"], []),
    ),
    ("<|channel|>ana", "", [], []),
    ("<|im_start|>assistant\nHi<|im_end|>\n<|im_start|>user\nBye", "Hi\n", ["Bye"], []),
    ("<|start_header_id|>assistant<|end_header_id|>\n\nHi<|eot_id|>", "Hi", [], []),
    ("Write `<|im_end|>` there.", "Write `<|im_end|>` there.", [], []),
    ("a <| b |> c <|", "a <| b |> c <|", [], []),
    ('[TOOL_CALLS][{"name": "x"}]', "", [], ['[{"name": "x"}]']),
    ("<|python_tag|>x.call(a=1)<|eom_id|>", "", [], ["x.call(a=1)"]),
    ('<function=x>{"a": 1}</function>', "", [], ['<function=x>{"a": 1}']),
    ('<tool_call name="x">{}</tool_call>', "", [], ['<tool_call name="x">{}']),
    ("Well:\n```tool_code\nx(a=1)\n```\nDone", "Well:\nDone", [], ["x(a=1)"]),
    (
        "<\uff5ctool\u2581calls\u2581begin\uff5c>x<\uff5ctool\u2581calls\u2581end\uff5c>Hi",
        *("Hi", [], ["x"]),
    ),
    ('{"name": "x", "parameters": {"a": 1}}', "", [], ['{"name": "x", "parameters": {"a": 1}}']),
    ('{"name": "Ann", "age": 5}', '{"name": "Ann", "age": 5}', [], []),
    ("{ } is empty", "{ } is empty", [], []),
    (
        "So:\n```xml\n<think>a</think>\n<tool_call>{}</tool_call>\n```\n<think>b</think>Hi",
        *("So:\n```xml\n<think>a</think>\n<tool_call>{}</tool_call>\n```\nHi", ["b"], []),
    ),
    ("```py\nx = 1\n```\nand `y`", "```py\nx = 1\n```\nand `y`", [], []),
    ("<think>a</thinking>Hi", "Hi", ["a"], []),
    ("<thoughts>a</thought>Hi", "Hi", ["a"], []),
    ("<analysis>a</analysis>Hi", "Hi", ["a"], []),
    ("<antThinking>a</antThinking>Hi", "Hi", ["a"], []),
    ("<chain_of_thought>a</chain_of_thought>Hi", "Hi", ["a"], []),
    ("<think>a</think>\n<answer>Hi <b>you</b></answer>", "Hi <b>you</b>", ["a"], []),
    ("<final_answer>Hi</final_answer>\n", "Hi\n", [], []),
    ("Put it into <answer>here</answer>", "Put it into <answer>here</answer>", [], []),
    ("Hi</s>", "Hi", [], []),
    ("Hi <s>all</s></s>", "Hi <s>all</s></s>", [], []),
    ("<start_of_turn>model\nHi<end_of_turn>", "Hi", [], []),
    ("Hi<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>", "Hi\n", ["Bye"], []),
    ("<bos>Hi<eos>", "Hi", [], []),
    ('<tools>{"name": "x"}</tools>', "", [], ['{"name": "x"}']),
    ('<|tool_call|>{"name": "x"}<|/tool_call|>Hi', "Hi", [], ['{"name": "x"}']),
    ("<|action_start|><|plugin|>{}<|action_end|>", "", [], ["<|plugin|>{}"]),
    ('```json\n{"name": "x", "arguments": {}}\n```', "", [], ['{"name": "x", "arguments": {}}']),
    ('```json\n{"name": "Ann"}\n```', '```json\n{"name": "Ann"}\n```', [], []),
    (
        'Sure.\n{"name": "x", "arguments": {"a": 1}}<|eot_id|>',
        *("Sure.", [], ['{"name": "x", "arguments": {"a": 1}}']),
    ),
    ('Like\n{"name": "Ann"} or so', 'Like\n{"name": "Ann"} or so', [], []),
    ("[x(a=1), y()]", "", [], ["[x(a=1), y()]"]),
    ("[x](a) and [y(1)]", "[x](a) and [y(1)]", [], []),
    ("[see(page=1)] for it", "[see(page=1)] for it", [], []),
    ('functools[{"name": "x", "arguments": {}}]', "", [], ['[{"name": "x", "arguments": {}}]']),
]


@pytest.mark.parametrize(("written", "said", "thinking", "calls"), CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1_000])
def test_only_what_is_for_the_user_is_shown(
    written: str, said: str, thinking: list[str], calls: list[str], size: int
):
    text = VisibleText()
    shown = [text.take(written[at : at + size]) for at in range(0, len(written), size)]
    shown.append(text.end())

    assert "".join(shown) == said
    assert (text.thinking, text.calls) == (thinking, calls)


fragments = st.sampled_from(
    [
        *("<", ">", "</", "think", "<think>", "</think>", "<tool_call>", "</tool_call>", " ", "\n"),
        *("`", "```", "```tool_code\n", "[THINK]", "[/THINK]", "[TOOL_CALLS]", "{", '"name":', "}"),
        *("<|start|>", "<|channel|>", "analysis", "final", "<|message|>", "<|end|>", "<|call|>"),
        *("<answer>", "</answer>", "</s>", "<s>", "<start_of_turn>", "model", "<end_of_turn>"),
        *(
            '\n{"name": "x", "arguments": {}}',
            "[x(a=1)",
            "]",
            "functools[",
            "```json\n",
            "</thinking>",
        ),
        *("<|im_start|>", "user", "<|im_end|>", "<|python_tag|>", "<function=x>", "</function>"),
    ]
)


@given(st.lists(fragments | st.text(max_size=3), max_size=20), st.lists(st.integers(1, 9)))
def test_pieces_change_nothing(parts: list[str], sizes: list[int]):
    written = "".join(parts)
    whole, cut = VisibleText(), VisibleText()
    expected = whole.take(written) + whole.end()
    shown, at = "", 0
    for size in sizes:
        shown += cut.take(written[at : at + size])
        at += size
    shown += cut.take(written[at:]) + cut.end()

    assert shown == expected
    assert (cut.thinking, cut.calls) == (whole.thinking, whole.calls)


@pytest.mark.parametrize(
    ("trial", "reason", "answer", "said", "thinking"),
    [
        ("Okay, the user", "length", "They greet.\n</think>\n\nHello!", "Hello!", "They greet."),
        ("Okay, the user", "length", "Hello!", "Hello!", ""),
        ("OK", "stop", "Hello! <b>You</b>", "Hello! <b>You</b>", ""),
        ("<think>Okay, the", "length", "<think>a</think>Hello!", "Hello!", "a"),
        ("", "length", "Hello!", "Hello!", ""),
    ],
)  # fmt: skip
async def test_a_trial_tells_that_the_first_answer_may_begin_within_reasoning(
    trial: str, reason: str, answer: str, said: str, thinking: str
):
    habit = ReasoningHabit()
    await learn_from_trial(written(trial, reason), habit)

    *shown, last = [piece async for piece in visible(written(answer, "stop"), habit)]

    assert isinstance(last, Completion)
    assert ("".join(map(str, shown)), last.thinking) == (said, thinking)
    habit.suspect()
    assert habit.closed_by is None or thinking, "an answer tells more than a trial"


async def written(text: str, reason: str) -> AsyncGenerator[str | Completion, None]:
    for char in text:
        yield char
    yield Completion(text, Usage(model="m"), reason)


ANSWERS = [
    # What comes, how it ended, what is said, what is kept apart.
    ("The user greets.\n</think>\n\nHello!", "stop", "The user greets.\n\n\nHello!", ""),
    ("They ask again.\n</think>\n\nAt nine.", "stop", "At nine.", "They ask again."),
    ("It is long and long", "length", "", "It is long and long"),
    ("Now short.</think>Yes.", "stop", "Yes.", "Now short."),
    ("", "tool_calls", "", ""),
    ("Still so.</think>Yes.", "stop", "Yes.", "Still so."),
    ("Without any.", "stop", "Without any.", ""),
    ("At once again.", "stop", "At once again.", ""),
    ("Use the </think> tag.", "stop", "Use the  tag.", ""),
    ("Still at once.", "stop", "Still at once.", ""),
]


async def test_the_end_of_reasoning_that_the_prompt_opened_is_learned_from_the_first_answer():
    habit = ReasoningHabit()

    for text, reason, said, thinking in ANSWERS:
        *shown, last = [piece async for piece in visible(written(text, reason), habit)]
        assert isinstance(last, Completion)
        assert ("".join(map(str, shown)), last.thinking) == (said, thinking)
        if reason == "stop":
            assert last.text == said or not thinking


def test_a_text_without_tags_comes_at_once():
    text = VisibleText()

    assert [text.take(piece) for piece in ("Hel", "lo <", "b> ", "you")] == [
        "Hel",
        "lo ",
        "<b> ",
        "you",
    ]


def test_long_reasoning_takes_linear_time():
    text = VisibleText()
    for _ in range(200_000):
        text.take("<a ")
    assert text.take("<think>") == ""
    for _ in range(200_000):
        assert text.take("no ") == ""
    assert text.take("</think>Yes") == "Yes"


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ('{"name": "x", "arguments": {"a": 1}}', [RequestedTool("x", '{"a": 1}')]),
        ('{"name": "x", "parameters": "{}"}', [RequestedTool("x", "{}")]),
        ('{"function": {"name": "x", "arguments": {}}}', [RequestedTool("x", "{}")]),
        ('{"function": "x"}', [RequestedTool("x", "{}")]),
        ('[{"name": "x"}, {"name": "y"}]', [RequestedTool("x", "{}"), RequestedTool("y", "{}")]),
        ('<function=x>{"a": 1}', [RequestedTool("x", '{"a": 1}')]),
        (
            "<function=x>\n<parameter=a>\n1\n</parameter>\n<parameter=b>\nno <b>\n</parameter>",
            [RequestedTool("x", '{"a": 1, "b": "no <b>"}')],
        ),
        (
            '<invoke name="x"><parameter name="a">1</parameter></invoke><invoke name="y"></invoke>',
            [RequestedTool("x", '{"a": 1}'), RequestedTool("y", "{}")],
        ),
        ('<tool_call name="x">{"a": 1}', [RequestedTool("x", '{"a": 1}')]),
        ("<function=functions.x>", [RequestedTool("functions.x", "{}")]),
        ('x[ARGS]{"a": {"b": 1}}', [RequestedTool("x", '{"a": {"b": 1}}')]),
        ('x{"a": 1}[TOOL_CALLS]y{}', [RequestedTool("x", '{"a": 1}'), RequestedTool("y", "{}")]),
        (
            '<|tool_call_begin|>functions.x:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|>',
            [RequestedTool("functions.x", '{"a": 1}')],
        ),
        (
            'function<\uff5ctool\u2581sep\uff5c>x\n```json\n{"a": 1}\n```',
            [RequestedTool("x", '{"a": 1}')],
        ),
        ('x(a=1, b="two")', [RequestedTool("x", '{"a": 1, "b": "two"}')]),
        ("print(api.x(a=[1]))", [RequestedTool("api.x", '{"a": [1]}')]),
        ("[x(a=1), y()]", [RequestedTool("x", '{"a": 1}'), RequestedTool("y", "{}")]),
        ("x(5)", []),
        ("x(a=open('y'))", []),
        ("x(a=1e999)", []),
        ("(" * 300, []),
        ("I would call it.", []),
        ("{", []),
        ("[]", []),
        ("3", []),
    ],
)
def test_calls_in_the_text_are_calls(written: str, asked: list[RequestedTool]):
    assert list(requested_in_text([written])) == asked


def test_a_turn_says_stores_and_prompts_only_the_answer(tmp_path: Path):
    model = ScriptedChatModel("<think> The user is rude. </think> Hello there!", "Fine.")
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        session = Session.start(AgentConfig(agent_id="a", name="A"), store=store, chat_model=model)
        *events, turn = session.reply("Hi")
        list(session.reply("How are you?"))
        kept = store.events(session.conversation_id, kind="model_thinking")

    assert isinstance(turn, AgentTurn)
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Hello there!"
    assert (turn.text, turn.turn.generated_text, turn.error) == ("Hello there!", None, None)
    assert "rude" not in model.prompt_texts[1]
    assert [event.payload for event in kept] == [{"text": "The user is rude."}]
    assert kept[0].turn_id == turn.turn.turn_id


def test_thinking_alone_is_no_answer(tmp_path: Path):
    cut = Completion("<think>Let me see", Usage(model="m"), "length")
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        session = Session.start(
            AgentConfig(agent_id="a", name="A"), store=store, chat_model=ScriptedChatModel(cut)
        )
        *_, turn = session.reply("Hi")

    assert isinstance(turn, AgentTurn)
    assert turn.text.startswith("Sorry")
    assert turn.error is not None
