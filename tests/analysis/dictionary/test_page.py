from analysis.dictionary.page import dictionary_as_markdown
from analysis.dictionary.tables import TABLES
from analysis.dictionary.views import VIEWS
from tests.analysis.calls import AGENT


def test_every_table_view_and_column_is_described():
    page = dictionary_as_markdown([AGENT])
    for thing in (*TABLES, *VIEWS):
        assert f"### {thing.name}\n\n{thing.comment}" in page
        for column in thing.columns:
            assert f"| `{column.name}` | " in page, f"{thing.name}.{column.name}"
    assert "### agent_shop_desk" in page
    assert "Verdict in force: The agent was polite." in page


def test_a_comment_cannot_break_its_table():
    for line in dictionary_as_markdown([AGENT]).splitlines():
        if line.startswith("| `"):
            assert line.replace("\\|", "").count("|") == 4
