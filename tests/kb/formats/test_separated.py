"""Separated values: other delimiters and quotes, and quotes that nothing closes."""

import pytest

from tests.kb.formats.documents import parse


@pytest.mark.parametrize(
    ("source", "stored"),
    [
        ("Plan^Price^Users\nBasic^10^1\n", "Plan | Price | Users\nBasic | 10 | 1"),
        ("Plan~Price~Users\nBasic~10~1\n", "Plan | Price | Users\nBasic | 10 | 1"),
        ("'Plan','Price'\n'Basic, small','10'\n", "Plan | Price\nBasic, small | 10"),
        ("'Plan'\n'it''s small'\n", "Plan\nit's small"),
        (
            'Plan, Price\n"Basic", "10"\n"Pro, big", "30"\n',
            "Plan | Price\nBasic | 10\nPro, big | 30",
        ),
        ("Plan;Price\nBasic;10,50\nPro;30,00\n", "Plan | Price\nBasic | 10,50\nPro | 30,00"),
        ('Plan,Note\nBasic,"a ""b"" c"\n', 'Plan | Note\nBasic | a "b" c'),
        ("Plan,Price\rBasic,10\r", "Plan | Price\nBasic | 10"),
        ("Plan;A | B\nBasic;x | y\n", "Plan | A \\| B\nBasic | x \\| y"),
        (
            "Plan,Price,Users\nBasic,10\nPro,30,5\n",
            "Plan | Price | Users\nBasic | 10 |\nPro | 30 | 5",
        ),
    ],
)
def test_rows_are_cut_where_their_writer_cut_them(source: str, stored: str):
    assert parse(source, "a.csv").text == stored


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_of_unicode_are_told(encoding: str):
    assert (
        parse("Plan;Größe\nBasic;10\n".encode(encoding), "a.csv").text == "Plan | Größe\nBasic | 10"
    )


def test_an_open_quote_takes_no_other_line_with_it():
    assert parse('Plan,Note\nBasic,"oops\nPro,fine\nMax,ok', "a.csv").text == (
        'Plan | Note\nBasic | "oops\nPro | fine\nMax | ok'
    )


def test_many_open_quotes_end():
    source = "Plan,Note\n" + "".join(f'P{at},"open" {at}\n' for at in range(50)) + 'Last,"open\n'

    assert parse(source, "a.csv").text.endswith('Last | "open')


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_an_open_quote_below_a_sign_that_ends_lines_elsewhere_repeats_no_row(sign: str):
    parsed = parse(f'a,b\nx{sign}y,1\np,"open\nq,2\nr,3\n', "a.csv")

    assert parsed.text.split("\n")[2:] == ['p | "open', "q | 2", "r | 3"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\u2029"])
def test_a_record_of_jsonl_goes_on_over_signs_that_end_lines_elsewhere(sign: str, end: str):
    parsed = parse(end.join([f'{{"q": "a{sign}b"}}', '{"q": "c"}', ""]), "a.jsonl")

    assert not parsed.left_out
    assert parsed.text.split("\n")[-1] == "c"
