"""How texts are cut and counted when splitters are compared."""

from tests.bench.baselines import Place
from tests.bench.splitters import fuse, new_parts, sentence_windows, sentences


def test_what_was_returned_before_counts_once():
    places = [Place("a", 10, 20), Place("a", 15, 30), Place("b", 15, 18), Place("a", 5, 35)]

    assert new_parts(places) == [
        ("a", (10, 20)),
        ("a", (20, 30)),
        ("b", (15, 18)),
        ("a", (5, 10)),
        ("a", (30, 35)),
    ]


def test_sentences_end_at_stops_and_lines():
    text = "# Title\n\nOne. Two!  Three\nfour"

    said = [text[start:end] for start, end in sentences(text)]

    assert said == ["# Title", "One.", "Two!", "Three", "four"]


def test_a_sentence_is_returned_with_three_on_either_side():
    text = "\n".join(f"s{number}" for number in range(9))

    windows = sentence_windows({"a": text})

    assert windows[4].embedded == "s4"
    returned = windows[4].returned
    assert text[returned.start : returned.end].split() == ["s1", "s2", "s3", "s4", "s5", "s6", "s7"]
    assert windows[0].returned.start == 0


def test_fusion_prefers_what_both_rankings_have():
    assert fuse([1, 2, 3], [4, 2, 5])[0] == 2
