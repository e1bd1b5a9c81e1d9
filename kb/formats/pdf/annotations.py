"""What lies over a page: values of form fields, typed notes, comments, attached files."""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from kb.formats.pdf.lines import PageLine
from kb.formats.pdf.objects import Box
from kb.formats.pdf.words import PageWord
from kb.formats.vendors import vendor

MAX_ANNOTATIONS = 5_000
"""Of a page."""

_HIDDEN_FLAGS = 2 | 32
_PASSWORD_FLAG = 1 << 13
_SLACK = 3.0
"""Points by which the baseline of a label may lie outside of its field."""
_TICKED, _EMPTY = "[x]", "[ ]"


@dataclass(frozen=True, slots=True)
class Annotation:
    """The value of a field, or a typed note, with its box on the page."""

    text: str
    box: Box
    kind: str
    """`value`, `choice` (a box to tick) or `note`."""
    name: str = ""
    """What the form calls the field."""


AttachedFile = tuple[str, bytes]
"""Name and content; without content where it cannot be read."""


@dataclass(slots=True)
class Overlay:
    """What lies over one page."""

    marks: list[Annotation] = field(default_factory=list[Annotation])
    hidden: list[str] = field(default_factory=list[str])
    """Texts that are set not to be shown."""
    left_out: list[str] = field(default_factory=list[str])
    """Kinds of what was not read, one for each piece."""
    files: list[AttachedFile] = field(default_factory=list[AttachedFile])


def overlay_of(page: Any, form: Any) -> Overlay:
    """Read the annotations of an open page; `form` is the form environment, if there is a form."""
    raw = vendor("pypdfium2.raw")
    overlay = Overlay()
    for index in range(min(raw.FPDFPage_GetAnnotCount(page.raw), MAX_ANNOTATIONS)):
        handle = raw.FPDFPage_GetAnnot(page.raw, index)
        if not handle:
            continue
        try:
            _read(raw, handle, form, overlay)
        finally:
            raw.FPDFPage_CloseAnnot(handle)
    return overlay


def _read(raw: Any, handle: Any, form: Any, overlay: Overlay) -> None:
    subtype = raw.FPDFAnnot_GetSubtype(handle)
    if subtype in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP):
        return
    if subtype == raw.FPDF_ANNOT_WIDGET:
        mark = _field(raw, handle, form, overlay) if form else None
    else:
        text = _string(lambda *into: raw.FPDFAnnot_GetStringValue(handle, b"Contents", *into))
        if subtype != raw.FPDF_ANNOT_FREETEXT:
            if subtype == raw.FPDF_ANNOT_FILEATTACHMENT:
                overlay.files.append(_attached(raw, handle))
            elif text.strip():
                overlay.left_out.append("comment")
            return
        mark = Annotation(" ".join(text.split()), _box(raw, handle), "note")
    if mark is None or not mark.text:
        return
    if raw.FPDFAnnot_GetFlags(handle) & _HIDDEN_FLAGS:
        overlay.hidden.append(mark.text)
    else:
        overlay.marks.append(mark)


def _field(raw: Any, handle: Any, form: Any, overlay: Overlay) -> Annotation | None:
    kind = raw.FPDFAnnot_GetFormFieldType(form, handle)
    box = _box(raw, handle)
    name = _string(lambda *into: raw.FPDFAnnot_GetFormFieldAlternateName(form, handle, *into))
    name = name or _string(lambda *into: raw.FPDFAnnot_GetFormFieldName(form, handle, *into))
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        ticked = raw.FPDFAnnot_IsChecked(form, handle)
        return Annotation(_TICKED if ticked else _EMPTY, box, "choice", name)
    if kind in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        return Annotation(_chosen(raw, handle, form), box, "value", name)
    if kind != raw.FPDF_FORMFIELD_TEXTFIELD:
        overlay.left_out += ["signature"] if kind == raw.FPDF_FORMFIELD_SIGNATURE else []
        return None
    value = _string(lambda *into: raw.FPDFAnnot_GetFormFieldValue(form, handle, *into))
    if raw.FPDFAnnot_GetFormFieldFlags(form, handle) & _PASSWORD_FLAG:
        overlay.left_out += ["password"] if value else []
        return None
    return Annotation(" ".join(value.split()), box, "value", name)


def _chosen(raw: Any, handle: Any, form: Any) -> str:
    """The labels of the options that are chosen, or what was typed instead of one."""
    chosen = [
        _string(partial(raw.FPDFAnnot_GetOptionLabel, form, handle, at))
        for at in range(max(raw.FPDFAnnot_GetOptionCount(form, handle), 0))
        if raw.FPDFAnnot_IsOptionSelected(form, handle, at)
    ]
    typed = _string(lambda *into: raw.FPDFAnnot_GetFormFieldValue(form, handle, *into))
    return ", ".join(chosen) or " ".join(typed.split())


def _string(read: Callable[..., int]) -> str:
    """What a function of pdfium writes into a buffer whose size it says first."""
    size = read(None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    read(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _box(raw: Any, handle: Any) -> Box:
    rect = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(handle, ctypes.byref(rect))
    return rect.left, rect.bottom, rect.right, rect.top


def attached_files(document: Any) -> list[AttachedFile]:
    """The files inside of an open document, but for those that hang on a place of a page."""
    return [_file(document.get_attachment(at)) for at in range(document.count_attachments())]


def _attached(raw: Any, handle: Any) -> AttachedFile:
    found = raw.FPDFAnnot_GetFileAttachment(handle)
    return _file(vendor("pypdfium2").PdfAttachment(found, None)) if found else ("", b"")


def _file(attachment: Any) -> AttachedFile:
    try:
        return attachment.get_name() or "attachment", bytes(attachment.get_data())
    except vendor("pypdfium2").PdfiumError:
        return "attachment", b""


def mark_lines(marks: Sequence[Annotation], size: float) -> list[PageLine]:
    """A line for each mark, at its place on the page."""
    return [
        PageLine(
            mark.text,
            baseline=mark.box[1],
            end_baseline=mark.box[1],
            size=size,
            left=mark.box[0],
            right=mark.box[2],
            mark=mark.kind,
        )
        for mark in marks
    ]


def mark_words(marks: Sequence[Annotation], first: int) -> list[PageWord]:
    """The marks as words of lines from number `first` on, so that cells of tables hold them."""
    return [
        PageWord(mark.text, mark.box[0], mark.box[2], mark.box[1], mark.box[3], first + number)
        for number, mark in enumerate(marks)
        if mark.kind != "note"
    ]


def put_in_place(lines: Sequence[PageLine], marks: Sequence[Annotation]) -> list[PageLine]:
    """Put values beside their labels, and notes where they stand on the page.

    Args:
        lines: Of the page, with those of marks that no table took in.
        marks: Of the page.
    """
    placed = [line for line in lines if not line.mark]
    waiting = {(line.text, line.left, line.baseline) for line in lines if line.mark}
    for mark in sorted(marks, key=lambda mark: (-mark.box[1], mark.box[0])):
        if (mark.text, mark.box[0], mark.box[1]) not in waiting:
            continue
        at = None if mark.kind == "note" else _label(placed, mark)
        if at is not None:
            placed[at] = _with_mark(placed[at], mark)
        elif mark.text != _EMPTY:
            text = f"{mark.name}: {mark.text}" if mark.name else mark.text
            note = replace(mark_lines([mark], 0.0)[0], text=text, mark="note")
            placed.insert(_index(placed, mark), note)
    return placed


def _label(lines: Sequence[PageLine], mark: Annotation) -> int | None:
    """The line that stands in one row with a field: the nearest one, left of it rather than right.

    A box to tick often stands before its words.
    """
    best: tuple[float, int] | None = None
    left, bottom, right, top = mark.box
    for number, line in enumerate(lines):
        if line.table is not None or line.mark == "note":
            continue
        if not bottom - _SLACK <= line.end_baseline <= top + _SLACK:
            continue
        if line.right <= left + _SLACK:
            distance = left - line.right
        elif mark.kind == "choice" and line.left >= right - _SLACK:
            distance = line.left - right
        else:
            continue
        if best is None or distance < best[0]:
            best = distance, number
    return best[1] if best else None


def _with_mark(line: PageLine, mark: Annotation) -> PageLine:
    if line.left >= mark.box[2] - _SLACK:
        return replace(line, text=f"{mark.text} {line.text.strip()}")
    said = "yes" if mark.text == _TICKED else mark.text
    # A line that a value stands in ends there, so that the next field is another line.
    return replace(line, text=f"{line.text.strip()} {said}", mark="value")


def _index(lines: Sequence[PageLine], mark: Annotation) -> int:
    """Before the first line that stands below."""
    below = (at for at, line in enumerate(lines) if line.baseline < mark.box[1])
    return next(below, len(lines))
