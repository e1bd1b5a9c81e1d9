"""Tables of pages that are not written as plain tables of cells."""

import pytest

from tests.kb.formats.documents import parse

PROSE = "<p>" + "The office explains its rates here, so that all can plan the day. " * 8 + "</p>"


def stored(table: str, *, article: bool) -> str:
    """The lines of a table, in a page with an article or one that holds nothing else."""
    body = f"<article><h1>Rates</h1>{PROSE}{table}{PROSE}</article>" if article else table
    text = parse(f"<html><body>{body}</body></html>".encode(), "a.html").text
    lines = text.split("\n")
    return "\n".join(line for line in lines if line not in ("", "Rates") and "office" not in line)


@pytest.mark.parametrize("article", [True, False])
class TestTables:
    def test_tables_in_cells_are_part_of_their_row(self, article: bool):
        inner = (
            "<table><tr><td>Users</td><td>{}</td></tr><tr><td>Price</td><td>{}</td></tr></table>"
        )
        rows = [("Basic", inner.format(1, 10)), ("Pro", inner.format(9, 30))]
        body = "".join(f"<tr><td>{plan}</td><td>{each}</td></tr>" for plan, each in rows)

        assert stored(
            f"<table><tr><th>Plan</th><th>Details</th></tr>{body}</table>", article=article
        ) == ("Plan | Details\nBasic | Users: 1; Price: 10\nPro | Users: 9; Price: 30")

    def test_tables_in_cells_name_their_own_columns(self, article: bool):
        inner = (
            "<table><tr><th>Term</th><th>Price</th></tr><tr><td>month</td><td>10</td></tr>"
            "<tr><td>year</td><td></td></tr></table>"
        )
        table = (
            "<table><tr><td>Plan</td><td>Rates</td></tr>"
            f"<tr><td>Basic</td><td>{inner}</td></tr></table>"
        )

        assert stored(table, article=article) == (
            "Plan | Rates\nBasic | Term: month, Price: 10; Term: year"
        )

    def test_roles_make_a_table(self, article: bool):
        def row(role: str, *cells: str) -> str:
            return f"<div role=row>{''.join(f'<span role={role}>{c}</span>' for c in cells)}</div>"

        grid = (
            f"<div role=table>{row('columnheader', 'Plan', 'Price')}<div role=rowgroup>"
            f"<div>{row('cell', 'Basic', '10')}</div>{row('cell', '<p>Pro</p>', '30')}</div></div>"
        )

        assert stored(grid, article=article) == "Plan | Price\nBasic | 10\nPro | 30"

    def test_roles_may_span(self, article: bool):
        grid = (
            "<div role=grid><div role=row><span role=columnheader>Plan</span>"
            "<span role=columnheader aria-colspan=2>Price</span></div><div role=row>"
            "<span role=gridcell>Basic</span><span role=gridcell>10</span>"
            "<span role=gridcell>12</span></div></div>"
        )

        assert stored(grid, article=article) == "Plan | Price | Price\nBasic | 10 | 12"

    def test_headings_may_name_the_columns(self, article: bool):
        table = (
            "<table><tr><th></th><th><h3>Basic</h3></th><th><h3>Pro</h3></th></tr>"
            "<tr><th>Users</th><td>1</td><td>10</td></tr></table>"
        )

        assert stored(table, article=article) == "| Basic | Pro\nUsers | 1 | 10"

    def test_names_further_down_begin_another_table(self, article: bool):
        def rows(what: str, per: str) -> str:
            return "".join(
                f"<tr><td>{what} number {at}, with a longer name</td><td>{at} {per}</td></tr>"
                for at in range(15)
            )

        table = (
            f"<table><tr><th>Plan</th><th>Price</th></tr>{rows('Plan', 'euros')}"
            f"<tr><th>Add-on</th><th>Limit</th></tr>{rows('Add-on', 'users')}"
            "<tr><th>Total</th><th>72</th></tr><tr><td>Rest</td><td>3</td></tr></table>"
        )

        lines = stored(table, article=article).split("\n")
        assert lines[1] == "Plan: Plan number 0, with a longer name | Price: 0 euros"
        assert lines[16] == "Add-on | Limit"
        assert lines[17] == "Add-on: Add-on number 0, with a longer name | Limit: 0 users"
        assert lines[-2:] == ["Add-on: Total | Limit: 72", "Add-on: Rest | Limit: 3"]

    def test_a_bold_row_names_the_columns(self, article: bool):
        body = "".join(
            f"<tr><td>Who has the key of door {at}?</td><td>The porter has it</td></tr>"
            for at in range(20)
        )
        table = f"<table><tr><td><b>Asked</b></td><td><strong>Said</strong></td></tr>{body}</table>"

        assert "Asked: Who has the key of door 3? | Said: The porter has it" in stored(
            table, article=article
        )


def test_a_table_that_lays_out_a_page_is_none():
    cell = "<td><h2>{}</h2><p>" + "The lift is at the left of the entrance. " * 4 + "</p></td>"
    table = f"<table><tr>{cell.format('Where we are')}{cell.format('When')}</tr></table>"

    assert "|" not in parse(f"<html><body>{table}</body></html>".encode(), "a.html").text
