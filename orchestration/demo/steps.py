"""The demo's steps, and its one clock: how long what is left of all of them will take."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from analysis.evaluation.plan import plan_evaluations
from orchestration.demo.conversing import DemoScript, conversation_key, find_held
from orchestration.demo.downloads import missing_bytes
from orchestration.deployment import Deployment
from orchestration.terminal.progress import ProgressDisplay, format_duration

TITLES = {
    "models": "check the models",
    "documents": "ingest the sample documents (Dagster run)",
    "conversation": "hold a conversation",
    "transcripts": "import the sample transcripts",
    "evaluations": "evaluate every conversation (Dagster run)",
    "report": "publish reports.duckdb (Dagster run) and print a short report",
}

USUAL_S = {
    "models": 5.0,
    "documents": 6.0,
    "conversation": 1.0,
    "transcripts": 1.0,
    "evaluations": 4.0,
    "report": 4.0,
}
"""Seconds on two cores when every answer exists already."""
QUESTION_S = 13.0
"""Seconds for each of the agent's answers that has to be generated."""
READ_AHEAD_S = 120.0
"""Seconds for reading the documents whole, where that is asked for."""
JUDGED_S = 16.0
"""Seconds for each conversation that has to be judged."""
DOWNLOADED_BYTES_PER_S = 20e6
"""Of models that are not there yet; the pace of the first ones corrects it."""
TRUST_AFTER_S = 30.0
"""So much expected time has to have passed until the pace so far counts half."""


@dataclass
class Steps:
    """Announces the steps, times them, and tells what time is left of the whole."""

    deployment: Deployment
    script: DemoScript
    progress: ProgressDisplay
    reads_ahead: bool = False
    clock: Callable[[], float] = time.monotonic
    expected_s: dict[str, float] = field(default_factory=dict[str, float])
    took_s: dict[str, float] = field(default_factory=dict[str, float])
    _running: str | None = None
    _began_s: float = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce a step, and time it; what it reports shows the time left of the whole."""
        self._expect_anew()
        self._running, self._began_s = name, self.clock()
        number = list(TITLES).index(name) + 1
        shown = format_duration(self.left_s())
        self.progress.say(f"\n== {number} of {len(TITLES)}: {TITLES[name]} (about {shown} left)")
        with self.progress.timed_by(self.left_s):
            yield
        self.progress.clear()
        self.took_s[name] = self.clock() - self._began_s
        self._running = None
        self.progress.say(f"  done in {format_duration(self.took_s[name])}")

    def left_s(self, at_least_s: float = 0.0) -> float:
        """Seconds until the demo is over, at the pace so far.

        Args:
            at_least_s: Seconds that what is being done now needs, by its own pace.
        """
        left = {name: s for name, s in self.expected_s.items() if name not in self.took_s}
        if self._running is None:
            return remaining_s(left, self.expected_s, self.took_s)
        others = {name: s for name, s in left.items() if name != self._running}
        own = {self._running: left[self._running]}
        own_s = remaining_s(own, self.expected_s, self.took_s) - (self.clock() - self._began_s)
        return max(own_s, at_least_s, 0.0) + remaining_s(others, self.expected_s, self.took_s)

    @property
    def unjudged(self) -> int:
        """Conversations that the judge will be asked about, those to come included."""
        return self._waiting_for_judge() + (not self._is_held())

    def _expect_anew(self) -> None:
        expected = self._expectation().items()
        self.expected_s.update({name: s for name, s in expected if name not in self.took_s})

    def _expectation(self) -> dict[str, float]:
        expected_s = dict(USUAL_S)
        missing = missing_bytes(self.deployment, self.script.agent_id)
        expected_s["models"] += missing / DOWNLOADED_BYTES_PER_S
        if not self._is_held():
            expected_s["conversation"] += QUESTION_S * len(self.script.questions)
        if self.reads_ahead and not self._is_read_ahead():
            expected_s["documents"] += READ_AHEAD_S
        expected_s["evaluations"] += JUDGED_S * self.unjudged
        return expected_s

    def _is_held(self) -> bool:
        if "conversation" in self.took_s:
            return True
        agent_id = self.script.agent_id
        documents = self.deployment.knowledge_base(agent_id).documents()
        key = conversation_key(self.deployment.agent(agent_id).agent, self.script, documents)
        return find_held(self.deployment.conversations, key)[0] is not None

    def _is_read_ahead(self) -> bool:
        """Whether nothing of the documents is left for the model to read."""
        return self.deployment.knowledge_base(self.script.agent_id).derived_dir.is_dir()

    def _waiting_for_judge(self) -> int:
        agent = self.deployment.agent(self.script.agent_id).agent
        known = self.deployment.conversations.conversations(agent_id=agent.agent_id)
        plan = plan_evaluations(self.deployment.conversations, self.deployment.evaluations, [agent])
        imported = sum(found.source != "session" for found in known)
        to_come = len(self.script.transcripts) - imported
        waiting = 0 if "transcripts" in self.took_s else to_come
        return len(plan.conversations) + max(waiting, 0)


def remaining_s(
    left: Mapping[str, float], expected_s: Mapping[str, float], took_s: Mapping[str, float]
) -> float:
    """Seconds that the steps of `left` will need, at the pace of those that are over.

    Args:
        left: Seconds expected of each step that is not over.
        expected_s: Seconds that were expected of each step.
        took_s: Seconds that each finished step took.
    """
    passed_s = sum(expected_s[name] for name in took_s)
    pace = sum(took_s.values()) / passed_s if passed_s else 1.0
    # The first steps are short, so that their pace says little by itself.
    trust = passed_s / (passed_s + TRUST_AFTER_S)
    return sum(left.values()) * (trust * pace + 1.0 - trust)
