"""Calendars: what, when and where of each event; one bad event costs itself."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import DocumentError
from tests.kb.formats.documents import parse

SWIMMING = (
    "BEGIN:VEVENT",
    "SUMMARY:Swimming\\, for beginners",
    "DTSTART;TZID=Europe/Berlin:20261207T180000",
    "DTEND;TZID=Europe/Berlin:20261207T193000",
    "RRULE:FREQ=WEEKLY;BYDAY=MO",
    "LOCATION:Pool\\; lane 3",
    "DESCRIPTION:Bring a towel.\\nNo classes on hol",
    " idays.",
    "END:VEVENT",
)


def ics(*lines: str, head: tuple[str, ...] = ()) -> bytes:
    return "\r\n".join(
        ("BEGIN:VCALENDAR", "VERSION:2.0", *head, *lines, "END:VCALENDAR", "")
    ).encode()


def event(*lines: str) -> tuple[str, ...]:
    return ("BEGIN:VEVENT", *lines, "END:VEVENT")


def test_an_event_is_one_block_with_what_when_and_where():
    parsed = parse(ics(*SWIMMING, head=("X-WR-CALNAME:Courses",)), "courses.ics")

    assert parsed.media_type == "text/calendar"
    assert parsed.title == "Courses"
    assert len(parsed.blocks) == 1
    assert parsed.text.split("\n") == [
        "Summary: Swimming, for beginners",
        "Start: 2026-12-07 18:00 (Europe/Berlin)",
        "End: 2026-12-07 19:30 (Europe/Berlin)",
        "Repeats: FREQ=WEEKLY;BYDAY=MO",
        "Place: Pool; lane 3",
        "Description: Bring a towel.",
        "No classes on holidays.",
    ]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("DTSTART:20261207T180000Z", "Start: 2026-12-07 18:00 UTC"),
        ("DTSTART:20261207T180030", "Start: 2026-12-07 18:00:30"),
        ("DTSTART;VALUE=DATE:20261207", "Start: 2026-12-07"),
        ('DTSTART;TZID="Berlin: Mitte":20261207T180000', "Start: 2026-12-07 18:00 (Berlin: Mitte)"),
        ("dtstart:20261207T180000Z", "Start: 2026-12-07 18:00 UTC"),
        ("DTEND;VALUE=DATE:20261210", "Last day: 2026-12-09"),
        ("EXDATE;VALUE=DATE:20261214,20261221", "Not on: 2026-12-14, 2026-12-21"),
        ("RDATE;VALUE=PERIOD:20261214T180000Z/PT1H", "Also on: 2026-12-14 18:00 UTC to PT1H"),
        ("STATUS:CANCELLED", "Status: CANCELLED"),
        ('ORGANIZER;CN="Ann; Lee":mailto:ann@a.example', "Organizer: Ann; Lee (ann@a.example)"),
        ("SUMMARY;LANGUAGE=de;X_FROM=a:Grüße", "Summary: Swimming, Grüße"),
        ("X_SENT.BY:me", "Summary: Swimming"),
        ("DESCRIPTION:C:\\\\new folder", "Description: C:\\new folder"),
    ],
)  # fmt: skip
def test_a_property_is_shown_as_a_reader_means_it(line: str, shown: str):
    assert shown in parse(ics(*event("SUMMARY:Swimming", line)), "a.ics").text.split("\n")


def test_an_event_of_one_whole_day_ends_on_it():
    day = event("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261224")

    assert parse(ics(*day), "a.ics").text == "Start: 2026-12-24\nLast day: 2026-12-24"


@pytest.mark.parametrize(
    "bad",
    [
        event("SUMMARY:Lost", "DTSTART:20261341T180000"),
        event("SUMMARY:Lost", "DTSTART:tomorrow"),
        event("SUMMARY:Lost", "no property at all"),
        event("SUMMARY:Lost", 'DTSTART;TZID="Berlin:20261207T180000'),
        ("BEGIN:VEVENT", "SUMMARY:Lost", "BEGIN:VALARM", "END:VEVENT"),
        ("BEGIN:VEVENT", "SUMMARY:Lost"),
        event(),
    ],
)
def test_a_bad_event_costs_itself_and_is_counted(bad: tuple[str, ...]):
    parsed = parse(ics(*SWIMMING, *bad, *event("SUMMARY:Rowing")), "a.ics")

    assert len(parsed.blocks) == 2
    assert "Rowing" in parsed.text
    assert "Lost" not in parsed.text
    assert parsed.left_out["broken event"] == 1


def test_a_file_cut_off_in_an_event_keeps_those_before():
    data = ics(*SWIMMING, "BEGIN:VEVENT", "SUMMARY:Row").removesuffix(b"END:VCALENDAR\r\n")

    parsed = parse(data, "a.ics")

    assert len(parsed.blocks) == 1
    assert parsed.left_out == {"broken event": 1}


def test_a_calendar_of_bad_events_alone_is_refused():
    with pytest.raises(DocumentError) as refused:
        parse(ics(*event("DTSTART:soon")), "a.ics")

    assert refused.value.reason == "malformed"


def test_alarms_and_time_zones_are_no_text():
    zone = ("BEGIN:VTIMEZONE", "TZID:X", "BEGIN:STANDARD", "END:STANDARD", "END:VTIMEZONE")
    alarm = ("BEGIN:VALARM", "DESCRIPTION:Reminder", "END:VALARM")

    parsed = parse(ics(*zone, *event("SUMMARY:Rowing", *alarm, "LOCATION:Lake")), "a.ics")

    assert parsed.text == "Summary: Rowing\nPlace: Lake"
    assert parsed.left_out == {"alarm": 1}


def test_a_cancellation_says_so_in_each_event():
    data = ics(*event("SUMMARY:Rowing"), head=("METHOD:CANCEL",))

    assert "Status: CANCELLED" in parse(data, "a.ics").text


@given(
    st.text(
        st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Co", "Cf")), min_size=1
    )
)
def test_words_survive_folding_inside_of_characters(words: str):
    wanted = " ".join(f"x{words}".split())
    escaped = wanted.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    raw = f"SUMMARY:{escaped}".encode()
    folded = b"\r\n ".join(raw[at : at + 7] for at in range(0, len(raw), 7))
    data = ics(*event("SUMMARY:@")).replace(b"SUMMARY:@", folded)

    assert parse(data, "a.ics").text == f"Summary: {wanted}"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_calendar_is_known_by_its_content(encoding: str):
    data = ics(*SWIMMING).decode().encode(encoding)

    parsed = parse(data, "download")

    assert parsed.media_type == "text/calendar"
    assert "No classes on holidays." in parsed.text


def test_the_calendar_part_of_a_mail_is_read():
    message = EmailMessage()
    message["Subject"] = "Invitation"
    message["From"] = "ann@a.example"
    message.set_content("Please come.")
    message.add_alternative(ics(*SWIMMING).decode(), subtype="calendar")

    text = parse(message.as_bytes(), "a.eml").text

    assert "Please come." in text
    assert "Start: 2026-12-07 18:00 (Europe/Berlin)" in text
    assert "BEGIN:" not in text


def test_a_broken_line_between_events_is_counted():
    parsed = parse(ics(*SWIMMING, "nonsense", *event("SUMMARY:Rowing")), "a.ics")

    assert len(parsed.blocks) == 2
    assert parsed.left_out == {"broken line": 1}


def test_ends_of_what_never_began_take_linear_time():
    data = ics(*["BEGIN:X"] * 50_000, *["END:VEVENT"] * 50_000, *event("SUMMARY:Rowing"))

    assert parse(data, "a.ics").text == "Summary: Rowing"
