"""Parsing measured on pages, manuals and office files that others wrote.

Each figure is a row: what was measured, on how much, and what came out.
"""

import gzip
import json
import os
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

from kb.config import Limits, ParsingConfig
from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.formats.parse import parse_document
from kb.ingest.load import parse_bytes
from tests.bench.figures import Figure, record
from tests.kb.formats.tables.made_tables import FORMATS, right_triples

REPOSITORY = Path(__file__).resolve().parents[2]
NO_LIMITS = Limits(max_total_bytes=None, max_documents=None)
GOOD_FILES = 20
MADE_TABLES = 50
"""Of each format."""
SERIES = 20_261_130

_WORD = re.compile(r"\w+")
_MARKUP = re.compile(r"</[A-Z]\w+>|className=|^import .* from ['\"]", re.MULTILINE)
_COLUMN_NAME = re.compile(r"(?:(?<=^)|(?<= \| ))[^|\n:]{1,80}: ", re.MULTILINE)
_SHINGLE_WORDS = 4

Row = dict[str, Any]


def run(datasets: Path | None = None) -> list[Row]:
    """Measure everything whose data is there."""
    folder = datasets or default_datasets()
    measures = (
        html_articles,
        manuals,
        office_files,
        sample_pdfs,
        corrupt_batch,
        help_centre,
        generated_tables,
    )
    return [row for measure in measures for row in measure(folder)]


def default_datasets() -> Path:
    """Where the measuring data is: `VIVAVOCE_DATASETS`, or beside the repository."""
    return Path(os.environ.get("VIVAVOCE_DATASETS", REPOSITORY.parent / "shared" / "datasets"))


def html_articles(datasets: Path) -> list[Row]:
    """Main text of news pages: F1 of four-word shingles, each page weighing the same.

    Twice: as stored, and without the names of columns that each row of a long table repeats, which
    no reader of the page sees in each row.
    """
    folder = datasets / "html_article" / "dev"
    truth = json.loads((folder / "ground-truth.json").read_text())
    sums = {"as stored": [0.0, 0.0, 0.0], "names of columns once": [0.0, 0.0, 0.0]}
    started = time.perf_counter()
    for page_id, expected in truth.items():
        page = gzip.decompress((folder / "html" / f"{page_id}.html.gz").read_bytes())
        parsed = parse_document(page, name=f"{page_id}.html", limits=NO_LIMITS)
        texts = {"as stored": parsed.text, "names of columns once": _names_once(parsed)}
        for form, text in texts.items():
            shares = _overlap(_shingles(expected["articleBody"]), _shingles(text))
            sums[form] = [total + share for total, share in zip(sums[form], shares, strict=True)]
    seconds = time.perf_counter() - started
    rows: list[Row] = []
    for form, (hit, extra, missed) in sums.items():
        precision, recall = hit / (hit + extra), hit / (hit + missed)
        figure = _f1(precision, recall)
        rows.append(
            _row(f"html_article shingle F1, {form}", figure, n=len(truth), target=0.97)
            | {"precision": precision, "recall": recall, "pages_per_s": len(truth) / seconds}
        )
    return rows


def _names_once(parsed: ParsedDocument) -> str:
    """The text with each name of a column in the first row of a table alone."""
    pieces: list[str] = []
    for block in parsed.blocks:
        body = parsed.text[block.start_char : block.end_char]
        if block.kind == "table":
            seen: set[str] = set()
            body = _COLUMN_NAME.sub(
                lambda name, seen=seen: "" if name[0] in seen else seen.add(name[0]) or name[0],
                body,
            )
        pieces.append(body)
    return "\n\n".join(pieces)


def manuals(datasets: Path) -> list[Row]:
    """The same manual as PDF, EPUB and HTML against its plain text: F1 of bags of words."""
    folder = datasets / "docs_debian" / "dev"
    rows: list[Row] = []
    for text_file in sorted(folder.glob("*.txt")):
        truth = Counter(_WORD.findall(text_file.read_text().lower()))
        # Beside its chapters, the HTML manual has one page with everything.
        single_page = text_file.with_suffix(".html") / f"{text_file.stem}.html"
        sources = (text_file.with_suffix(".pdf"), text_file.with_suffix(".epub"), single_page)
        for source in (source for source in sources if source.is_file()):
            data = source.read_bytes()
            parse_document(data, name=source.name, limits=NO_LIMITS)
            started = time.perf_counter()
            parsed = parse_document(data, name=source.name, limits=NO_LIMITS)
            seconds = time.perf_counter() - started
            words = Counter(_WORD.findall(parsed.text.lower()))
            hit, extra, missed = _overlap(truth, words)
            f1 = _f1(hit / (hit + extra), hit / (hit + missed))
            row = _row(f"docs_debian {source.name} word F1", f1, n=truth.total(), target=0.97)
            row["seconds"] = seconds
            if parsed.pages:
                row["pages_per_s"] = int(parsed.metadata["pages"]) / seconds
            rows.append(row)
    return rows


def office_files(datasets: Path) -> list[Row]:
    """Strings that must come out of office files, without regard to Markdown's own signs."""
    return [
        _office_files(datasets / "office_markitdown" / "dev", config)
        for config in (ParsingConfig(), ParsingConfig(html_focus="everything"))
    ]


def _office_files(folder: Path, config: ParsingConfig) -> Row:
    wanted = unwanted = 0
    missing: list[str] = []
    for expected in _json_lines(folder / "expected.jsonl"):
        name, strings = expected["file"], expected.get("must_include", ())
        if not strings:
            continue
        data = (folder / "files" / name).read_bytes()
        parsed = parse_document(data, name=name, limits=NO_LIMITS, config=config)
        text = comparable(_everything(parsed))
        # A string of nothing but markup leaves nothing to look for.
        strings = [string for string in strings if comparable(string)]
        wanted += len(strings)
        missing += [f"{name}: {string}" for string in strings if comparable(string) not in text]
        unwanted += sum(string in parsed.text for string in expected["must_not_include"])
    what = f"office_markitdown strings present, focus {config.html_focus}"
    row = _row(what, 1 - len(missing) / wanted, n=wanted, target=1.0)
    return row | {"missing": missing, "unwanted": unwanted}


def sample_pdfs(datasets: Path) -> list[Row]:
    """Page count, encryption and presence of text as stated for each sample."""
    folder = datasets / "pdf_samples"
    facts = json.loads((folder / "files.json").read_text())["data"]
    known = {fact["path"]: fact for fact in facts}
    right = 0
    wrong: list[str] = []
    paths = sorted((folder / "dev").rglob("*.pdf"))
    for path in paths:
        fact = known.get(str(path.relative_to(folder / "dev")))
        if fact is None:
            wrong.append(f"{path.name}: not in files.json")
            continue
        verdict = _check_sample(path, fact)
        right += verdict is None
        wrong += [verdict] if verdict else []
    return [
        _row("pdf_samples facts right", right / len(paths), n=len(paths), target=1.0)
        | {"wrong": wrong}
    ]


def corrupt_batch(datasets: Path) -> list[Row]:
    """Broken and hostile files mixed with good ones, in one go through the sandbox."""
    folder = datasets / "corrupt_files" / "dev"
    bad = sorted(path for path in folder.glob("*/*") if path.is_file())
    good = [
        f"Good document {number} says that refunds take {number} days."
        for number in range(GOOD_FILES)
    ]
    parse_bytes(b"The worker starts before memory is measured.", name="first.txt")
    before = resident_bytes()
    slowest = 0.0
    reasons: Counter[str] = Counter()
    good_in = 0
    for index, path in enumerate(bad):
        started = time.perf_counter()
        reasons[outcome(path.read_bytes(), path.name)] += 1
        slowest = max(slowest, time.perf_counter() - started)
        if index < len(good):
            good_in += outcome(good[index].encode(), f"good-{index}.txt") == "read"
    row = _row(
        "corrupt_files good documents in", good_in / len(good), n=len(bad) + len(good), target=1.0
    )
    return [
        row
        | {
            "slowest_s": slowest,
            "memory_growth_mb": (resident_bytes() - before) / 2**20,
            "unexplained": reasons.pop("unexplained", 0),
            "outcomes": dict(reasons.most_common()),
        }
    ]


def help_centre(datasets: Path) -> list[Row]:
    """MDX pages: read without a component's markup left in their text."""
    path = datasets / "helpcentre" / "dev"
    pages = [page for file in sorted(path.glob("*_pages.jsonl")) for page in _json_lines(file)]
    clean = 0
    started = time.perf_counter()
    for page in pages:
        parsed = parse_document(page["body"].encode(), name=page["_id"], limits=NO_LIMITS)
        prose = (
            parsed.text[block.start_char : block.end_char]
            for block in parsed.blocks
            if block.kind != "code"
        )
        clean += not _MARKUP.search("\n".join(prose))
    seconds = time.perf_counter() - started
    row = _row("helpcentre pages without markup left", clean / len(pages), n=len(pages), target=1.0)
    return [row | {"pages_per_s": len(pages) / seconds}]


def generated_tables(_: Path) -> list[Row]:
    """Random tables with spans, merges and empty cells: values with their right row and column."""
    rows: list[Row] = []
    for name in FORMATS:
        right, wanted = right_triples(name, tables_made=MADE_TABLES, number=SERIES)
        what = f"generated tables, triples right, {name}"
        rows.append(_row(what, right / wanted, n=wanted, target=0.98))
    return rows


def comparable(text: str) -> str:
    """Text without Markdown's signs, link targets and the shape of its white space."""
    text = re.sub(r"\]\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)?", "]", text)
    text = re.sub(r"```\w*|^\*\*\w+:\*\*", " ", text)
    text = re.sub(r"data:image/\w+;base64\S*|!\[|[\[\]#|*>`]|^\s*-\s", " ", text, flags=re.M)
    return " ".join(text.split())


def resident_bytes() -> int:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _check_sample(path: Path, fact: Row) -> str | None:
    """What is wrong with how a sample was read; None when every fact is right."""
    try:
        parsed = parse_document(path.read_bytes(), name=path.name, limits=NO_LIMITS)
    except DocumentError as error:
        if error.reason == "encrypted" and fact["encrypted"]:
            return None
        # A source beside the file would mean that there is text in it.
        is_scan = not any(path.with_suffix(suffix).exists() for suffix in (".tex", ".odt", ".html"))
        pages = f"({fact['pages']} page" in str(error)
        right = error.reason == "no_text_layer" and is_scan and pages
        return None if right else f"{path.name}: {error}"
    if int(parsed.metadata["pages"]) != fact["pages"]:
        return f"{path.name}: {parsed.metadata['pages']} pages instead of {fact['pages']}"
    return None


def outcome(data: bytes, name: str) -> str:
    """Parse in the sandbox; `read`, the reason code, or `unexplained` without one."""
    try:
        parse_bytes(data, name=name, limits=NO_LIMITS)
    except DocumentError as error:
        return error.reason if error.reason and len(str(error)) > 40 else "unexplained"
    return "read"


def _everything(parsed: ParsedDocument) -> str:
    return "\n".join([parsed.title or "", *parsed.metadata.values(), parsed.text])


def _shingles(text: str) -> Counter[tuple[str, ...]]:
    words = _WORD.findall(text)
    if len(words) < _SHINGLE_WORDS:
        return Counter([tuple(words)])
    return Counter(zip(*(words[start:] for start in range(_SHINGLE_WORDS)), strict=False))


def _overlap(truth: Counter[Any], found: Counter[Any]) -> tuple[float, float, float]:
    """Shares of what was hit, extra and missed; together 1."""
    hit, extra, missed = (truth & found).total(), (found - truth).total(), (truth - found).total()
    total = hit + extra + missed or 1
    return hit / total, extra / total, missed / total


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _row(what: str, value: float, *, n: int, target: float) -> Row:
    return {"what": what, "value": value, "n": n, "target": target}


def _json_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def main() -> None:
    """Print every figure, and keep those of the summary."""
    rows = run()
    for row in rows:
        print(json.dumps(row, ensure_ascii=False, default=str))
    pdfs = [row["value"] for row in rows if row["what"].endswith(".pdf word F1")]
    corrupt = next(row for row in rows if row["what"].startswith("corrupt_files"))
    record(
        "parsing",
        [
            *(Figure(f"parsing/{row['what']}", row["value"], row["n"]) for row in rows),
            Figure("parsing/worst PDF word F1", min(pdfs), len(pdfs)),
            Figure("parsing/corrupt_files slowest_s", corrupt["slowest_s"], corrupt["n"]),
        ],
    )


if __name__ == "__main__":
    main()
