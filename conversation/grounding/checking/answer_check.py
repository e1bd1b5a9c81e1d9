"""Whether what an answer states stands in the passages that it was made from. Pure.

A value counts only where it is about the same thing: in a table in the row that is named, and in
the column that is named, with its currency, and in prose beside a word of the answer.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from conversation.grounding.checking.carried_words import CarriedWords
from conversation.grounding.checking.naming import (
    days_in,
    named_columns,
    named_rows,
    names_whole,
)
from conversation.grounding.checking.stated_names import is_known, names_in, stems
from conversation.grounding.checking.stated_values import Value, values_in
from conversation.grounding.checking.table_rows import RowCell, TableRow, rows_of
from conversation.grounding.checking.value_context import ValueContext, context_of, widened
from conversation.grounding.not_knowing import admits_not_knowing
from conversation.language.telling_words import is_negated, stem, telling_words
from kb.document import RetrievedPassage
from kb.words.sentences import split_sentences

LEAST_SHARE = 0.5
"""Of the question's words, in a row that stands for an answer."""
_LABEL_AND_CELL = 2
_LONGEST_WORD_CELL = 4
"""A cell of more words is told in others."""
_LONG_NUMBER = re.compile(r"\d{3,}")
_ITEM = re.compile(r"(?:\A|\n|[.:;!?]\s)\s*\d{1,2}[.)]\Z")
_ITEM_CHARS = 6
_MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands in a passage."""

    value: Value
    words: str
    """Of its sentence and the one before, or of its cell, label and column; with the titles."""
    sentence: str
    """Only what stands around it."""
    row: TableRow | None = None
    cell: RowCell | None = None


@dataclass(frozen=True)
class AnswerCheck:
    """Compares parts of one answer with what it may state."""

    passages: tuple[RetrievedPassage, ...]
    asked: str
    """The user's turn."""
    earlier: str = ""
    """The user's turn before."""
    own_words: str = ""
    """What the agent was told by whoever runs it: it may state all of that."""
    language: str = "en"
    by_words: bool = False
    """Whether words that stand nowhere together count as made up, as those of small models are."""
    is_near: bool = False
    """Whether the passages come so near to the question that one of their sentences is a better
    answer than that nobody knows."""

    def is_stated(self, answer: str, start: int, end: int) -> bool:
        """Whether everything that `answer[start:end]` states may be said.

        Args:
            answer: As far as it has come.
            start: Where the part begins.
            end: Where it ends: at the end of a clause.
        """
        sentence = _sentence_around(answer, start, end)
        if admits_not_knowing(answer[sentence:end]):
            return True
        names = self._names(answer, start, end)
        if any(not is_known(name, self._known, self.language) for _, _, name in names):
            return False
        if self.by_words and not self._carried.are_carried(answer[sentence:end]):
            return False
        values = values_in(answer[sentence:end], self.language)
        placed = [value.shifted(sentence) for value in values]
        return all(
            self._is_supported(answer, sentence, end, placed, number)
            for number, value in enumerate(placed)
            if value.start >= start and not _only_counts(answer, value, end)
        )

    def first_risk(self, answer: str, start: int) -> int:
        """Where the first thing begins in `answer[start:]` that has to be checked."""
        risks = [start + value.start for value in values_in(answer[start:], self.language)]
        risks += [
            begins
            for begins, _, name in self._names(answer, start, len(answer))
            if not is_known(name, self._known, self.language)
        ]
        sentence = _sentence_around(answer, start, len(answer))
        loose = self._carried.first_loose(answer[sentence:]) if self.by_words else None
        risks += [] if loose is None else [sentence + loose]
        return max(start, min(risks, default=len(answer)))

    def says_the_cell(self, sentence: str) -> bool:
        """Whether a sentence agrees with the cell that was asked for, where one was.

        Not to know a cell that is there is no answer either, unless the user asks for more.
        """
        if self.asked_cell is None:
            return True
        row, cell = self.asked_cell
        if admits_not_knowing(sentence):
            return not is_about(self, row)
        wanted = values_in(cell.text, self.language)
        if wanted:
            said = values_in(sentence, self.language)
            return any(one.forms & other.forms for one in wanted for other in said)
        is_long = len(cell.text.split()) > _LONGEST_WORD_CELL
        return is_long or names_whole(sentence, cell.text, self.language)

    @cached_property
    def asked_cell(self) -> tuple[TableRow, RowCell] | None:
        """The one cell of a table that the user names by row and column; None without one."""
        found: list[tuple[TableRow, RowCell]] = []
        for table in self.tables:
            rows = [
                row
                for row in named_rows(self.asked, table, self.language)
                if self._is_named_whole(self.asked, row)
            ]
            columns = named_columns(self.asked, table, self.language)
            found += [
                (row, cell)
                for row in rows
                for cell in row.cells[1:]
                if cell.text and (cell.column in columns or len(row.cells) == _LABEL_AND_CELL)
            ]
        return found[0] if len(found) == 1 else None

    def asked_rows(self) -> list[TableRow]:
        """The rows that the user's turn names most clearly, in the table where it does so best."""
        for words in (self.asked, f"{self.earlier} {self.asked}"):
            for table in self.tables:
                rows = named_rows(words, table, self.language)
                whole = [row for row in rows if self._is_named_whole(words, row)]
                if whole:
                    return whole
        return []

    @cached_property
    def tables(self) -> list[list[TableRow]]:
        """Rows of all passages, by the names of their columns."""
        tables: dict[tuple[str, ...], list[TableRow]] = {}
        for passage in self.passages:
            for row in rows_of(passage):
                names = tuple(cell.column for cell in row.cells)
                own = names if any(names) else (passage.chunk_id, str(row.table))
                tables.setdefault(own, []).append(row)
        return list(tables.values())

    @cached_property
    def _known(self) -> frozenset[str]:
        texts = [f"{p.document_name} {' '.join(p.heading_path)} {p.text}" for p in self.passages]
        said = " ".join([*texts, self.own_words, self.asked, self.earlier])
        return stems(said, self.language)

    @cached_property
    def _carried(self) -> CarriedWords:
        texts = ((f"{p.document_name} {' '.join(p.heading_path)}", p.text) for p in self.passages)
        return CarriedWords(
            texts,
            asked=f"{self.asked} {self.earlier}",
            own_words=self.own_words,
            language=self.language,
        )

    def _names(self, answer: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        return names_in(answer, start, end, self.language)

    @cached_property
    def _places(self) -> dict[str, list[_Place]]:
        """Where each form stands."""
        places: dict[str, list[_Place]] = {}
        for place in self._all_places():
            for form in place.value.forms:
                places.setdefault(form, []).append(place)
        return places

    def _all_places(self) -> Iterator[_Place]:
        for passage in self.passages:
            rows = rows_of(passage)
            titles = " ".join([passage.document_name, *passage.heading_path])
            for row in rows:
                for cell in row.cells:
                    text = f"{cell.text} {_unit_of(cell)}".strip()
                    for value in self._values_of(text):
                        words = f"{titles} {row.label} {cell.column} {cell.text}"
                        yield _Place(value, words, words, row, cell)
            inside = [(row.start, row.end) for row in rows]
            before = ""
            for sentence in split_sentences(passage.text):
                if any(start <= sentence.start < end for start, end in inside):
                    continue
                text = sentence.text
                for value in self._values_of(text):
                    yield _Place(value, f"{titles} {before} {text}", text)
                before = text
            for value in values_in(titles, self.language):
                yield _Place(value, titles, titles)

    def _values_of(self, text: str) -> Iterator[Value]:
        """Values of a passage, with what an answer may take out of them."""
        yield from values_in(text, self.language)
        yield from self._days_of(text)
        for value in values_in(text, self.language):
            if value.is_name:  # the port of an address, the number of an order
                numbers = _LONG_NUMBER.findall(text[value.start : value.end])
                forms = frozenset(f"n:{int(number)}" for number in numbers)
                yield Value(value.start, value.end, forms)

    def _days_of(self, text: str) -> list[Value]:
        """Days between the ends of a range, as if they were written."""
        forms = frozenset(f"w:{day}" for day in days_in(text, self.language))
        return [Value(0, len(text), forms)] if forms else []

    @cached_property
    def _own_forms(self) -> frozenset[str]:
        return _forms(self.own_words, self.language)

    @cached_property
    def _asked_forms(self) -> frozenset[str]:
        return _forms(self.asked, self.language)

    def _is_supported(
        self, answer: str, sentence: int, end: int, values: Sequence[Value], number: int
    ) -> bool:
        value = values[number]
        if value.forms & self._own_forms or self._is_the_users(answer[sentence:end], value):
            return True
        context = context_of(value, values, answer, sentence, end)
        forms = widened(value, context)
        places = {id(place): place for form in forms for place in self._places.get(form, ())}
        return any(self._fits(value, place, context) for place in places.values())

    def _is_the_users(self, clause: str, value: Value) -> bool:
        """Whether the user said it: names and codes may be repeated, numbers only be denied."""
        if not value.forms & self._asked_forms:
            return False
        return is_negated(clause, self.language) or all(form[0] in "cpw" for form in value.forms)

    def _fits(self, value: Value, place: _Place, context: ValueContext) -> bool:
        if not self._has_unit(value, place) or not self._counts_the_same(value, place):
            return False
        if place.row is None or place.cell is None:
            return self._fits_prose(value, place, context)
        if place.cell == place.row.cells[0] and all(form[0] == "c" for form in value.forms):
            return True  # it names its row by itself
        table = self._table_of(place.row)
        rows = self._first_named(table, (*context.words, self.asked, self.earlier))
        if rows:
            if place.row not in rows:
                return False
        elif self._names_a_row(context):
            return False
        if place.cell == place.row.cells[0]:
            return True
        columns = _first_columns(table, context.beside, self.language)
        return not columns or place.cell.column in columns

    def _table_of(self, row: TableRow) -> list[TableRow]:
        return next(rows for rows in self.tables if row in rows)

    def _first_named(self, table: Sequence[TableRow], texts: Sequence[str]) -> list[TableRow]:
        """The rows that the first text names that names any: by first cells, else by others."""
        for by_label in (True, False):
            for words in texts:
                rows = named_rows(words, table, self.language, by_label=by_label)
                if 0 < len(rows) < len(table):
                    return rows
        return []

    def _names_a_row(self, context: ValueContext) -> bool:
        """Whether a row of some table is meant beyond doubt."""
        return any(
            self._is_named_whole(words, row)
            for table in self.tables
            for words in (context.sentence, self.asked)
            for row in named_rows(words, table, self.language)
        )

    def _is_named_whole(self, words: str, row: TableRow) -> bool:
        shared = days_in(words, self.language) & days_in(row.label, self.language)
        return bool(shared) or names_whole(words, row.label, self.language)

    def _fits_prose(self, value: Value, place: _Place, context: ValueContext) -> bool:
        said = telling_words(f"{context.sentence} {self.asked}", self.language)
        shared = said & telling_words(place.words, self.language)
        return any(not word[0].isdecimal() for word in shared) or not self._names_a_row(context)

    def _has_unit(self, value: Value, place: _Place) -> bool:
        """Whether price is compared with price; where nothing has the unit, it is in no text."""
        if not value.unit or place.value.unit == value.unit:
            return True
        is_bare = not (place.value.unit or place.value.counted)
        return is_bare and value.unit not in self._units

    def _counts_the_same(self, value: Value, place: _Place) -> bool:
        """Whether what is counted is spoken of where the number stands.

        A word that no passage has decides nothing: the answer may be in another language.
        """
        counted = stem(value.counted, self.language)
        if not telling_words(value.counted, self.language) or counted not in self._words:
            return True
        other = stem(place.value.counted, self.language)
        is_other = bool(other) and other != counted
        if is_other and counted in self._counted:
            return False
        around = place.sentence if is_other else place.words
        return counted in telling_words(around, self.language)

    @cached_property
    def _words(self) -> frozenset[str]:
        """Telling words of the passages."""
        return frozenset[str]().union(
            *(telling_words(p.text, self.language) for p in self.passages)
        )

    @cached_property
    def _counted(self) -> frozenset[str]:
        """Stems of what numbers of the passages count."""
        counted = (place.value.counted for place in self._all_places())
        return frozenset(stem(word, self.language) for word in counted if word)

    @cached_property
    def _units(self) -> frozenset[str]:
        return frozenset(place.value.unit for place in self._all_places())


def _only_counts(answer: str, value: Value, end: int) -> bool:
    """Whether a number belongs to the answer alone: that of a list's item, or how many follow."""
    if _ITEM.search(answer, max(0, value.start - _ITEM_CHARS), value.end + 1):
        return True
    small = {f"n:{number}" for number in range(2, _MOST_LISTED + 1)}
    return answer[:end].rstrip().endswith(":") and bool(value.forms & small)


def is_about(check: AnswerCheck, row: TableRow) -> bool:
    """Whether a row is what the user asks for: it has half of the words, and every number."""
    asked = telling_words(check.asked, check.language)
    titles = " ".join([row.passage.document_name, *row.passage.heading_path])
    words = telling_words(f"{titles} {row.said()}", check.language)
    if days_in(check.asked, check.language) & days_in(row.label, check.language):
        return True
    numbers = {word for word in asked if word[0].isdecimal()}
    return numbers <= words and len(asked & words) >= LEAST_SHARE * len(asked)


def _forms(text: str, language: str) -> frozenset[str]:
    return frozenset(form for value in values_in(text, language) for form in value.forms)


def _unit_of(cell: RowCell) -> str:
    """A currency or per cent that stands with the name of the column."""
    signs = [char for char in cell.column if char in "%$\u20ac\u00a3\u00a5\u20b9"]
    return signs[0] if signs else ""


def _first_columns(
    table: Sequence[TableRow], texts: Sequence[str], language: str
) -> frozenset[str]:
    for words in texts:
        columns = named_columns(words, table, language)
        if columns:
            return columns
    return frozenset()


def _sentence_around(answer: str, start: int, end: int) -> int:
    """Where the sentence begins that holds `answer[start:end]`."""
    for sentence in reversed(split_sentences(answer[:end])):
        if sentence.start <= start:
            return sentence.start
    return start
