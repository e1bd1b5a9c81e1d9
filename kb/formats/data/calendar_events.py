"""Calendars (.ics): a block for each event, with what, when, where and how often."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, time, timedelta

from kb.document import ParsedDocument
from kb.formats.data.content_lines import ContentLine, content_lines
from kb.formats.data.marked_up import words_of
from kb.formats.text_builder import ParseRequest, TextBuilder, malformed, one_line

_ENTRIES = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
_LEFT_OUT = {"VALARM": "alarm", "VFREEBUSY": "busy time"}
_MOMENT = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a calendar. An entry that breaks the rules is left out and counted.

    Times are those written, with the time zone that the file names; nothing is converted.
    A rule of recurrence is shown as it stands.
    """
    builder = TextBuilder(request)
    calendar = _Calendar(builder)
    for line in content_lines(data, charset=request.charset):
        calendar.read(line)
    calendar.close()
    if calendar.broken and not calendar.entries:
        raise malformed(request.name, "calendar", "none of its events can be read")
    builder.leave_out("broken event", calendar.broken)
    for entry in calendar.entries:
        builder.add("paragraph", entry)
    return builder.build(title=calendar.title or request.name)


class _Calendar:
    """Takes lines one by one and keeps the entries that were whole."""

    def __init__(self, builder: TextBuilder) -> None:
        self.entries: list[str] = []
        self.broken = 0
        self.title = ""
        self._is_cancelled = False
        self._builder = builder
        self._open: list[str] = []
        self._lines: list[ContentLine] = []
        self._is_flawed = False

    def read(self, line: ContentLine | None) -> None:
        if line is None:
            self._is_flawed = True
            self._builder.leave_out("broken line", int(not self._is_in_entry()))
        elif line.name == "BEGIN":
            self._begin(line.value.strip().upper())
        elif line.name == "END":
            self._end(line.value.strip().upper())
        elif self._open and self._open[-1] in _ENTRIES:
            self._lines.append(line)
        elif line.name in ("X-WR-CALNAME", "NAME") and self._open == ["VCALENDAR"]:
            self.title = self.title or one_line(line.text())
        elif line.name == "METHOD":
            # Sent to cancel: said once, and true of all events in it.
            self._is_cancelled = line.value.upper() == "CANCEL"

    def close(self) -> None:
        """Count an entry that the end of the file cuts off."""
        self.broken += self._is_in_entry()
        self._open = []

    def _is_in_entry(self) -> bool:
        # `_begin` puts an entry right below its calendar, whatever was open before.
        return any(each in _ENTRIES for each in self._open[1:2])

    def _begin(self, component: str) -> None:
        if component in _ENTRIES or component == "VCALENDAR":
            # An entry that begins inside of another says that the other one never ended.
            self.close()
            self._open = [] if component == "VCALENDAR" else ["VCALENDAR"]
            self._lines, self._is_flawed = [], False
        if component == "VCALENDAR":
            self._is_cancelled = False
        self._open.append(component)
        if component in _LEFT_OUT:
            self._builder.leave_out(_LEFT_OUT[component])

    def _end(self, component: str) -> None:
        if not self._open or self._open[-1] != component:
            self._is_flawed = True
            if component not in _ENTRIES or self._open[1:2] != [component]:
                return
            del self._open[2:]
        self._open.pop()
        if component in _ENTRIES:
            self._finish()

    def _finish(self) -> None:
        if self._is_cancelled and all(line.name != "STATUS" for line in self._lines):
            self._lines.append(ContentLine("STATUS", "CANCELLED"))
        try:
            entry = "\n".join(_shown([self._read_html(line) for line in self._lines]))
        except ValueError:
            entry = ""
        if self._is_flawed or not entry:
            self.broken += 1
        else:
            self.entries.append(entry)

    def _read_html(self, line: ContentLine) -> ContentLine:
        """A description may be HTML: what a reader sees of it is its text."""
        if line.name != "DESCRIPTION":
            return line
        words = words_of(line.text(), self._builder)
        return replace(line, value=words.replace("\\", "\\\\").replace("\n", "\\n"))


def _shown(lines: list[ContentLine]) -> Iterator[str]:
    """The lines of an entry, in the order a reader asks.

    Raises:
        ValueError: A date that is none.
    """
    start = next((line for line in lines if line.name == "DTSTART"), None)
    for name, (label, show) in _FIELDS.items():
        found = [line for line in lines if line.name == name]
        if name == "DTEND" and found and _is_day(found[0]):
            yield f"Last day: {_last_day(found[0], start)}"
        elif words := ", ".join(filter(None, map(show, found))):
            yield f"{label}: {words}"


def _text(line: ContentLine) -> str:
    return "\n".join(filter(None, (one_line(each) for each in line.text().split("\n"))))


def _as_written(line: ContentLine) -> str:
    return one_line(line.value)


def _person(line: ContentLine) -> str:
    address = re.sub(r"^mailto:", "", line.value, flags=re.IGNORECASE)
    name = one_line(line.parameters.get("CN", ""))
    return f"{name} ({address})" if name and address and name != address else name or address


def _moments(line: ContentLine) -> str:
    return ", ".join(_moment(each.strip(), line) for each in line.value.split(","))


def _moment(value: str, line: ContentLine) -> str:
    if line.parameters.get("VALUE", "").upper() == "PERIOD":
        begin, _, end = value.partition("/")
        return f"{_moment_of(begin, line)} to {end if end[:1] == 'P' else _moment_of(end, line)}"
    return _moment_of(value, line)


def _moment_of(value: str, line: ContentLine) -> str:
    found = _MOMENT.fullmatch(value)
    if found is None:
        raise ValueError("not a date")
    day = date.fromisoformat(found[1])
    if found[2] is None:
        return day.isoformat()
    moment = time.fromisoformat(found[2])
    clock = moment.isoformat("seconds" if moment.second else "minutes")
    zone = line.parameters.get("TZID", "")
    return f"{day} {clock}" + (" UTC" if found[3] else f" ({zone})" if zone else "")


def _is_day(line: ContentLine) -> bool:
    return "T" not in line.value


def _last_day(end: ContentLine, start: ContentLine | None) -> date:
    """An event of whole days ends before the day that is written as its end."""
    last = date.fromisoformat(_moment_of(end.value, end)) - timedelta(days=1)
    if start is None or not _is_day(start):
        return last
    return max(last, date.fromisoformat(_moment_of(start.value, start)))


_FIELDS: dict[str, tuple[str, Callable[[ContentLine], str]]] = {
    "SUMMARY": ("Summary", _text),
    "STATUS": ("Status", _as_written),
    "DTSTART": ("Start", _moments),
    "DTEND": ("End", _moments),
    "DUE": ("Due", _moments),
    "DURATION": ("Duration", _as_written),
    "RRULE": ("Repeats", _as_written),
    "RDATE": ("Also on", _moments),
    "EXDATE": ("Not on", _moments),
    "RECURRENCE-ID": ("Instead of", _moments),
    "LOCATION": ("Place", _text),
    "ORGANIZER": ("Organizer", _person),
    "ATTENDEE": ("Attendees", _person),
    "URL": ("Link", _as_written),
    "DESCRIPTION": ("Description", _text),
}
