"""The formats that can be read. A new one is a module with `parse` and its `Format` here."""

import re

from kb.formats.format import Format

PDF = "application/pdf"
HTML = "text/html"
MARKDOWN = "text/markdown"
PLAIN = "text/plain"
CSV = "text/csv"
JSON = "application/json"
XML = "application/xml"
EML = "message/rfc822"
RTF = "application/rtf"
ZIP = "application/zip"
MSG = "application/vnd.ms-outlook"
EPUB = "application/epub+zip"
XLS = "application/vnd.ms-excel"
_OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"

_TIMING = r"(?:\d++:)?\d{1,2}:\d{1,2}[.,]\d{1,3}[ \t]*-->"
_HTML_START = re.compile(
    r"\s*+(?>(?:<\?xml[^>]*+>\s*+|<!--(?>.*?-->)\s*+)*)<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)

FORMATS = (
    Format(PDF, "PDF", "kb.formats.pdf.parser", "PDF"),
    Format(
        f"{_OOXML}.wordprocessingml.document",
        "Word document",
        "kb.formats.office.word",
        "Word (.docx)",
        office_folder="word/",
    ),
    Format(
        f"{_OOXML}.presentationml.presentation",
        "presentation",
        "kb.formats.office.slides",
        "PowerPoint (.pptx)",
        office_folder="ppt/",
    ),
    Format(
        f"{_OOXML}.spreadsheetml.sheet",
        "spreadsheet",
        "kb.formats.sheets.parser",
        "Excel (.xlsx, .xls)",
        office_folder="xl/",
    ),
    Format(XLS, "spreadsheet", "kb.formats.sheets.parser"),
    Format(f"{_ODF}.text", "OpenDocument text", "kb.formats.office.open_document", "OpenDocument"),
    Format(f"{_ODF}.presentation", "OpenDocument presentation", "kb.formats.office.open_document"),
    Format(f"{_ODF}.spreadsheet", "spreadsheet", "kb.formats.office.open_document"),
    Format(
        RTF, "RTF document", "kb.formats.office.rich_text", "RTF", begins=re.compile(r"\{\\rtf")
    ),
    Format(EPUB, "EPUB book", "kb.formats.office.book", "EPUB"),
    Format(
        HTML,
        "HTML page",
        "kb.formats.pages.html",
        "HTML",
        begins=_HTML_START,
        suffixes=(".html", ".htm", ".xhtml"),
        aliases=("application/xhtml+xml",),
    ),
    Format(
        MARKDOWN,
        "Markdown text",
        "kb.formats.pages.markdown",
        "Markdown",
        suffixes=(".md", ".markdown", ".mdx"),
        aliases=("text/x-markdown",),
    ),
    Format(PLAIN, "text", "kb.formats.text", "plain text", suffixes=(".txt",)),
    Format(
        CSV,
        "table of separated values",
        "kb.formats.data.delimited",
        "CSV",
        suffixes=(".csv", ".tsv"),
        aliases=("text/tab-separated-values",),
    ),
    Format(
        JSON,
        "JSON file",
        "kb.formats.data.json_data",
        "JSON",
        suffixes=(".json", ".jsonl", ".ndjson", ".ipynb"),
        aliases=("application/ld+json", "application/x-ndjson"),
    ),
    Format(
        XML,
        "XML file",
        "kb.formats.data.xml_data",
        "XML",
        suffixes=(".xml", ".rss", ".atom"),
        aliases=("text/xml", "application/rss+xml", "application/atom+xml"),
    ),
    Format(
        EML,
        "e-mail message",
        "kb.formats.mail.message",
        "e-mail (.eml, .msg)",
        suffixes=(".eml",),
    ),
    Format(MSG, "Outlook message", "kb.formats.mail.outlook"),
    Format(
        "text/calendar",
        "calendar",
        "kb.formats.data.calendar_events",
        "calendars (.ics)",
        begins=re.compile(r"\s*+BEGIN:VCALENDAR[ \t]*+\n", re.IGNORECASE),
    ),
    Format(
        "text/vtt",
        "caption file",
        "kb.formats.data.captions",
        "captions (.vtt, .srt)",
        begins=re.compile(r"WEBVTT(?:[ \t].*)?\n"),
        # Notes and styles come before the first words.
        goes_on=re.compile(rf"(?:.*\n)*?[ \t]*+{_TIMING}", re.ASCII),
    ),
    Format(
        "application/x-subrip",
        "caption file",
        "kb.formats.data.captions",
        begins=re.compile(rf"\s*+(?:\d++[ \t]*+\n)?[ \t]*+{_TIMING}", re.ASCII),
    ),
    Format(ZIP, "ZIP archive", "kb.formats.data.zip_archive"),
)
