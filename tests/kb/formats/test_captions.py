"""Captions: speakers and words, no times and no markup."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import DocumentError
from tests.kb.formats.documents import outline, parse

TIMES = "00:00:01.000 --> 00:00:03.500"
VTT = f"""WEBVTT - Training
Kind: captions

NOTE made by a machine

STYLE
::cue {{ color: red }}

a1b2/1-0
{TIMES} align:start position:0%
<v Ann Lee>Your warranty is <i>three</i></v>

{TIMES}
<v Ann Lee>years &amp; a <00:00:02.000><c.loud>day</c>.</v>

00:04.000 --> 00:05.000
<v.quiet Björn>And 5 &lt; 7?
Yes.
"""
SRT = """1
00:00:01,000 --> 00:00:03,500
{\\an8}<font color="#fff">Your warranty</font>

2
00:00:04,000 --> 00:00:05,000
is <b>three</b> years.

- Really?

3
00:00:06,000 --> 00:00:07,000
Ann: Yes, R&amp;D says so.
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_webvtt_is_its_speakers_and_words(end: str, encoding: str):
    parsed = parse(VTT.replace("\n", end).encode(encoding), "training.vtt")

    assert parsed.media_type == "text/vtt"
    assert outline(parsed) == [
        "paragraph| Ann Lee: Your warranty is three years & a day.",
        "paragraph| Björn: And 5 < 7? Yes.",
    ]
    assert parsed.left_out == {"comment": 1}


def test_subrip_is_its_words():
    parsed = parse(SRT, "training.srt")

    assert parsed.media_type == "application/x-subrip"
    assert outline(parsed) == [
        "paragraph| Your warranty is three years.",
        "paragraph| - Really?",
        "paragraph| Ann: Yes, R&D says so.",
    ]


@pytest.mark.parametrize(
    ("source", "media_type"), [(VTT, "text/vtt"), (SRT, "application/x-subrip")]
)
def test_captions_are_known_by_their_content(source: str, media_type: str):
    assert parse(source, "download.txt").media_type == media_type


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("WEBVTT is a format.\n\nIt has cues.", "a.txt"),
        ("No times in here.", "a.srt"),
        ("No times in here.", "a.vtt"),
        ("1\n\nThe first chapter, from 10:30 --> on.", "a.txt"),
    ],
)
def test_a_text_about_captions_stays_a_text(text: str, name: str):
    parsed = parse(text, name)

    assert parsed.media_type == "text/plain"
    assert parsed.text == text


@pytest.mark.parametrize("name", ["a.vtt", "a.srt"])
@pytest.mark.parametrize("bad", ["7\n00:00:xx --> 00:00:09\nLost", "7\n00:01 -> 00:02\nLost"])
def test_a_bad_cue_costs_itself_and_is_counted(bad: str, name: str):
    source = f"{'WEBVTT' if name == 'a.vtt' else ''}\n\n{TIMES}\nKept.\n\n{bad}\n\n{TIMES}\nToo."

    parsed = parse(source, name)

    assert parsed.text == "Kept. Too."
    assert parsed.left_out == {"broken cue": 1}


def test_a_cue_right_below_the_header_is_read():
    assert parse(f"WEBVTT\n{TIMES}\nHello.", "a.vtt").text == "Hello."


def test_many_styles_do_not_hide_the_words():
    styles = "STYLE\n" + "::cue(.a) { color: red }\n" * 500

    assert parse(f"WEBVTT\n\n{styles}\n{TIMES}\nHello.", "a.vtt").text == "Hello."


def test_captions_of_broken_cues_alone_are_refused():
    with pytest.raises(DocumentError) as refused:
        parse(f"1\n{TIMES.replace('3.500', 'x')}\nLost", "a.srt")

    assert refused.value.reason == "malformed"


def test_captions_without_a_word_are_empty():
    with pytest.raises(DocumentError) as refused:
        parse(f"WEBVTT\n\n{TIMES}\n<c></c>\n", "a.vtt")

    assert refused.value.reason == "empty"


def test_a_long_turn_goes_on_under_its_speaker():
    cues = "\n\n".join(f"{TIMES}\n<v Ann>Sentence {at} says something.</v>" for at in range(100))

    parsed = parse(f"WEBVTT\n\n{cues}", "a.vtt")

    assert len(parsed.blocks) > 2
    assert all(block.split("| ")[1].startswith("Ann: ") for block in outline(parsed))
    assert parsed.text.count("Sentence") == 100


@given(st.lists(st.text("ab<>&;é \u0964", min_size=1).map(str.strip).filter(bool), min_size=1))
def test_escaped_words_come_back(said: list[str]):
    cues = "\n\n".join(f"{TIMES}\n<v A>{html.escape(words)}</v>" for words in said)

    text = parse(f"WEBVTT\n\n{cues}", "a.vtt").text

    assert " ".join(text.replace("\n\nA:", "").split()) == "A: " + " ".join(" ".join(said).split())


@pytest.mark.parametrize("piece", ["<v ", "<c ", "<", "{\\", "&", "\n \n", "1:1.1 --> "])
def test_reading_takes_time_linear_in_the_length(piece: str):
    assert "Hello" in parse(f"WEBVTT\n\n{TIMES}\nHello {piece * 100_000}", "a.vtt").text
