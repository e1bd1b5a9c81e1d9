"""The pure machines of turn taking: what holds whatever is said, and when."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.language.spoken_text import SpokenPiece, spoken_pieces
from conversation.voice.turns.barge_in import BargeIn, BargeInRules
from conversation.voice.turns.clauses import FIRST_CHARS, MAX_CHARS, ClauseCutter
from conversation.voice.turns.endpointing import FRAME_S, Endpointer, Paused, Resumed, Started
from conversation.voice.turns.first_words import SpokenTurn, first_cut
from conversation.voice.turns.hush import Hush
from conversation.voice.turns.playout import HeardText, Playout
from conversation.voice.turns.room_noise import LOUDER, QUIETEST, RoomNoise
from conversation.voice.turns.short_answers import ignored_terms, is_short_answer
from conversation.voice.turns.source_places import word_marks
from conversation.voice.turns.turn_end import LONGEST_S, is_dictating, seconds_to_wait
from tests.growth import growth

WORDS = st.text(st.sampled_from("abc ,.;!?0123 $%\n*[]()é中"), max_size=200)
PROBABILITIES = st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]), max_size=80)


def events_of(probabilities: list[float]) -> list[object]:
    endpointer, events = Endpointer(), list[object]()
    for number, probability in enumerate(probabilities):
        endpointer, event = endpointer.heard(probability, at_s=number * FRAME_S)
        if event is not None:
            events.append(event)
    return events


@given(PROBABILITIES)
def test_a_turn_starts_once_and_then_pauses_and_resumes_in_turn(probabilities: list[float]):
    events = events_of(probabilities)

    kinds = [type(event) for event in events]
    expected = [Started, *([Paused, Resumed] * len(events))]
    assert kinds == expected[: len(kinds)]
    moments = [event.at_s for event in events]  # type: ignore[attr-defined]
    assert moments == sorted(moments)


@given(PROBABILITIES)
def test_a_hush_begins_at_once_and_is_over_before_it_is_heard(probabilities: list[float]):
    hush, run = Hush(), list[float]()
    for number, probability in enumerate(probabilities):
        may_be_voice, is_voice = probability >= 0.2, probability >= 0.5
        hush = hush.heard(may_be_voice=may_be_voice, is_voice=is_voice, at_s=number * FRAME_S)
        run = [*run, probability] if may_be_voice else []
        at_most_s = 0.3 if max(run, default=0) >= 0.5 else 0.2
        left_s = hush.left_s((number + 1) * FRAME_S)
        assert left_s == pytest.approx(max(0, at_most_s - len(run) * FRAME_S) if run else 0)


@given(st.lists(st.floats(0, 32_768), max_size=60))
def test_a_sound_stands_out_against_what_was_quieter(levels: list[float]):
    room = RoomNoise()
    for number, level in enumerate(levels):
        before = max(QUIETEST, min([QUIETEST, *levels[:number]]))
        room, stands_out = room.heard(level)
        assert room.level >= QUIETEST
        assert not (stands_out and level <= LOUDER * before)


def test_a_fan_is_the_room_after_a_while_and_a_word_over_it_stands_out():
    room, found = RoomNoise(), list[bool]()
    for level in [*([5.0] * 20), *([100.0] * 150), 900.0, *([100.0] * 5)]:
        room, stands_out = room.heard(level)
        found.append(stands_out)

    assert found[:20] == [False] * 20
    assert found[20]
    assert found[119:] == [False] * 51 + [True] + [False] * 5


def test_a_voice_begins_with_its_first_frame_and_ends_with_its_last():
    events = events_of([0.0] * 4 + [0.9] * 10 + [0.4] + [0.0] * 8)

    assert events == [Started(4 * FRAME_S), Paused(15 * FRAME_S)]


@pytest.mark.parametrize(("frames", "kinds"), [(2, []), (3, [Started])])
def test_two_frames_are_no_voice(frames: int, kinds: list[type]):
    assert [type(event) for event in events_of([0.9] * frames + [0.0] * 3)] == kinds


@given(
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1),
    st.sampled_from(["patient", "normal", "eager"]),
    st.booleans(),
)
def test_no_turn_waits_for_ever_and_surer_ones_not_longer(audio, text, eagerness, dictates):  # type: ignore[no-untyped-def]
    wait_s = seconds_to_wait(audio=audio, text=text, eagerness=eagerness, is_dictating=dictates)

    assert 0.1 <= wait_s <= LONGEST_S
    surer_s = seconds_to_wait(audio=1.0, text=1.0, eagerness=eagerness, is_dictating=dictates)
    assert surer_s <= wait_s
    assert wait_s >= 1.2 or not dictates


@pytest.mark.parametrize(
    ("audio", "text", "waits_s"),
    [
        (0.95, 0.5, 0.2),
        (0.95, 0.2, 0.5),  # sounds done, but its words mostly go on
        (0.9, 0.15, 0.8),
        (0.3, 0.7, 0.2),
        (0.05, 0.4, 0.8),
        (0.5, 0.05, 1.6),
        (0.4, 0.5, 0.5),
        (0.1, 0.5, 0.5),
        (None, 0.9, 0.8),
        (None, 0.05, 1.6),
        (0.7, None, 0.2),  # a language whose words nobody can read
        (0.6, None, 0.8),
        (0.1, None, 1.6),
        (None, None, 1.6),
    ],
)
def test_words_and_melody_are_weighed_together(
    audio: float | None, text: float | None, waits_s: float
):
    assert seconds_to_wait(audio=audio, text=text) == waits_s


@pytest.mark.parametrize(
    ("text", "language", "dictated"),
    [
        ("My number is 555", "en", True),
        ("five five", "en", True),
        ("it's 4 5 6", "en", True),
        ("the code is A B C", "en", True),
        ("order 7F19", "en", True),
        ("meine Nummer ist null acht", "de", True),
        ("mein Code ist 12", "de-AT", True),
        ("mi número es seis siete", "es", True),
        ("c'est le zéro six", "fr", True),
        ("I need 2", "en", False),
        ("20 books", "en", False),
        ("one", "en", False),
        ("that is all", "en", False),
        ("", "en", False),
        ("cinco", "xx", False),
    ],
)
def test_digits_that_are_read_out(text: str, language: str, dictated: bool):
    assert is_dictating(text, language) is dictated


@pytest.mark.parametrize(
    ("text", "language", "short"),
    [
        ("Okay.", "en", True),
        ("Uh-huh, yeah.", "en", True),
        ("Mm-hmm. I see!", "en", True),
        ("Okay, but wait", "en", False),
        ("stop", "en", False),
        ("no", "en", False),
        ("", "en", False),
        ("...", "en", False),
        ("Ja, genau.", "de", True),
        ("Nein", "de", False),
        ("D\u2019accord.", "fr", True),
        ("Sí, claro", "es", True),
        ("Va bene, ho capito.", "it", True),
        ("pois é", "pt-BR", True),
        ("はい、そうですね。", "ja", True),
        ("待ってください", "ja", False),
        ("对对对", "zh", True),
        ("等一下", "zh", False),
        ("네, 그렇군요", "ko", True),
        ("ठीक है", "hi", True),
        ("okay", "xx", False),
    ],
)
def test_short_answers_of_many_languages(text: str, language: str, short: bool):
    assert is_short_answer(text, ignored_terms(language)) is short


def test_an_agent_has_short_answers_of_its_own():
    with_usual = ignored_terms("en", ("roger that",))
    alone = ignored_terms("en", ("roger that",), with_usual=False)

    assert is_short_answer("Roger that, okay", with_usual)
    assert not is_short_answer("okay", alone)
    assert is_short_answer("Roger that!", alone)


def test_short_answers_are_told_in_time_linear_in_the_text():
    terms = ignored_terms("en")
    assert growth(lambda text: is_short_answer(text, terms), "okay i see ") < 8
    assert growth(lambda text: word_marks(text, text[::-1]), "okay i see ") < 8
    assert growth(lambda text: is_dictating(text, "en"), "one 2 ") < 8


@given(st.lists(st.tuples(st.floats(0.01, 0.1), st.floats(0.0, 0.3)), max_size=30))
def test_heard_grows_and_never_exceeds_what_was_sent(frames: list[tuple[float, float]]):
    playout, now_s, sent_s, before_s = Playout(), 0.0, 0.0, 0.0
    for duration_s, passes_s in frames:
        playout.sent(duration_s, now_s=now_s)
        sent_s += duration_s
        now_s += passes_s
        heard_s = playout.heard_s(now_s)
        assert before_s <= heard_s <= sent_s + 1e-9
        assert heard_s + playout.ahead_s(now_s) == pytest.approx(sent_s)
        before_s = heard_s
    cut_s = playout.cut(now_s)
    assert playout.heard_s(now_s + 10) == pytest.approx(cut_s)
    assert playout.ahead_s(now_s) == 0.0


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 50)), max_size=20), st.floats(0, 6))
def test_heard_characters_never_shrink(marks: list[tuple[float, int]], moment_s: float):
    heard = HeardText()
    for end_s, chars in marks:
        heard.reaches(end_s, chars=chars)

    assert heard.chars_at(moment_s) <= heard.chars_at(moment_s + 1.0)
    places = [place for word in heard.words() for place in word[:2]]
    assert places == sorted(places)


def test_sound_is_placed_in_the_call_across_a_hold():
    playout = Playout()
    playout.sent(0.5, now_s=1.0)
    playout.sent(0.5, now_s=3.0)

    assert [playout.played_at_s(at) for at in (0.0, 0.25, 0.75, 1.0, 1.1)] == pytest.approx(
        [1.0, 1.25, 3.25, 3.5, None]
    )


@given(WORDS, WORDS)
def test_marks_are_in_order_and_end_with_the_sentence(spoken: str, source: str):
    marks = word_marks(spoken, source, offset=7)

    assert len(marks) == len(spoken.split())
    places = [mark.source for mark in marks]
    assert places == sorted(places)
    assert all(7 <= place <= 7 + len(source) for place in places)
    if marks:
        assert (marks[-1].source, marks[-1].spoken) == (7 + len(source), len(spoken.rstrip()))


@pytest.mark.parametrize(
    ("source", "spoken", "word", "until"),
    [
        ("It costs **$42** a year.", "It costs forty two dollars a year.", "a", "a"),
        ("See [the rules](https://x.example/a).", "See the rules.", "the", "[the"),
        (
            "Open 9-17, Sundays closed.",
            "Open nine to seventeen, Sundays closed.",
            "Sundays",
            "Sundays",
        ),
    ],
)
def test_rewritten_words_keep_their_neighbours_in_place(
    source: str, spoken: str, word: str, until: str
):
    place = re.search(rf"\b{word}\b", spoken)
    assert place is not None
    mark = next(mark for mark in word_marks(spoken, source) if mark.spoken == place.end())

    assert source[: mark.source].endswith(until)


@given(WORDS)
def test_clauses_say_every_word_once_and_are_short(text: str):
    cutter = ClauseCutter()
    clauses = [clause for piece in spoken_pieces(text, "en") for clause in cutter.cut(piece, text)]

    said = "".join(piece.text for piece in spoken_pieces(text, "en"))
    assert "".join(clause.text for clause in clauses).replace(" ", "") == said.replace(" ", "")
    assert all(clause.text for clause in clauses)
    assert [clause.is_first for clause in clauses] == [True, *[False] * (len(clauses) - 1)][
        : len(clauses)
    ]
    places = [mark.source for clause in clauses for mark in clause.marks]
    assert places == sorted(places)
    for clause in clauses:
        assert len(clause.text) <= 2 * (FIRST_CHARS if clause.is_first else MAX_CHARS)
        spoken = [mark.spoken for mark in clause.marks]
        assert spoken == sorted(spoken)
        assert not spoken or 0 < spoken[0] <= spoken[-1] <= len(clause.text)


def test_a_long_sentence_is_cut_at_its_pauses():
    text = (
        "You may keep up to five documents of twenty megabytes, which every agent reads in full, "
        "and whoever needs more than that can raise the limit in the file of the agent itself."
    )
    clauses = [c.text for c in ClauseCutter().cut(SpokenPiece(text, 0, len(text)), text)]

    assert clauses[0] == "You may keep up to five documents of twenty"
    assert clauses[1].endswith("in full,")
    assert all(len(clause) <= MAX_CHARS for clause in clauses)


@given(WORDS, st.integers(1, 7))
def test_how_the_text_comes_changes_nothing_of_its_words(text: str, size: int):
    whole, parts = SpokenTurn("en"), SpokenTurn("en")
    at_once = whole.feed(text) + whole.finish()
    pieces = [
        p for start in range(0, len(text), size) for p in parts.feed(text[start : start + size])
    ]
    pieces += parts.finish()

    assert parts.text == whole.text == text
    for each in (at_once, pieces):
        bounds = [place for piece in each for place in (piece.start_char, piece.end_char)]
        assert bounds == sorted(bounds)
        assert not bounds or bounds[-1] <= len(text)
    letters = [
        re.sub(r"[\W_]", "", "".join(piece.text for piece in each)) for each in (at_once, pieces)
    ]
    if not any(char in text for char in "0123$%*[]()"):
        assert letters[0] == letters[1]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Sure thing friend, the office", 18),
        ("Sure, the office opens", None),
        ("That costs us 1, 2 or 3 or", None),
        ("See [the big old, new list", None),
        ("Well my dear friend,", None),
    ],
)
def test_the_first_words_are_said_before_their_sentence_is_whole(text: str, cut: int | None):
    assert first_cut(text) == cut


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["voice", "pause", "words", "okay", "empty", "fail", "wait"]),
            st.floats(0.03, 0.6),
        ),
        max_size=40,
    ),
    st.booleans(),
)
def test_whatever_comes_an_agent_is_not_held_for_ever(
    steps: list[tuple[str, float]], may_interrupt: bool
):
    rules = BargeInRules(may_interrupt=may_interrupt, ignored=ignored_terms("en"))
    barge_in, now_s, is_held = BargeIn(rules), 0.0, False
    decisions: list[object] = []
    for kind, passes_s in [*steps, ("pause", 0.1), ("wait", 5.0)]:
        now_s += passes_s
        decision = None
        match kind:
            case "voice":
                barge_in = barge_in.began(now_s - passes_s)
                barge_in, decision = barge_in.voice(now_s)
            case "pause":
                barge_in = barge_in.paused(now_s)
            case "words" | "okay" | "empty":
                text = {"words": "wait a moment", "okay": "okay", "empty": ""}[kind]
                barge_in, decision = barge_in.words(text, now_s=now_s, is_final=kind == "empty")
            case "fail":
                barge_in, decision = barge_in.failed()
            case _:
                barge_in, decision = barge_in.silence(now_s)
        decisions.append(decision)
        is_held = {"hold": True, "resume": False, "interrupt": False}.get(str(decision), is_held)
        assert is_held == barge_in.is_held

    assert not is_held
    assert may_interrupt or set(decisions) <= {None}


def test_a_voice_over_the_agent_holds_it_once_and_interrupts_when_it_lasts():
    rules = BargeInRules(hold_after_s=0.2, interrupt_after_s=1.0)
    barge_in, decisions = BargeIn(rules).began(5.0), list[tuple[float, object]]()
    for now_s in (5.1, 5.19, 5.2, 5.5, 5.99, 6.0):
        barge_in, decision = barge_in.voice(now_s)
        decisions.append((now_s, decision))

    assert [each for each in decisions if each[1]] == [(5.2, "hold"), (6.0, "interrupt")]
    assert barge_in == BargeIn(rules)


def test_a_held_agent_goes_on_when_nobody_could_say_in_time_what_was_heard():
    rules = BargeInRules(hold_after_s=0.2, held_at_most_s=2.0)
    held, _ = BargeIn(rules).began(5.0).voice(5.3)
    silent = held.paused(5.4)

    assert silent.silence(5.5) == silent.silence(7.39) == (silent, None)
    resumed, decision = silent.silence(7.4)
    assert (resumed.is_held, decision) == (False, "resume")
    assert resumed.silence(9.0) == (resumed, None)


@pytest.mark.parametrize(
    ("text", "is_final", "decision"),
    [
        ("pricing", True, "interrupt"),
        ("pricing", False, None),
        ("what about pricing", False, "interrupt"),
        ("", True, None),
    ],
)
def test_one_word_takes_the_turn_once_it_is_all(text: str, is_final: bool, decision: str | None):
    speaking = BargeIn().began(5.0)

    assert speaking.words(text, now_s=5.3, is_final=is_final)[1] == decision


@pytest.mark.parametrize(("letters", "cut_at"), [(15, 15), (19, 19), (21, 10)])
def test_a_word_longer_than_a_clause_is_whole_up_to_twice_its_length(letters: int, cut_at: int):
    cutter = ClauseCutter(first_chars=10, max_chars=10)
    first, *_ = cutter.own(f"{'a' * letters} and more words")

    assert len(first.text) == cut_at
