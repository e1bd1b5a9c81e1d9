"""Everything the README shows exists: commands, settings, agent keys, Python names, files."""

import ast
import importlib
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer.main

from conversation.agent.agent_file import parse_agent
from kb.ingest.load import load_file
from kb.knowledge_base import KnowledgeBase
from orchestration.cli.main import app
from orchestration.deployment import Deployment
from orchestration.operations.operations import publish_reports
from orchestration.settings import PREFIX, Settings

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = {
    str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8")
    for folder in (".", "kb", "conversation", "analysis", "orchestration")
    for path in sorted((REPOSITORY / folder).glob("README.md" if folder == "." else "**/README.md"))
}
"""The README and the pages of the packages that go on from there."""
GUIDES = {
    **PAGES,
    "CONTRIBUTING.md": (REPOSITORY / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8"),
}
DOCUMENTS = [
    path
    for path in sorted((REPOSITORY / "data" / "documents").rglob("*"))
    if path.suffix in {".md", ".html", ".pdf", ".docx"}
]
OWN_PACKAGES = ("kb", "conversation", "analysis", "orchestration")
NOT_SETTINGS = {"VIVAVOCE_DATASETS"}
QUICK = "model: embedded/extractive"
BASE_AGENT = "agent_id: example\nname: Example\n"


def blocks(language: str, text: str = README) -> list[str]:
    """Fenced blocks of a page in `language`, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def all_blocks(language: str) -> list[str]:
    """Fenced blocks of every page."""
    return [block for text in PAGES.values() for block in blocks(language, text)]


def shown_commands() -> list[str]:
    """Every `vivavoce ...` of shell blocks and of inline code, without variables before it."""
    lines = [line for block in all_blocks("sh") for line in block.splitlines()]
    for text in PAGES.values():
        lines += re.findall(r"`((?:\w+=\S+ )*vivavoce [^`]+)`", text)
    return sorted({line for line in lines if re.match(r"(\w+=\S+ )*vivavoce\b", line)})


def python_names(block: str) -> list[tuple[str, str]]:
    """(module, name) of each `from module import name` in a block."""
    return [
        (node.module or "", alias.name)
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]


def test_the_readme_shows_commands():
    assert len(shown_commands()) >= 8


@pytest.mark.parametrize("line", shown_commands())
def test_a_shown_command_is_one_that_the_program_has(line: str):
    words = shlex.split(line, comments=True)
    command: Any = typer.main.get_command(app)
    arguments = words[words.index("vivavoce") + 1 :]
    while arguments and arguments[0] in getattr(command, "commands", {}):
        command, arguments = command.commands[arguments[0]], arguments[1:]

    stands_alone = getattr(command, "invoke_without_command", True)
    assert stands_alone, f"{line!r} names no command of the program"
    command.make_context("vivavoce", list(arguments))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_sample_documentation_names_commands_and_settings_that_exist(document: Path):
    text = load_file(document).parsed.text
    program: Any = typer.main.get_command(app)
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}

    assert set(re.findall(r"\bvivavoce (\w+)", text)) - {"COMMAND"} <= set(program.commands)
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", text)) <= settings


@pytest.mark.parametrize("guide", GUIDES)
def test_shown_make_targets_exist(guide: str):
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", GUIDES[guide], re.MULTILINE)) <= targets


@pytest.mark.parametrize("guide", GUIDES)
def test_shown_variables_are_settings(guide: str):
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}

    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", GUIDES[guide])) <= settings | NOT_SETTINGS


def test_the_table_of_settings_is_complete_and_has_their_defaults():
    rows = dict(re.findall(rf"^\| `({PREFIX}[A-Z_]+)` \| ([^|]+?) \|", README, re.MULTILINE))

    assert list(rows) == [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name, field in Settings.model_fields.items():
        shown = rows[f"{PREFIX}{name.upper()}"]
        assert shown == ("unset" if field.default in (None, "") else f"`{field.default}`"), name


SETTINGS_FILES = [block for block in all_blocks("yaml") if block.startswith("# data/settings.yaml")]


@pytest.mark.parametrize("block", SETTINGS_FILES)
def test_shown_settings_files_load(block: str, tmp_path: Path):
    (tmp_path / "settings.yaml").write_text(block, "utf-8")

    assert Settings(data_dir=tmp_path).model_fields_set > {"data_dir"}


@pytest.mark.parametrize(
    "block", [each for each in all_blocks("yaml") if each not in SETTINGS_FILES]
)
def test_shown_agent_files_load(block: str):
    text = block if block.startswith("agent_id:") else BASE_AGENT + block

    assert parse_agent(text, origin="README.md").agent_id


@pytest.mark.parametrize("block", all_blocks("python"))
def test_shown_python_imports_what_exists(block: str):
    missing = [
        f"{module}.{name}"
        for module, name in python_names(block)
        if module.partition(".")[0] in OWN_PACKAGES
        and not hasattr(importlib.import_module(module), name)
    ]

    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_linked_files_exist(page: str):
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", PAGES[page])
    folder = (REPOSITORY / page).parent

    assert [target for target in targets if not (folder / target).exists()] == []


def test_the_guides_name_no_registry_host_and_no_path_of_a_machine():
    for name, text in GUIDES.items():
        found = re.findall(
            r"(?:pypi|pythonhosted|npmjs|debian)\.\w+|(?<!\w)/(?:tmp|root|home)/", text
        )
        assert found == [], name


@pytest.mark.slow
def test_the_shown_search_prints_what_the_guide_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Scores, ranks and parts of real weights, figure by figure."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(REPOSITORY / "data" / "documents", tmp_path / "data" / "documents")
    guide = PAGES["kb/README.md"]

    exec(compile(blocks("python", guide)[0], "kb/README.md", "exec"), {})

    assert f"\n```\n{capsys.readouterr().out}```\n" in guide


@pytest.mark.slow
def test_the_shown_python_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """What differs: small models stand in for the agent's, and nothing is fetched."""
    monkeypatch.chdir(tmp_path)
    for folder in ("agents", "documents"):
        shutil.copytree(REPOSITORY / "data" / folder, tmp_path / "data" / folder)
    agent_file = tmp_path / "data" / "agents" / "support.yaml"
    agent = agent_file.read_text().replace("model: embedded/qwen2.5-coder-1.5b-instruct", QUICK)
    section = "\nanalysis:\n"
    assert agent.count(section) == 1
    judge = f"{section}  judge: embedded/smollm2-135m-instruct\n"
    agent_file.write_text(agent.replace(section, judge))
    with KnowledgeBase.open("data/store/kb/support") as knowledge_base:
        for document in DOCUMENTS:
            knowledge_base.add_file(document)
    shutil.copy(REPOSITORY / "data" / "documents" / "evaluations-and-reports.pdf", "handbook.pdf")
    with Deployment(Settings(data_dir=tmp_path / "data")) as deployment:
        publish_reports(deployment)

    names: dict[str, Any] = {}
    for block in blocks("python"):
        code = re.sub(r"kb\.add_(link|site)\(.*\)\n", "", block)
        exec(compile(code, "README.md", "exec"), names)

    shown = capsys.readouterr().out
    assert "AgentTurn" in shown
    assert "Opening hours" in shown
    assert {value.field_id for value in names["result"].collected} == {
        field.field_id for field in names["agent"].data_collection
    }
