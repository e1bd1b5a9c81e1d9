"""`vivavoce demo`: the whole path on sample data, through Dagster where Dagster does the work.

Nothing is paid twice: unchanged documents are skipped, the conversation is shown again from the
store, and an evaluation that exists is not asked for again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from analysis.printable import counted
from analysis.report.text import render_report, report_as_text
from analysis.reports import open_reports
from conversation.agent.models.judges import panel_members
from conversation.importing.files import ImportReport
from conversation.llm.chat_model import ChatMessage, CompletionOptions
from kb.embedding.open_embedder import open_embedder
from orchestration.checks.evaluations import first_judge_error, judge_error_share
from orchestration.definitions import defs
from orchestration.demo.clearing import clear_demo
from orchestration.demo.conversing import DemoScript, hold_conversation, unanswered
from orchestration.demo.downloads import ShownDownloads
from orchestration.demo.sample_data import copy_sample
from orchestration.demo.site import served_site, site_port, with_site_port
from orchestration.demo.steps import Steps
from orchestration.deployment import Deployment
from orchestration.errors import RunFailedError
from orchestration.operations.operations import days_with_conversations, import_transcripts
from orchestration.processes.runs import RunOutcome, opened_instance, run_job
from orchestration.settings import Settings
from orchestration.terminal.progress import ProgressDisplay, format_duration
from orchestration.terminal.rows import document_table, import_summary

AGENT_ID = "support"

PROBE = (ChatMessage("user", "Is water wet? Answer in JSON."),)
PROBE_OPTIONS = CompletionOptions(
    max_output_tokens=16,
    schema={
        "type": "object",
        "properties": {"answer": {"type": "boolean"}},
        "required": ["answer"],
    },
)
"""Asked of the judge before any work is done: a model that cannot judge is found at once."""


def run_demo(settings: Settings, *, fresh: bool, read_ahead: bool = False) -> None:
    """Play the whole path and print what happens.

    Args:
        settings: Where everything is kept.
        fresh: Forget what an earlier demo made, then do all of it again.
        read_ahead: Have the language model read the documents once, so that answers begin sooner.

    Raises:
        RunFailedError: A step failed; the message says which and why.
    """
    questions = settings.data_dir / "demo" / f"{AGENT_ID}-questions.yaml"
    transcripts = settings.data_dir / "transcripts"
    copied = copy_sample(settings.data_dir)
    script = DemoScript.read(questions)
    progress = ProgressDisplay.on_standard_output()
    began_s = time.monotonic()
    if copied:
        progress.say(f"Copied {copied} sample files to {settings.data_dir}.")
    progress.say("Viva Voce demo: documents -> conversation -> evaluations -> report")
    with (
        _demo_deployment(settings, progress) as deployment,
        opened_instance(deployment) as instance,
    ):
        if fresh:
            progress.say(clear_demo(deployment, AGENT_ID))
        demo = _Demo(deployment, instance, progress)
        steps = Steps(deployment, script, progress, reads_ahead=read_ahead)
        with steps.step("models"):
            demo.check_models(judges=steps.unjudged > 0)
        with steps.step("documents"):
            demo.ingest(reads_ahead=read_ahead)
        with steps.step("conversation"):
            demo.converse(script, steps.left_s)
        with steps.step("transcripts"):
            demo.take_in([transcripts / name for name in script.transcripts])
        with steps.step("evaluations"):
            demo.evaluate()
        with steps.step("report"):
            demo.publish()
        progress.say(_next_steps(deployment, script, transcripts))
    progress.say(f"\nThe demo took {format_duration(time.monotonic() - began_s)}.")


@contextmanager
def _demo_deployment(settings: Settings, progress: ProgressDisplay) -> Iterator[Deployment]:
    """A deployment whose sample link points to a site that is served while the block runs."""
    shown = ShownDownloads(progress)
    with Deployment(settings, progress=progress) as plain:
        port = site_port(plain.agent(AGENT_ID).agent)
    if port is None:
        with Deployment(settings, progress=progress, weights_progress=shown) as deployment:
            yield deployment
        return
    with (
        served_site(settings.data_dir / "documents" / "site", port) as served_port,
        Deployment(
            settings,
            progress=progress,
            weights_progress=shown,
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
    progress: ProgressDisplay

    def check_models(self, *, judges: bool) -> None:
        agent = self.deployment.agent(AGENT_ID).agent
        model = self.deployment.chat_model(agent.llm)
        model.check()
        self.progress.say(f"  language model: {model.model} is ready")
        if judges:
            for name in panel_members(agent.judge.name):
                judge = self.deployment.chat_model(agent.judge.reached(name))
                judge.check()
                judge.complete(PROBE, PROBE_OPTIONS)
                self.progress.say(f"  judge: {judge.model} is ready")
        embedding = self.deployment.knowledge_base(AGENT_ID).embedding
        embedder = open_embedder(embedding, self.deployment.weights)
        self.progress.say(f"  embedding model: {embedding.model} is ready ({embedder.model_id})")

    def ingest(self, *, reads_ahead: bool) -> None:
        self.instance.add_dynamic_partitions("agents", [AGENT_ID])
        # A few questions do not earn the minutes that reading all documents takes.
        job = "ingest_agent" if reads_ahead else "ingest_documents"
        outcome = self._run(job, partition=AGENT_ID)
        documents = self.deployment.knowledge_base(AGENT_ID).documents()
        self.progress.say(_indented(document_table(documents)))
        self._say_checks(outcome)

    def converse(self, script: DemoScript, left_s: Callable[[float], float]) -> None:
        held = hold_conversation(self.deployment, script, self.progress, left_s)
        errors = unanswered(held)
        if errors:
            raise RunFailedError(
                f"The agent left {len(errors)} questions without an answer. The first: {errors[0]}"
            )

    def take_in(self, files: Sequence[Path]) -> None:
        taken = (import_transcripts(self.deployment, file, AGENT_ID) for file in files)
        self.progress.say(_indented(import_summary(sum(taken, ImportReport()))))

    def evaluate(self) -> None:
        days = days_with_conversations(self.deployment, AGENT_ID)
        outcome = self._run("evaluate_days", partition_range=(str(days[0]), str(days[-1])))
        self._say_checks(outcome)
        errors, asked = judge_error_share(self.deployment, days)
        if asked and errors == asked:
            reason = first_judge_error(self.deployment, days)
            raise RunFailedError(f"The judge answered none of {asked} questions: {reason}")

    def publish(self) -> None:
        self._say_checks(self._run("improve_agent", partition=AGENT_ID))
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


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _next_steps(deployment: Deployment, script: DemoScript, transcripts: Path) -> str:
    lines = [
        "",
        "Where to go from here:",
        "  make ui                                   the runs above in the Dagster UI",
        f"  .venv/bin/vivavoce chat {AGENT_ID}           talk to the agent",
        "  .venv/bin/vivavoce demo --read-ahead      minutes once, then answers begin sooner",
        "  .venv/bin/vivavoce why CONVERSATION NAME  where a verdict or a value comes from",
        '  .venv/bin/vivavoce sql "from success_rates"',
        f"  any DuckDB client on {deployment.reports_file}",
    ]
    others = {path.name for path in transcripts.iterdir()} - set(script.transcripts)
    if others:
        found = counted(len(others), "more sample conversation")
        lines.append(f"  .venv/bin/vivavoce import {transcripts} --agent {AGENT_ID}")
        lines.append(f"{'':44}{found}; `vivavoce evaluate` judges them")
    return "\n".join(lines)
