"""What an agent does in one turn, step by step, whoever waits for the steps.

A plan is a generator of steps. `Session.reply` and `Session.areply` carry the steps out, each in
its way of waiting, and send the outcome back in; every decision is made here, once.

    decide on tools -> use them -> search -> answer (-> use tools -> answer again)

Tools are decided on before the documents are searched, or in the answer itself when the provider
has tool calls and the prompt holds no text from outside.
"""

import logging
from collections.abc import Callable, Generator, Sequence
from typing import Any

from conversation.agent.system_tools import (
    END_CALL,
    MAX_QUESTION_CHARS,
    NEED_NO_ANSWER,
    REPORT_GAP,
    SEARCH,
    SKIP_TURN,
    TRANSFER,
    skips_turn,
    was_handed_over,
)
from conversation.errors import ConversationError, ModelOutputError
from conversation.llm.chat_model import Completion, CompletionOptions, OfferedTool
from conversation.prompt.prompt import DONT_KNOW, build_prompt
from conversation.tools.deciding import (
    Choice,
    chosen_tools,
    decision_messages,
    decision_options,
    describes_itself,
    holds_text_from_outside,
    is_made_up,
    outside_calls,
    requested_choices,
)
from conversation.tools.naming import named_tool, naming_options, takes_parameters
from conversation.transcript import ToolCall
from conversation.turn.events import RetrievalDone, ToolRequest
from conversation.turn.search import found_passages, searched_passages
from conversation.turn.stage import Stage
from conversation.turn.steps import Ask, Emit, Step, Steps, Use, Work
from conversation.turn.turn_so_far import SpeakingTurn
from kb.document import RetrievedPassage

_log = logging.getLogger(__name__)


class TurnPlan:
    """One turn of the agent that stands on `stage`."""

    def __init__(
        self, speaking: SpeakingTurn, stage: Stage, *, timer_s: Callable[[], float]
    ) -> None:
        self._speaking = speaking
        self._stage = stage
        self._timer_s = timer_s
        speaking.calls += stage.summary.take_calls()

    def steps(self) -> Steps:
        """The turn from the user's words to the last word of the agent."""
        yield from self._decide()
        if not self._is_finished():
            yield from self._retrieve()
            yield from self._answer()
        if self._leaves_a_gap():
            question = self._asked[:MAX_QUESTION_CHARS]
            yield from self._use_one(Choice(REPORT_GAP, {"question": question}))
        self._speaking.is_complete = True

    def _leaves_a_gap(self) -> bool:
        """Whether the agent searched, does not know, and is to report that."""
        speaking = self._speaking
        return (
            speaking.retrieval is not None
            and speaking.text.replace("\u2019", "'").casefold().startswith(DONT_KNOW.casefold())
            and any(tool.name == REPORT_GAP for tool in self._usable())
            and all(call.tool_name != REPORT_GAP for call in speaking.tool_calls)
            and not speaking.is_over
        )

    def _is_finished(self) -> bool:
        return self._speaking.is_over or skips_turn(self._speaking.tool_calls)

    # Deciding on tools in a call of its own

    def _decide(self) -> Steps:
        while (tools := self._usable()) and not self._is_finished():
            speaker = self._stage.speaker
            if speaker.tools.native:
                yield from self._retrieve()
                if not self._holds_text_from_outside():
                    return  # the answer itself is offered the tools
            choices = yield from self._decision(tools)
            before = len(self._speaking.tool_calls)
            yield from self._use(choices)
            if not self._may_decide_again(self._speaking.tool_calls[before:]):
                return

    def _decision(self, tools: Sequence[OfferedTool]) -> Generator[Step, Any, list[Choice]]:
        """What the model wants to be done."""
        speaker = self._stage.speaker
        messages = decision_messages(
            speaker.agent,
            self._speaking.turns,
            tools,
            native=speaker.tools.native,
            calls=self._speaking.tool_calls,
            trusted=speaker.tools.trusted,
        )
        try:
            named: tuple[OfferedTool, ...] = ()
            if speaker.tools.names_first:
                options = naming_options(speaker.agent, tools)
                answer = yield Ask(speaker.model, messages, options, is_heard=False)
                tool = None if answer is None else named_tool(answer, tools)
                if tool is None or not takes_parameters(tool):
                    return [] if tool is None else [Choice(tool.name, {})]
                named = (tool,)
            options = decision_options(
                speaker.agent, tools, native=speaker.tools.native, first=named
            )
            completion = yield Ask(speaker.model, messages, options, is_heard=False)
            return self._choices(completion, tools)
        except ModelOutputError:
            # The user still gets an answer; the log says that a tool may have been missed.
            _log.warning("no usable choice of a tool in turn %s", self._speaking.turn_id)
            return []

    def _choices(self, completion: Completion | None, tools: Sequence[OfferedTool]) -> list[Choice]:
        if completion is None:
            return []
        if self._stage.speaker.tools.native:
            return requested_choices(completion, tools)
        chosen = chosen_tools(completion, tools)
        return [choice for choice in chosen if not is_made_up(choice, self._speaking.turns)]

    def _may_decide_again(self, calls: Sequence[ToolCall]) -> bool:
        """Whether there is anything new to decide on, and nothing in it from outside."""
        if was_handed_over(calls):
            return True
        trusted = self._stage.speaker.tools.trusted
        return bool(calls) and all(call.tool_name in trusted for call in calls)

    def _usable(self) -> tuple[OfferedTool, ...]:
        """Tools that may still be used in this turn."""
        stage, calls = self._stage, self._speaking.tool_calls
        left = stage.speaker.agent.tool_use.max_calls_per_turn - len(calls)
        if not stage.speaker.tools or left <= 0:
            return ()
        without = frozenset({TRANSFER}) if was_handed_over(calls) else frozenset[str]()
        return stage.speaker.tools.offered(stage.speaker.agent, without=without)

    # Using them

    def _use(self, choices: Sequence[Choice]) -> Steps:
        seen = {
            describes_itself(Choice(call.tool_name, call.parameters))
            for call in self._speaking.tool_calls
        }
        for choice in choices:
            if describes_itself(choice) in seen or not self._usable() or self._is_finished():
                continue
            seen.add(describes_itself(choice))
            yield from self._use_one(choice)
            if choice.tool_name in (END_CALL, SKIP_TURN, TRANSFER):
                return

    def _use_one(self, choice: Choice) -> Steps:
        speaking, tools = self._speaking, self._stage.speaker.tools
        call = ToolCall(
            tool_name=choice.tool_name,
            tool_call_id=f"{speaking.turn_id}.{len(speaking.tool_calls) + 1}",
            parameters=choice.parameters,
        )
        kind = tools.kind_of(choice.tool_name)
        yield Emit(ToolRequest(call.tool_name, call.tool_call_id, call.parameters, kind))
        if speaking.is_over:
            return
        speaking.begin_tool(call)
        if choice.problem is not None:
            done = call.model_copy(update={"result": f"{choice.problem}.", "is_error": True})
        elif kind != "system":
            done = yield Use(tools, call)
        else:
            began_s = self._timer_s()
            done = yield Work(lambda: self._done_by_the_session(call))
            if done is None:
                return
            latency_ms = (self._timer_s() - began_s) * 1_000
            done = done.model_copy(update={"latency_ms": latency_ms})
        if not speaking.is_over:
            speaking.end_tool(done)
            yield Emit(done)

    def _done_by_the_session(self, call: ToolCall) -> ToolCall:
        try:
            if call.tool_name == SEARCH:
                result = self._search(str(call.parameters["query"]))
            else:
                result, event = self._stage.change(
                    call, is_wanted=lambda: not self._speaking.is_over
                )
                if event is not None:
                    self._speaking.events.append(event)
        except ConversationError as error:
            return call.model_copy(update={"result": str(error), "is_error": True})
        if call.tool_name == TRANSFER:
            self._speaking.forget_searches()
        return call.model_copy(update={"result": result})

    # Searching

    def _retrieve(self) -> Steps:
        speaker = self._stage.speaker
        searched = any(search.query == self._asked for search in self._speaking.searches)
        if speaker.knowledge_base is None or self._speaking.is_over or searched:
            return
        done: RetrievalDone = yield Work(self._found)
        if not self._speaking.is_over:
            yield Emit(self._speaking.found(done, now_s=self._timer_s()))

    @property
    def _asked(self) -> str:
        return self._speaking.turns[-1].text

    def _found(self) -> RetrievalDone:
        return found_passages(
            self._stage.speaker, self._speaking.turns, self._asked, timer_s=self._timer_s
        )

    def _search(self, query: str) -> str:
        done = searched_passages(
            self._stage.speaker, self._speaking.turns, query, timer_s=self._timer_s
        )
        if not self._speaking.is_over:
            self._speaking.found(done, now_s=self._timer_s())
        return f"{len(done.passages)} passages"

    def _passages(self) -> list[RetrievedPassage] | None:
        """What was found and is good enough to be read; None when nothing is searched for."""
        speaker, retrieval = self._stage.speaker, self._speaking.retrieval
        if retrieval is None or speaker.whole:
            return None
        least = speaker.agent.knowledge_base.min_passage_score
        return [passage for passage in retrieval.passages if passage.score >= least]

    def _holds_text_from_outside(self) -> bool:
        """Whether the prompt of the answer holds what neither side has made up."""
        speaker = self._stage.speaker
        calls = outside_calls(self._speaking.tool_calls)
        return (
            bool(speaker.whole or self._passages())
            or any(call.tool_name not in speaker.tools.trusted for call in calls)
            or any(map(holds_text_from_outside, self._speaking.turns))
        )

    # Answering

    def _answer(self) -> Steps:
        while not self._is_finished():
            tools = self._offered_in_answer()
            completion = yield self._request(tools)
            if completion is None or not completion.requested_tools:
                return
            before = len(self._speaking.tool_calls)
            yield from self._use(requested_choices(completion, tools))
            fresh = self._speaking.tool_calls[before:]
            said_enough = {call.tool_name for call in fresh} <= NEED_NO_ANSWER
            if self._speaking.text and said_enough:
                return
            if was_handed_over(fresh):
                yield from self._decide()
            yield from self._retrieve()

    def _offered_in_answer(self) -> tuple[OfferedTool, ...]:
        """None beside text from outside: it could ask for them."""
        tools = self._stage.speaker.tools
        return self._usable() if tools.native and not self._holds_text_from_outside() else ()

    def _request(self, tools: tuple[OfferedTool, ...]) -> Ask:
        began_s = self._timer_s()
        speaking, stage = self._speaking, self._stage
        agent, retrieval = stage.speaker.agent, speaking.retrieval
        speaking.prompt = build_prompt(
            agent,
            speaking.turns,
            passages=self._passages(),
            whole=stage.speaker.whole,
            asks=retrieval is None or retrieval.mode != "none",
            notes=stage.notes,
            calls=speaking.tool_calls,
            summary=stage.summary.text,
        )
        options = CompletionOptions(
            max_output_tokens=agent.llm.max_output_tokens,
            temperature=agent.llm.temperature,
            first_token_timeout_s=agent.llm.first_token_timeout_s,
            total_timeout_s=agent.llm.total_timeout_s,
            tools=tools,
        )
        speaking.own_s += self._timer_s() - began_s
        return Ask(stage.speaker.model, speaking.prompt.messages, options, is_heard=True)
