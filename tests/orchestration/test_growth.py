"""What operations cost follows what changed, not what exists: counted at two sizes, never timed."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy import event

from analysis.gaps.gaps import find_gaps
from analysis.gaps.records import GapRun
from analysis.reports import open_reports
from analysis.topics.topics import TopicRun, find_topics
from analysis.warehouse.parquet import read_rows
from conversation.agent.agent_file import save_agent
from conversation.server.conversations.detail import conversation_detail
from conversation.server.conversations.search import CallFilter, list_page
from conversation.server.overview.message_search import search_by_text
from conversation.store.listing import pages
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript
from orchestration.checks.evaluations import (
    Share,
    shares_by_day,
    together,
)
from orchestration.cli import improving
from orchestration.deployment import Deployment
from orchestration.operations import forgetting
from orchestration.operations.forgetting import forget
from orchestration.operations.masking import usable_agents
from orchestration.operations.narrowing import Narrowing, plan_narrowed
from orchestration.operations.operations import (
    evaluate,
    export_days,
    outdated_days,
    publish_reports,
)
from orchestration.schedule.day_metrics import incomplete_transcripts
from orchestration.server.app import create_app
from orchestration.settings import Settings
from tests.fakes import ScriptedChatModel
from tests.grown_stores import FIRST_DAY, JUDGE, Shape, conversation_id, fill, write_agents
from tests.kb.conftest import WordEmbedder
from tests.servers import postgresql_server

SMALL, LARGE = 12, 48
DAYS = 2
FIRST = str(FIRST_DAY.date())


@dataclass
class Grown:
    """A deployment whose store was filled."""

    deployment: Deployment
    shape: Shape

    def add(self, count: int = 1, *, judged: bool = True) -> None:
        """More conversations of the first day."""
        first = self.shape.conversations * 10 * self.shape.days
        for number in range(first, first + count * self.shape.days, self.shape.days):
            shape = Shape(number + 1, self.shape.days, self.shape.agents, self.shape.retrievals)
            fill(self.deployment, shape, first=number, judged=judged)


class Counted:
    """Statements that were executed, and files that Python opened to write."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.written: list[str] = []
        self.read: list[str] = []

    @property
    def sql(self) -> int:
        return len(self.statements)


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], scope="module"
)
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], str | None]]:
    """Gives the URL of an empty database; None for SQLite in the store's folder."""
    if request.param == "sqlite":
        yield lambda: None
        return
    with postgresql_server(tmp_path_factory.mktemp("postgresql")) as address:
        server = sa.create_engine(
            f"postgresql+psycopg://{address}", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
        )
        made: list[str] = []

        def empty() -> str:
            name = f"grown_{len(made)}"
            made.append(name)
            with server.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
            return f"postgresql+psycopg://{address.rpartition('/')[0]}/{name}"

        yield empty


Grow = Callable[..., Grown]


@pytest.fixture
def grow(databases: Callable[[], str | None], tmp_path: Path) -> Iterator[Grow]:
    with ExitStack() as opened:

        def grown(count: int, *, judged: bool = True, agents: int = 2) -> Grown:
            shape = Shape(count, days=DAYS, agents=agents, retrievals=2)
            settings = Settings(data_dir=tmp_path / f"data-{count}", store_url=databases())
            write_agents(settings.agents_dir, shape)
            model = ScriptedChatModel(always=_answer, model=JUDGE)
            deployment = opened.enter_context(
                Deployment(settings, open_model=lambda *_, **__: model)
            )
            fill(deployment, shape, judged=judged)
            return Grown(deployment, shape)

        yield grown


def _answer(_messages: object, options: Any) -> Any:
    if options.schema is None:
        return "Refunds: how long they take."
    if "verdict" in options.schema["properties"]:
        return {"verdict": "success", "turn": 2, "quote": "five days", "rationale": "Answered."}
    return {"fields": [{"field": "topic", "turn": 1, "value": "refund"}]}


_LISTENING: list[Counted] = []


def _hear(name: str, given: Any) -> None:
    if name == "open" and _LISTENING and isinstance(given[1], str):
        writes = bool(set(given[1]) & set("wax+"))
        counted = _LISTENING[-1]
        (counted.written if writes else counted.read).append(str(given[0]))


@contextmanager
def counting(deployment: Deployment) -> Iterator[Counted]:
    """Count what is done inside."""
    if not _LISTENING:
        sys.addaudithook(_hear)
    counted = Counted()
    _LISTENING.append(counted)

    def before(_c: object, _u: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            counted.statements.append(statement)

    engines = (deployment.conversations.engine, deployment.evaluations.engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", before)
    try:
        yield counted
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", before)
        _LISTENING.append(Counted())


def asked(deployment: Deployment, sql: str) -> list[tuple[Any, ...]]:
    with open_reports(deployment.reports_file) as connection:
        return connection.execute(sql).fetchall()


def test_exporting_a_day_takes_as_many_statements_however_many_ended_on_it(grow: Grow):
    counts: list[int] = []
    for size in (SMALL, LARGE):
        deployment = grow(size).deployment
        outdated_days(deployment)
        with counting(deployment) as counted:
            export_days(deployment, [FIRST_DAY.date()])
        counts.append(counted.sql)

    assert counts[0] == counts[1] <= 13, "eleven for the day, two for all days that are exported"


def test_small_days_are_exported_together_and_hold_what_they_hold_alone(
    grow: Grow, monkeypatch: pytest.MonkeyPatch
):
    deployment = grow(LARGE).deployment
    days = outdated_days(deployment)
    with counting(deployment) as counted:
        together = export_days(deployment, days)
    files = sorted(deployment.warehouse_dir.glob("*/day=*/part.parquet"))
    held = [read_rows(path) for path in files]
    assert counted.sql <= 14, "as many for all small days as for one, and one to see that they are"

    monkeypatch.setattr("analysis.warehouse.publish.IDS_PER_QUERY", 1)
    monkeypatch.setattr("analysis.warehouse.day_rows.batches", lambda ids: ([each] for each in ids))
    alone = export_days(deployment, days)
    assert alone == together
    assert sorted(deployment.warehouse_dir.glob("*/day=*/part.parquet")) == files
    assert [read_rows(path) for path in files] == held
    assert [sum(one.row_counts.values()) for one in alone] == [
        sum(len(rows) for path, rows in zip(files, held, strict=True) if str(day) in path.parts[-2])
        for day in days
    ]


def test_a_publish_after_nothing_changed_writes_nothing_and_asks_little(grow: Grow):
    counts: list[int] = []
    for size in (SMALL, LARGE):
        deployment = grow(size).deployment
        publish_reports(deployment)
        outdated_days(deployment)
        before = deployment.reports_file.stat()
        with counting(deployment) as counted:
            publish_reports(deployment)
        after = deployment.reports_file.stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        assert not [name for name in counted.written if "day=" in name or "staging" in name]
        counts.append(counted.sql)

    assert counts[0] == counts[1] <= 12


@pytest.mark.slow
def test_a_publish_after_one_day_changed_writes_that_day_only(grow: Grow):
    counts: list[int] = []
    for size in (SMALL, LARGE):
        grown = grow(size)
        deployment = grown.deployment
        publish_reports(deployment)
        parts = {p: p.stat().st_mtime_ns for p in deployment.warehouse_dir.glob("*/day=*/*")}
        grown.add()
        with counting(deployment) as counted:
            assert outdated_days(deployment) == [FIRST_DAY.date()]
            publish_reports(deployment)
        changed = {p.parent.name for p, at in parts.items() if p.stat().st_mtime_ns != at}
        assert changed == {f"day={FIRST_DAY.date()}"}
        assert asked(deployment, "select count(*) from conversations") == [(size + 1,)]
        assert asked(deployment, "select count(*) from turns") == [((size + 1) * 5,)]
        assert asked(
            deployment, "select count(*), count(*) filter (is_current) from evaluations"
        ) == [((size + 1) * 2, (size + 1) * 2)]
        counts.append(counted.sql)

    assert counts[0] == counts[1]


@pytest.mark.slow
def test_a_file_brought_up_to_date_says_what_one_made_anew_says(grow: Grow):
    grown = grow(SMALL)
    deployment = grown.deployment
    publish_reports(deployment)
    grown.add(3)
    publish_reports(deployment)
    tables = [row[0] for row in asked(deployment, "select table_name from duckdb_tables()")]
    patched = {name: asked(deployment, f'select * from "{name}" order by all') for name in tables}

    deployment.reports_file.unlink()
    publish_reports(deployment)

    for name in tables:
        assert asked(deployment, f'select * from "{name}" order by all') == patched[name], name


def test_what_is_forgotten_leaves_no_byte_in_the_published_file(grow: Grow):
    grown = grow(SMALL)
    deployment = grown.deployment
    publish_reports(deployment)
    said = b"refunds of order 3 take"
    assert deployment.conversations.delete(conversation_id(3))
    deployment.evaluations.forget(conversation_id(3))
    grown.add()
    publish_reports(deployment)

    assert asked(deployment, "select count(*) from conversations") == [(SMALL,)]
    assert said not in deployment.reports_file.read_bytes().lower()


@pytest.mark.slow
def test_what_leaves_for_good_leaves_by_a_file_that_copies_all_other_days(grow: Grow):
    deployment = grow(SMALL).deployment
    publish_reports(deployment)
    second = str((FIRST_DAY + timedelta(days=1)).date())
    parts = list(deployment.warehouse_dir.glob(f"*/day={second}/*"))
    for part in parts:
        # Unreadable and, by its time, size and inode, unchanged: reading it would be an error.
        times = part.stat()
        part.write_bytes(b"x" * times.st_size)
        os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
    wanted = f"select * from turns where conversation_id <> '{conversation_id(0)}' order by all"
    before = asked(deployment, wanted)

    forget(deployment, now=FIRST_DAY, conversation_id=conversation_id(0))

    assert asked(deployment, wanted) == before
    assert asked(deployment, "select count(*) from turns") == [((SMALL - 1) * 5,)]
    assert b"refunds of order 0 take" not in deployment.reports_file.read_bytes().lower()
    assert all(set(part.read_bytes()) == {ord("x")} for part in parts), "they were mended"


@pytest.mark.slow
def test_a_damaged_day_is_written_anew_by_itself(grow: Grow, caplog: pytest.LogCaptureFixture):
    deployment = grow(SMALL).deployment
    publish_reports(deployment)
    for table in ("turns", "evaluations"):
        part = deployment.warehouse_dir / table / f"day={FIRST_DAY.date()}" / "part.parquet"
        part.write_bytes(part.read_bytes()[:200])

    publish_reports(deployment)

    assert asked(deployment, "select count(*) from turns") == [(SMALL * 5,)]
    assert asked(deployment, "select count(*) from evaluations") == [(SMALL * 2,)]
    assert "turns" in caplog.text
    assert "written anew" in caplog.text


def test_a_plan_in_which_nothing_is_open_reads_no_conversation(grow: Grow):
    counts: list[int] = []
    for size in (SMALL, LARGE):
        deployment = grow(size).deployment
        plan = plan_narrowed(deployment, Narrowing(), now=FIRST_DAY)
        assert (plan.conversations, plan.cached) == ((), size)
        with counting(deployment) as counted:
            plan = plan_narrowed(deployment, Narrowing(), now=FIRST_DAY)
        assert (plan.conversations, plan.cached, plan.skipped) == ((), size, 0)
        assert not [each for each in counted.statements if "FROM turns" in each]
        counts.append(counted.sql)

    assert counts[0] == counts[1] <= 4


def test_evaluating_one_new_conversation_costs_as_much_in_a_large_store(grow: Grow):
    counts: list[int] = []
    for size in (SMALL, LARGE):
        grown = grow(size)
        plan_narrowed(grown.deployment, Narrowing(), now=FIRST_DAY)
        grown.add(judged=False)
        with counting(grown.deployment) as counted:
            run = evaluate(grown.deployment)
        assert (run.evaluated, run.cached, run.failed) == (1, size, 0)
        counts.append(counted.sql)

    assert counts[0] == counts[1]


def test_a_first_plan_asks_by_the_batch(grow: Grow):
    counts: list[int] = []
    for size in (SMALL, LARGE):
        deployment = grow(size, judged=False).deployment
        outdated_days(deployment)
        with counting(deployment) as counted:
            plan = plan_narrowed(deployment, Narrowing(), now=FIRST_DAY)
        assert len(plan.conversations) == size
        counts.append(counted.sql)

    assert counts[0] == counts[1] <= 11


def test_what_was_settled_is_open_again_when_it_or_what_is_asked_changes(grow: Grow):
    grown = grow(SMALL)
    deployment = grown.deployment

    def left() -> tuple[int, int]:
        plan = plan_narrowed(deployment, Narrowing(), now=FIRST_DAY)
        return len(plan.conversations), plan.cached

    assert left() == left() == (0, SMALL)
    store = deployment.conversations
    turn = store.transcript(conversation_id(1)).turns[1]
    store.revise_turn(
        conversation_id(1), turn.model_copy(update={"text": "Other words?"}), at=FIRST_DAY
    )
    assert left() == left() == (1, SMALL - 1)

    deployment.evaluations.forget(conversation_id(2))
    assert left() == (2, SMALL - 2)

    again = Narrowing(sample=1)
    assert len(plan_narrowed(deployment, again, now=FIRST_DAY).conversations) == SMALL
    other = Narrowing(judge="another/judge")
    assert len(plan_narrowed(deployment, other, now=FIRST_DAY).conversations) == SMALL

    write_agents(deployment.settings.agents_dir, Shape(SMALL, agents=1), asks="Was it polite?")
    of_that_agent = SMALL - sum(
        store.transcript(conversation_id(n)).agent_id == "agent-1" for n in range(SMALL)
    )
    assert left()[0] >= of_that_agent


def test_lists_by_user_rating_and_comment_cost_as_much_in_a_large_store(grow: Grow):
    wanted = {
        "all": CallFilter(),
        "of a user": CallFilter(user_id="user-0"),
        "rated": CallFilter(rating_min=1),
        "with a comment": CallFilter(has_feedback_comment=True),
    }
    counts: list[dict[str, int]] = []
    found: list[dict[str, int]] = []
    for size in (SMALL, LARGE):
        deployment = grow(size).deployment
        context = create_app(deployment).state.context
        context.agents.agents()  # notes the version of a file that it has not met
        counts.append({})
        found.append({})
        for name, chosen in wanted.items():
            with counting(deployment) as counted:
                page = list_page(context, chosen, page_size=10, cursor=None)
            counts[-1][name] = counted.sql
            found[-1][name] = len(page.conversations)

    assert counts[0] == counts[1]
    named = counts[1].pop("of a user")
    assert named <= 7, (
        "which agents may tell of their users, and the page after, which tells nothing"
    )
    assert max(counts[1].values()) <= 3, "one for the page, one for findings, one for events"
    assert found == [
        {"all": 10, "of a user": 10, "rated": 1, "with a comment": 1},
        {"all": 10, "of a user": 10, "rated": 1, "with a comment": 1},
    ]


@pytest.mark.parametrize("masked", [False, True])
def test_pages_of_conversations_take_as_many_statements_however_much_they_show(
    grow: Grow, masked: bool
):
    counts: list[tuple[int, int]] = []
    for size in (SMALL, LARGE):
        grown = grow(size)
        deployment = grown.deployment
        for agent in usable_agents(deployment):
            privacy = agent.privacy.model_copy(update={"redact": masked})
            path = deployment.settings.agents_dir / f"{agent.agent_id}.yaml"
            save_agent(agent.model_copy(update={"privacy": privacy}), path)
        context = create_app(deployment).state.context
        # What is masked for the first time is kept, conversation by conversation.
        list_page(context, CallFilter(), page_size=size, cursor=None)
        with counting(deployment) as listed:
            page = list_page(context, CallFilter(), page_size=size, cursor=None)
        with counting(deployment) as shown:
            detail = conversation_detail(context, conversation_id(0))
        counts.append((listed.sql, shown.sql))

        assert len(page.conversations) == size
        assert all(each.call_successful for each in page.conversations)
        assert detail.analysis is not None
        assert len(detail.analysis.evaluation_criteria_results_list) == 2
        assert [item.message for item in detail.transcript][2] == (
            "Refunds of order 0 take five days, and we pay for the shipping."
        )
        found = [item.rag_retrieval_info for item in detail.transcript if item.rag_retrieval_info]
        assert [chunk.chunk_id for each in found for chunk in each.chunks] == ["chunk-1", "chunk-2"]
        assert detail.metadata.feedback is not None
        assert detail.metadata.feedback.rating == 1

    assert counts[0] == counts[1]
    assert counts[0] == (3, 3) if not masked else max(counts[0]) <= 12


def in_all(shares: Mapping[str, Mapping[date, Share]]) -> Share:
    return together(share for days in shares.values() for share in days.values())


def test_checks_over_all_days_ask_as_often_in_a_large_store(grow: Grow):
    looks: dict[str, Callable[[Deployment], object]] = {
        "transcripts": lambda d: incomplete_transcripts(d),
        "evidence": lambda d: in_all(shares_by_day(d, "unsupported")),
        "judge": lambda d: in_all(shares_by_day(d, "failures")),
        "flips": lambda d: in_all(shares_by_day(d, "flips")),
        "store": lambda d: d.conversations.count(),
    }
    counts: list[dict[str, int]] = []
    for size in (SMALL, LARGE):
        deployment = grow(size).deployment
        outdated_days(deployment)
        counts.append({})
        for name, look in looks.items():
            with counting(deployment) as counted:
                found = look(deployment)
            counts[-1][name] = counted.sql
            assert found in ([], {}, (0, size * 2), (0, size * 4), (0, 0), size)
        with counting(deployment) as counted:
            assert incomplete_transcripts(deployment) == []
            assert in_all(shares_by_day(deployment, "failures")) == (0, size * 4)
        read = ("FROM turns", "FROM evaluations", "FROM collected_values")
        assert not [each for each in counted.statements if any(part in each for part in read)]

    assert counts[0] == counts[1]
    assert max(counts[1].values()) <= 12


@pytest.mark.slow
def test_forgetting_reads_the_files_of_its_days_only(grow: Grow):
    for size in (SMALL, LARGE):
        deployment = grow(size).deployment
        publish_reports(deployment)
        kept = {
            path: path.stat().st_mtime_ns
            for path in deployment.warehouse_dir.glob("*/day=*/*")
            if FIRST not in str(path)
        }
        with counting(deployment) as counted:
            receipt = forget(deployment, now=FIRST_DAY, conversation_id=conversation_id(0))

        assert asked(deployment, "select count(*) from conversations") == [(size - 1,)]
        assert {path: path.stat().st_mtime_ns for path in kept} == kept
        assert not [name for name in counted.read if "day=" in name and FIRST not in name]
        assert not [place for place in receipt.not_reached if "by hand" in place]


def test_words_at_the_seam_of_two_pieces_of_a_file_are_found(tmp_path: Path):
    words = "I live in Nightingale Lane 7"
    for before in range(2**20 - 40, 2**20 + 3, 7):
        path = tmp_path / "large"
        path.write_bytes(b"x" * before + words.encode() + b"y" * 100)
        assert forgetting._said_in(path, {words, "I live in Ely"}) == {words}  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("of", ["conversations", "messages"])
def test_words_that_no_index_knows_are_looked_for_page_by_page(
    grow: Grow, monkeypatch: pytest.MonkeyPatch, of: str
):
    monkeypatch.setattr(pages, "WALKED", 5)
    context = create_app(grow(SMALL).deployment).state.context

    def page(cursor: str | None) -> Any:
        if of == "conversations":
            return list_page(context, CallFilter(search="1?"), page_size=30, cursor=cursor)
        everybody: Any = None
        return search_by_text(context, everybody, text_query="1?", page_size=30, cursor=cursor)

    read = [page(None)]
    while read[-1].has_more:
        read.append(page(read[-1].next_cursor))
    assert len(read) == 3
    assert not any(getattr(each, of if of == "conversations" else "results") for each in read)


class NotedConversations(ConversationStore):
    """Notes whose texts are read."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine)
        self.read: list[str] = []

    def transcripts(
        self, conversation_ids: Sequence[str]
    ) -> dict[str, Transcript | ValidationError]:
        self.read += conversation_ids
        return super().transcripts(conversation_ids)


@pytest.mark.parametrize("finding", ["topics", "gaps"])
def test_topics_and_gaps_read_what_changed(grow: Grow, finding: str):
    counts: list[list[int]] = []
    for size in (SMALL, LARGE):
        grown = grow(size, agents=1)
        conversations = NotedConversations(grown.deployment.conversations.engine)
        more = {"criteria": ["polite"]} if finding == "gaps" else {}
        find: Any = find_gaps if finding == "gaps" else find_topics
        given: dict[str, Any] = {
            "conversations": conversations,
            "store": grown.deployment.evaluations,
            "embedder": WordEmbedder(),
            "now": FIRST_DAY,
            **more,
        }
        with counting(grown.deployment) as at_first:
            first = find("agent-0", **given)
        assert len(conversations.read) == len(set(conversations.read)) == size
        conversations.read.clear()

        with counting(grown.deployment) as again:
            second = find("agent-0", **given)
        assert conversations.read == []
        texts = r"\b(?:FROM|JOIN) (?:turns|conversation_events|retrievals|evaluations)\b"
        assert not [each for each in again.statements if re.search(texts, each)]
        assert not [each for each in again.statements if "conversation_topics.vector" in each]
        assert _results(first) == _results(second)

        grown.add()
        with counting(grown.deployment) as one_new:
            find("agent-0", **given)
        assert len(conversations.read) == 1
        counts.append([at_first.sql, again.sql, one_new.sql])

    (at_first, again, one_new), large = counts
    assert large[1] == again <= 12
    # One or two more where something was found at all.
    assert large[0] <= at_first + 2, counts
    assert large[2] <= one_new + 2, counts


def test_agents_that_have_conversations_are_asked_for_at_once(grow: Grow):
    for size, agents in ((SMALL, 1), (LARGE, 4)):
        grown = grow(size, agents=agents)
        with counting(grown.deployment) as asked:
            assert len(improving._agents(grown.deployment, None)) == agents
        assert asked.sql == 1
        assert "min(" in asked.statements[0], "from agent to agent, not every conversation"
    for each in grown.deployment.conversations.conversations():
        assert each.agent_id in grown.deployment.conversations.agent_ids()
        grown.deployment.conversations.delete(each.conversation_id)
    assert improving._agents(grown.deployment, None) == []


def _results(run: TopicRun | GapRun) -> list[tuple[Any, ...]]:
    """What a run found; never nothing."""
    if isinstance(run, TopicRun):
        assert run.topics or run.without_topic
        found = [(run.conversations, run.without_topic)]
        return [*found, *((t.topic_id, t.name, t.conversation_ids) for t in run.topics)]
    assert run.gaps
    return [(gap.gap_id, gap.title, [each.key for each in gap.questions]) for gap in run.gaps]
