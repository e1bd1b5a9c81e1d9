"""`vivavoce demo`: the whole path on sample data, through Dagster where Dagster does the work.

Nothing is paid twice: unchanged documents are skipped, the conversation is shown again from the
store, and an evaluation that exists is not asked for again.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from analysis.report_text import render_report, report_as_text
from analysis.reports import open_reports
from orchestration.definitions import defs
from orchestration.demo.clearing import clear_demo
from orchestration.demo.conversing import Script, hold_conversation
from orchestration.demo.site import served_site, site_port, with_site_port
from orchestration.deployment import Deployment
from orchestration.errors import RunFailedError
from orchestration.operations import days_with_conversations, import_transcripts
from orchestration.progress import Progress, format_duration
from orchestration.runs import RunOutcome, opened_instance, run_job
from orchestration.settings import Settings
from orchestration.showing import document_rows
from orchestration.tables import text_table

AGENT_ID = "support"

EXPECTED_S = {
    "models": 8.0,
    "documents": 8.0,
    "conversation": 110.0,
    "transcripts": 1.0,
    "evaluations": 150.0,
    "report": 4.0,
}
"""Seconds of each step on two cores, models already downloaded. The pace of the steps that are
over corrects the estimate for those to come."""

TITLES = {
    "models": "check the models",
    "documents": "ingest the sample documents (Dagster run)",
    "conversation": "hold a conversation",
    "transcripts": "import the sample transcripts",
    "evaluations": "evaluate every conversation (Dagster run)",
    "report": "publish reports.duckdb (Dagster run) and print a short report",
}


@dataclass
class Steps:
    """Numbers the steps and estimates the time that is left."""

    progress: Progress
    took_s: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Announce a step, and time it."""
        number = list(TITLES).index(name) + 1
        left = format_duration(remaining_s(self.took_s))
        self.progress.say(
            f"\n== {number} of {len(TITLES)}: {TITLES[name]} (about {left} left in all)"
        )
        began_s = time.monotonic()
        yield
        self.took_s[name] = time.monotonic() - began_s
        self.progress.say(f"  done in {format_duration(self.took_s[name])}")


def remaining_s(took_s: dict[str, float]) -> float:
    """Seconds that the steps not in `took_s` will need, at the pace of those in it."""
    expected_s = sum(EXPECTED_S[name] for name in took_s)
    rest_s = sum(seconds for name, seconds in EXPECTED_S.items() if name not in took_s)
    pace = sum(took_s.values()) / expected_s if expected_s else 1.0
    # The first steps are short, so that their pace says little by itself.
    trust = expected_s / (expected_s + 30.0)
    return rest_s * (trust * pace + 1.0 - trust)


def run_demo(settings: Settings, *, fresh: bool) -> None:
    """Play the whole path and print what happens.

    Args:
        settings: Where everything is kept.
        fresh: Forget what an earlier demo made, then do all of it again.

    Raises:
        RunFailedError: A step failed; the message says which and why.
    """
    progress = Progress.on_standard_output()
    began_s = time.monotonic()
    progress.say("Viva Voce demo: documents -> conversation -> evaluations -> report")
    steps = Steps(progress)
    script = Script.read(settings.data_dir / "demo" / f"{AGENT_ID}-questions.yaml")
    with (
        _demo_deployment(settings, progress) as deployment,
        opened_instance(deployment) as instance,
    ):
        if fresh:
            progress.say(clear_demo(deployment, AGENT_ID))
        demo = _Demo(deployment, instance, progress)
        with steps.step("models"):
            demo.check_models()
        with steps.step("documents"):
            demo.ingest()
        with steps.step("conversation"):
            demo.converse(script)
        with steps.step("transcripts"):
            progress.say(
                "  "
                + import_transcripts(
                    deployment, settings.data_dir / "transcripts", AGENT_ID
                ).describe()
            )
        with steps.step("evaluations"):
            demo.evaluate()
        with steps.step("report"):
            demo.publish()
        progress.say(_next_steps(deployment))
    progress.say(f"\nThe demo took {format_duration(time.monotonic() - began_s)}.")


@contextmanager
def _demo_deployment(settings: Settings, progress: Progress) -> Iterator[Deployment]:
    """A deployment whose sample link points to a site that is served while the block runs."""
    with Deployment(settings, progress=progress) as plain:
        port = site_port(plain.agent(AGENT_ID).agent)
    if port is None:
        with Deployment(settings, progress=progress) as deployment:
            yield deployment
        return
    with (
        served_site(settings.data_dir / "documents" / "site", port) as served_port,
        Deployment(
            settings,
            progress=progress,
            adapt_sources=lambda agent: with_site_port(agent, served_port),
        ) as deployment,
    ):
        if served_port != port:
            progress.say(
                f"Port {port} is taken, so the sample page is served on port {served_port}."
            )
        yield deployment


@dataclass(frozen=True, slots=True)
class _Demo:
    """The steps, each on the same deployment and Dagster instance."""

    deployment: Deployment
    instance: dg.DagsterInstance
    progress: Progress

    def check_models(self) -> None:
        agent = self.deployment.agent(AGENT_ID).agent
        for role, model in (
            ("language model", self.deployment.chat_model(agent.llm)),
            ("judge", self.deployment.judge(agent.judge, [agent])),
        ):
            model.check()
            self.progress.say(f"  {role}: {model.model} is ready")
        embedding = self.deployment.knowledge_base(AGENT_ID).config.embedding.model
        self.deployment.weights.resolve(embedding)
        self.progress.say(f"  embedding model: {embedding} is ready")

    def ingest(self) -> None:
        self.instance.add_dynamic_partitions("agents", [AGENT_ID])
        outcome = self._run("ingest_agent", partition=AGENT_ID)
        documents = self.deployment.knowledge_base(AGENT_ID).documents()
        table = text_table(*document_rows(documents))
        self.progress.say("\n".join(f"  {line}" for line in table.splitlines()))
        self._say_checks(outcome)

    def converse(self, script: Script) -> None:
        held = hold_conversation(self.deployment, script, self.progress)
        errors = [turn.error for turn in held.turns if turn.error]
        if errors:
            raise RunFailedError(
                f"{len(errors)} of the agent's turns failed, the first with: {errors[0]}"
            )

    def evaluate(self) -> None:
        days = days_with_conversations(self.deployment, AGENT_ID)
        outcome = self._run("evaluate_days", partition_range=(str(days[0]), str(days[-1])))
        self._say_checks(outcome)

    def publish(self) -> None:
        self._say_checks(self._run("publish_reports"))
        with open_reports(self.deployment.reports_file) as connection:
            report = render_report(connection, agent_id=AGENT_ID)
        self.progress.say("\n" + report_as_text(report))

    def _run(
        self,
        job_name: str,
        *,
        partition: str | None = None,
        partition_range: tuple[str, str] | None = None,
    ) -> RunOutcome:
        return run_job(
            job_name,
            self.deployment,
            definitions=defs,
            instance=self.instance,
            partition=partition,
            partition_range=partition_range,
        )

    def _say_checks(self, outcome: RunOutcome) -> None:
        for failed in outcome.failed_checks:
            self.progress.say(f"  check not passed: {failed}")
        self.progress.say(f"  Dagster run {outcome.run_id}")


def _next_steps(deployment: Deployment) -> str:
    return "\n".join(
        [
            "",
            "Where to go from here:",
            "  make ui                                   the runs above in the Dagster UI",
            f"  .venv/bin/vivavoce chat {AGENT_ID}           talk to the agent",
            "  .venv/bin/vivavoce why CONVERSATION NAME  where a verdict or a value comes from",
            '  .venv/bin/vivavoce sql "from success_rates"',
            f"  any DuckDB client on {deployment.reports_file}",
        ]
    )
