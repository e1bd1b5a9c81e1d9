"""Column lineage names columns that exist, of assets that come before."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from analysis.reports import open_reports
from analysis.store.store import StoredRun
from analysis.warehouse.rows import conversation_row
from conversation.transcript import Transcript
from orchestration.definitions import defs
from orchestration.defs.shown.lineage import ORIGINS, column_lineage
from orchestration.defs.shown.schemas import JUDGED, KEYS, SUPPLIERS
from orchestration.deployment import Deployment
from orchestration.processes.runs import opened_instance, run_job
from tests.analysis.calls import DAY, JUDGE, SHA
from tests.orchestration.sample import hold_calls, sample_deployment, write_data

COMPUTED = ("evaluations.is_current", "collected_values.is_current", "conversations.report_day")


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with sample_deployment(write_data(tmp_path / "data")) as opened:
        yield opened


def types_of(asset: str) -> dict[str, str]:
    """Type of each column of the asset, as its definition shows them."""
    node = defs.resolve_asset_graph().get(dg.AssetKey(asset))
    schema = node.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    return {column.name: column.type for column in schema.columns}


def lineage_of(asset: str) -> dict[str, list[tuple[str, str]]]:
    node = defs.resolve_asset_graph().get(dg.AssetKey(asset))
    lineage = node.metadata["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    return {
        column: [(dep.asset_key.to_user_string(), dep.column_name) for dep in deps]
        for column, deps in lineage.deps_by_column.items()
    }


@pytest.mark.parametrize("asset", sorted(ORIGINS))
def test_every_entry_names_columns_that_exist_of_an_asset_that_comes_before(asset: str):
    graph = defs.resolve_asset_graph()
    before = {key.to_user_string() for key in graph.get_ancestor_asset_keys(dg.AssetKey(asset))}
    own, lineage = types_of(asset), lineage_of(asset)

    assert lineage
    for column, origins in lineage.items():
        assert column in own
        assert origins
        for upstream, name in origins:
            assert upstream in before, f"{asset}.{column} comes from {upstream}"
            assert name in types_of(upstream), f"{upstream} has no column {name}"
            assert column in COMPUTED or types_of(upstream)[name] == own[column]


def test_every_asset_with_lineage_says_so_in_its_definition():
    graph = defs.resolve_asset_graph()
    told = {
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if "dagster/column_lineage" in graph.get(key).metadata
    }

    assert told == set(ORIGINS)


def test_an_answer_can_be_followed_from_the_report_to_what_was_asked():
    assert lineage_of("reports")["evaluations.criterion_version"] == [
        ("report_tables", "evaluations.criterion_version")
    ]
    assert lineage_of("report_tables")["evaluations.criterion_version"] == [
        ("evaluations", "criterion_version")
    ]
    assert lineage_of("evaluations")["criterion_version"] == [("questions", "version")]


def test_what_is_computed_or_said_has_no_entry():
    assert "verdict" not in lineage_of("evaluations")
    assert "turns.text" not in lineage_of("report_tables")
    assert not [name for name in lineage_of("reports") if name.startswith("judge_agreement.")]


def test_whether_an_answer_is_in_force_comes_from_four_columns():
    assert {name for _, name in lineage_of("reports")["evaluations.is_current"]} == {
        f"evaluations.{name}"
        for name in ("sample", "conversation_id", "criterion_id", "evaluation_id")
    }


def test_every_column_of_a_supplied_table_is_followed():
    followed = lineage_of("reports")
    published = [name for name in types_of("reports") if name.partition(".")[0] in SUPPLIERS]

    assert published
    assert [name for name in published if name not in followed] == []


def test_rows_are_tied_to_their_conversation_by_three_columns():
    assert [column.name for column in KEYS] == ["conversation_id", "agent_id", "day"]


def test_judging_adds_the_columns_that_are_said_to_come_from_summaries():
    transcript = Transcript(conversation_id="c0", agent_id="shop-desk")
    run = StoredRun(1, "c0", SHA, JUDGE, "p1", "What happened.", "It failed.", None, DAY)
    without, judged = (conversation_row(transcript, runs, day=DAY.date()) for runs in ([], [run]))

    assert tuple(name for name in judged if judged[name] != without[name]) == JUDGED
    assert lineage_of("report_tables")["conversations.summary"] == [("summaries", "summary")]


@pytest.mark.slow
def test_every_materialization_carries_the_lineage_and_the_file_has_the_columns(
    deployment: Deployment,
):
    hold_calls(deployment, 1)
    with opened_instance(deployment) as instance:
        day = {"definitions": defs, "instance": instance, "partition": "2026-03-01"}
        run_job("evaluate_days", deployment, **day)
        run_job("publish_reports", deployment, definitions=defs, instance=instance)
        for asset in ORIGINS.keys() - {"topics"}:
            event = instance.get_latest_materialization_event(dg.AssetKey(asset))
            assert event is not None
            assert event.asset_materialization is not None
            made = event.asset_materialization.metadata["dagster/column_lineage"].value
            assert made == column_lineage(asset)["dagster/column_lineage"], asset
    with open_reports(deployment.reports_file) as reports:
        columns = reports.sql(
            "select table_name || '.' || column_name from duckdb_columns() "
            "where table_name in (select table_name from duckdb_tables()) and not internal"
        ).fetchall()

    assert {name for (name,) in columns} == types_of("reports").keys()
