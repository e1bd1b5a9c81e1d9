"""What an agent does in one turn, step by step, whoever waits for the steps.

A plan is a generator of steps. `Session.reply` and `Session.areply` carry the steps out, each in
its way of waiting, and send the outcome back in; every decision is made here, once.

    decide on tools -> use them -> search -> answer (-> use tools -> answer again)

Tools are decided on before the documents are searched, or in the answer itself when the provider
has tool calls and the prompt holds no text from outside.
"""

import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

from conversation.agent.system_tools import (
    END_CALL,
    MAX_QUESTION_CHARS,
    REPORT_GAP,
    SEARCH,
    SKIP_TURN,
    TRANSFER,
    ends_conversation,
    need_no_answer,
    skips_turn,
    was_handed_over,
)
from conversation.errors import ConversationError, ModelError, ModelOutputError
from conversation.grounding.checking.answer_check import AnswerCheck
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions, OfferedTool
from conversation.llm.limits.turn_budget import TurnBudget
from conversation.prompt.prompt import build_prompt
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
from conversation.turn.events import RetrievalDone, TextDelta, ToolRequest
from conversation.turn.failure import last_words, shortcoming
from conversation.turn.instead.checking import answer_check
from conversation.turn.instead.not_known import leaves_unknown, said_instead, what_is_near
from conversation.turn.search import found_passages, worth_reading
from conversation.turn.stage import Stage
from conversation.turn.steps import CallModel, Emit, Step, Steps, Use, Work
from conversation.turn.turn_so_far import SpeakingTurn
from kb.document import RetrievedPassage
from kb.errors import KnowledgeBaseError

_log = logging.getLogger(__name__)

_COME_LAST = frozenset({END_CALL, SKIP_TURN, TRANSFER})
"""What the model wanted to do after one of these, it wanted under other circumstances."""
_KEPT_CALLS = 2
"""Calls of the model that are left for the answer: one more may only ask for tools again."""


class TurnPlan:
    """One turn of the agent that stands on `stage`."""

    def __init__(
        self, speaking: SpeakingTurn, stage: Stage, *, timer_s: Callable[[], float]
    ) -> None:
        self._speaking = speaking
        self._stage = stage
        self._timer_s = timer_s
        speaking.calls += stage.summary.take_calls()
        self._budget = TurnBudget(speaking.calls)
        self._tools_ended = False
        """Whether the model asked for nothing new, so that no tool is offered any more."""
        self._refused: set[str] = set()
        """Ids of calls that were not done: what they returned was written here."""

    def steps(self) -> Steps:
        """The turn from the user's words to the last word of the agent, whatever goes wrong."""
        speaking = self._speaking
        try:
            yield from self._turn()
            speaking.error = shortcoming(speaking)
        except (ModelError, KnowledgeBaseError) as error:
            speaking.error, speaking.has_failed = str(error), True
        except Exception as error:
            speaking.error = f"The turn failed with {type(error).__name__}."
            speaking.has_failed = True
            yield from self._last_words()
            raise
        yield from self._last_words()
        speaking.is_complete = True

    def _last_words(self) -> Steps:
        if words := last_words(self._speaking, self._stage.speaker.agent):
            yield Emit(TextDelta(self._speaking.say(words)))

    def _turn(self) -> Steps:
        yield from self._decide()
        if not self._is_finished():
            yield from self._retrieve()
            yield from self._answer()
        if self._leaves_a_gap():
            question = self._asked[:MAX_QUESTION_CHARS]
            yield from self._use_one(Choice(REPORT_GAP, {"question": question}))
        if words := what_is_near(self._stage.speaker.agent, self._speaking):
            yield Emit(TextDelta(self._speaking.say(words)))

    def _leaves_a_gap(self) -> bool:
        """Whether the agent searched, does not know, and is to report that."""
        speaking = self._speaking
        return (
            leaves_unknown(speaking)
            and any(tool.name == REPORT_GAP for tool in self._stage.speaker.agent.all_tools)
            and self._over_limit() is None
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
                answer = yield from self._ask(messages, options)
                tool = None if answer is None else named_tool(answer, tools)
                if tool is None or not takes_parameters(tool):
                    return [] if tool is None else [Choice(tool.name, {})]
                named = (tool,)
            options = decision_options(
                speaker.agent, tools, native=speaker.tools.native, first=named
            )
            completion = yield from self._ask(messages, options)
            return self._choices(completion, tools)
        except ModelOutputError:
            # The user still gets an answer; the log says that a tool may have been missed.
            _log.warning("no usable choice of a tool in turn %s", self._speaking.turn_id)
            return []

    def _choices(self, completion: Completion | None, tools: Sequence[OfferedTool]) -> list[Choice]:
        if completion is None:
            return []
        # Some servers make a call of their own out of an answer that was to follow a schema.
        if self._stage.speaker.tools.native or completion.requested_tools:
            return requested_choices(completion, tools)
        chosen = chosen_tools(completion, tools)
        return [choice for choice in chosen if not is_made_up(choice, self._speaking.turns)]

    def _ask(
        self,
        messages: Sequence[ChatMessage],
        options: CompletionOptions,
        *,
        is_heard: bool = False,
        check: AnswerCheck | None = None,
    ) -> Generator[Step, Any, Completion | None]:
        """Call the model, as far as the turn still may."""
        speaker = self._stage.speaker
        within = self._budget.limited(speaker.agent.llm, options)
        began_s = self._timer_s()
        try:
            return (yield CallModel(speaker.model, messages, within, is_heard, check))
        finally:
            self._budget.wait(self._timer_s() - began_s)

    def _may_decide_again(self, calls: Sequence[ToolCall]) -> bool:
        """Whether there is anything new to decide on, and nothing in it from outside."""
        if was_handed_over(calls):
            return True
        return bool(calls) and not self._from_outside(calls)

    def _from_outside(self, calls: Sequence[ToolCall]) -> bool:
        """Whether somebody else wrote what one of the calls returned."""
        trusted = self._stage.speaker.tools.trusted
        return any(
            call.tool_name not in trusted and call.tool_call_id not in self._refused
            for call in calls
        )

    def _usable(self) -> tuple[OfferedTool, ...]:
        """Tools that may still be used in this turn."""
        stage, calls = self._stage, self._speaking.tool_calls
        left = stage.speaker.agent.tool_use.max_calls_per_turn - len(calls)
        if self._tools_ended or not stage.speaker.tools or left <= 0:
            return ()
        if self._budget.calls_left(stage.speaker.agent.llm) <= _KEPT_CALLS:
            return ()
        without = frozenset({TRANSFER}) if was_handed_over(calls) else frozenset[str]()
        return stage.speaker.tools.offered(stage.speaker.agent, without=without)

    # Using them

    def _use(self, choices: Sequence[Choice]) -> Steps:
        seen = {
            describes_itself(Choice(call.tool_name, call.parameters))
            for call in self._speaking.tool_calls
        }
        over: str | None = None
        for choice in choices:
            if describes_itself(choice) in seen:
                continue  # its result stands there already
            seen.add(describes_itself(choice))
            problem = over or choice.problem or self._over_limit()
            yield from self._use_one(replace(choice, problem=problem))
            if problem is None and choice.tool_name in _COME_LAST:
                over = f"not done: {choice.tool_name} came before it"

    def _over_limit(self) -> str | None:
        most = self._stage.speaker.agent.tool_use.max_calls_per_turn
        if len(self._speaking.tool_calls) < most:
            return None
        return f"not done: a turn has room for {most} calls of tools"

    def _use_one(self, choice: Choice) -> Steps:
        speaking, tools = self._speaking, self._stage.speaker.tools
        call = ToolCall(
            tool_name=choice.tool_name,
            tool_call_id=f"{speaking.turn_id}.{len(speaking.tool_calls) + 1}",
            parameters=choice.parameters,
        )
        # What is not done is no business of the application either.
        kind = "system" if choice.problem else tools.kind_of(choice.tool_name)
        yield Emit(ToolRequest(call.tool_name, call.tool_call_id, call.parameters, kind))
        if speaking.is_over:
            return
        speaking.begin_tool(call)
        if choice.problem is not None:
            self._refused.add(call.tool_call_id)
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
        done = found_passages(
            self._stage.speaker, self._speaking.turns, query, timer_s=self._timer_s
        )
        if not self._speaking.is_over:
            self._speaking.found(done, now_s=self._timer_s())
        return f"{len(done.passages)} passages"

    def _passages(self) -> list[RetrievedPassage] | None:
        """What was found and is good enough to be read; None when nothing is searched for.

        Where all documents are read, the rest of them follows.
        """
        speaker, retrieval = self._stage.speaker, self._speaking.retrieval
        if retrieval is None:
            return None
        if speaker.whole:
            known = {passage.chunk_id for passage in retrieval.passages}
            rest = (chunk for chunk in speaker.beginning.chunks if chunk.chunk_id not in known)
            return [*retrieval.passages, *rest]
        return worth_reading(speaker.agent, speaker.model, retrieval.passages)

    def _holds_text_from_outside(self) -> bool:
        """Whether the prompt of the answer holds what neither side has made up."""
        speaker = self._stage.speaker
        calls = outside_calls(self._speaking.tool_calls)
        return (
            bool(speaker.whole or self._passages())
            or self._from_outside(calls)
            or any(map(holds_text_from_outside, self._speaking.turns))
        )

    # Answering

    def _answer(self) -> Steps:
        """Rounds of text and tools. Each but the last has a call that is new, and few are."""
        while not self._is_finished():
            self._tools_ended |= ends_conversation(self._speaking.tool_calls)
            tools = self._offered_in_answer()
            is_last = self._tools_ended
            completion = yield from self._request(tools)
            if completion is None or not completion.requested_tools:
                return
            before = len(self._speaking.tool_calls)
            yield from self._use(requested_choices(completion, tools))
            fresh = self._speaking.tool_calls[before:]
            if is_last or (self._speaking.text and need_no_answer(fresh)):
                return
            self._tools_ended = not (tools and fresh)
            if was_handed_over(fresh):
                yield from self._decide()
            yield from self._retrieve()

    def _offered_in_answer(self) -> tuple[OfferedTool, ...]:
        """None beside text from outside: it could ask for them."""
        tools = self._stage.speaker.tools
        return self._usable() if tools.native and not self._holds_text_from_outside() else ()

    def _request(self, tools: tuple[OfferedTool, ...]) -> Generator[Step, Any, Completion | None]:
        began_s, speaking, stage = self._timer_s(), self._speaking, self._stage
        agent, doubt = stage.speaker.agent, stage.speaker.doubt
        speaking.prompt = build_prompt(
            agent,
            speaking.turns,
            passages=self._passages(),
            whole=stage.speaker.whole,
            asks=speaking.asks,
            reminds=doubt is None,
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
            language=agent.language,
            doubt=doubt if speaking.asks and not speaking.prompt.results else None,
        )
        check = answer_check(stage.speaker, speaking, notes=stage.notes)
        speaking.own_s += self._timer_s() - began_s
        asked = speaking.prompt.messages
        completion = yield from self._ask(asked, options, is_heard=True, check=check)
        if check and speaking.is_refuted:
            instead = said_instead(check, agent)
            yield Emit(TextDelta(speaking.quote(instead, now_s=self._timer_s())))
        return None if speaking.is_refuted else completion
