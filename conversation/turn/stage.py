"""Who speaks in a session at the moment, and what this one was told beside the turns."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from conversation.agent.system_tools import LANGUAGE_DETECTION, REPORT_GAP, TRANSFER
from conversation.errors import AgentConfigError, ConversationError
from conversation.prompt.summary import HistorySummary
from conversation.transcript import ToolCall, Turn
from conversation.turn.speaker import Circumstances, Speaker, prepared_speaker, read_ahead
from conversation.turn.turn_so_far import TurnEvent
from kb.errors import KnowledgeBaseError

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Stage:
    """The state of a session that turns change."""

    speaker: Speaker
    circumstances: Circumstances
    notes: list[str] = field(default_factory=list[str])
    notes_by_key: dict[str, str] = field(default_factory=dict[str, str])
    summary: HistorySummary = field(default_factory=HistorySummary)
    """Of turns that no prompt holds any more."""

    def add_note(self, text: str, *, key: str | None = None) -> None:
        """Take in something that was said about the user; an earlier note of the key goes."""
        if key is not None:
            earlier = self.notes_by_key.get(key)
            if earlier in self.notes:
                self.notes.remove(earlier)
            self.notes_by_key[key] = text
        self.notes.append(text)

    def read_ahead(self, turns_so_far: Callable[[], Sequence[Turn]]) -> None:
        """Have the speaker's model read its next prompt as far as it is known, where it can.

        Args:
            turns_so_far: All that was said, asked again before it is read: whoever has spoken
                meanwhile is not helped any more.
        """
        turns = turns_so_far()
        read_ahead(
            self.speaker,
            turns,
            notes=self.notes,
            summary=self.summary.text,
            is_wanted=lambda: len(turns_so_far()) == len(turns),
        )

    def change(
        self, call: ToolCall, *, is_wanted: Callable[[], bool]
    ) -> tuple[str, TurnEvent | None]:
        """Do what a system tool asks for; returns its result, and what has to be kept of it.

        Args:
            call: Of the tool.
            is_wanted: Whether the turn is still under way: getting ready may take its time.

        Raises:
            ConversationError: It cannot be done. Everything stays as it was.
        """
        changes: dict[str, Callable[[ToolCall], tuple[str, TurnEvent]]] = {
            TRANSFER: self._hand_over,
            LANGUAGE_DETECTION: self._switch_language,
            REPORT_GAP: report_gap,
        }
        change = changes.get(call.tool_name)
        before = self.speaker
        outcome = ("done", None) if change is None else change(call)
        if not is_wanted():
            self.speaker = before
            raise ConversationError("the turn ended before it was done.")
        return outcome

    def _hand_over(self, call: ToolCall) -> tuple[str, TurnEvent]:
        wanted = str(call.parameters["agent_id"])
        resolve = self.circumstances.resolve_agent
        if resolve is None:
            raise AgentConfigError(f"Nobody can say who the agent {wanted!r} is.")
        left = self.speaker.agent
        try:
            taken = prepared_speaker(resolve(wanted), self.circumstances, hands_over=True)
        except (ConversationError, KnowledgeBaseError) as error:
            # The reason may name hosts and files, which are no business of a user.
            _log.warning("agent %r cannot take over: %s", wanted, error)
            raise ConversationError(f"the agent {wanted!r} cannot take over now.") from error
        self.speaker = taken.speaking(left.language)
        self.read_ahead(lambda: ())
        version = self.speaker.agent.version
        payload = {"from": left.agent_id, "to": wanted, "agent_version": version}
        return f"handed over to {wanted}", TurnEvent("agent_transferred", payload)

    def _switch_language(self, call: ToolCall) -> tuple[str, TurnEvent]:
        language = str(call.parameters["language"])
        payload = {"from": self.speaker.agent.language, "to": language}
        self.speaker = self.speaker.speaking(language)
        return f"switched to {language}", TurnEvent("language_changed", payload)


def report_gap(call: ToolCall) -> tuple[str, TurnEvent]:
    """A question that the documents do not answer, for whoever writes documents."""
    payload = {
        "question": str(call.parameters["question"]),
        "tool_call_id": call.tool_call_id,
    }
    return "recorded", TurnEvent("knowledge_gap", payload)
