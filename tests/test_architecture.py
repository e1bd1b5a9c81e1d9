"""Rules of the layout that no single module can keep."""

import ast
import importlib
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("kb", "conversation", "analysis", "orchestration")
MAX_LINES = 400
MAX_FILES = 14

SETS_A_VENDOR_VARIABLE = {
    # litellm calls out on import, and reads any `.env` above it, unless told otherwise here.
    "LITELLM_LOCAL_MODEL_COST_MAP",
    "LITELLM_MODE",
    "OMP_WAIT_POLICY",
    "TOKENIZERS_PARALLELISM",
    "ANONYMIZED_TELEMETRY",
    "ORT_DISABLE_TELEMETRY",
    "HF_HUB_DISABLE_TELEMETRY",
    "DO_NOT_TRACK",
}


def modules() -> list[Path]:
    return sorted(path for name in PACKAGES for path in (REPOSITORY / name).rglob("*.py"))


@cache
def _tree(path: Path) -> ast.Module:
    """Several rules read the same files."""
    return ast.parse(path.read_text("utf-8"))


def scripts() -> list[Path]:
    """For browsers."""
    return sorted(path for name in PACKAGES for path in (REPOSITORY / name).rglob("*.js"))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_packages_imported_are_those_of_this_repository(package: str):
    found = importlib.import_module(package).__file__

    assert found is not None
    assert Path(found).resolve() == REPOSITORY / package / "__init__.py"


def test_packages_import_downwards_only():
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [script, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_settings_read_the_environment():
    readers: list[str] = []
    for path in modules():
        for node in ast.walk(_tree(path)):
            if _reads_environment(node) and path.name != "settings.py":
                readers.append(f"{path.relative_to(REPOSITORY)}:{getattr(node, 'lineno', 0)}")

    assert not readers, f"settings.py alone reads the environment, but so do {readers}"


def test_an_import_of_a_package_loads_nothing_heavy():
    heavy = ("torch", "chromadb", "litellm", "sentence_transformers", "llama_index", "dagster")
    names = [
        "kb.knowledge_base",
        "conversation.session.session",
        "conversation.agent.agent_file",
        "analysis.evaluation.analyse",
        "analysis.evaluation.run",
        "orchestration.cli.main",
    ]
    program = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_no_repeated_group_of_an_expression_is_possessive():
    """`(...)*+` misses what it should match before Python 3.11.5; `(?>(...)*)` is the same."""
    possessive = re.compile(r"(?<!\\)\)(?:[*+?]|\{\d*,?\d*\})\+")
    found = [
        f"{path.relative_to(REPOSITORY)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Constant)
        and possessive.search(
            node.value.decode("latin-1") if isinstance(node.value, bytes) else str(node.value)
        )
    ]

    assert found == []


def test_files_stay_readable_in_one_sitting():
    long = {
        str(path.relative_to(REPOSITORY)): lines
        for path in (*modules(), *scripts())
        if (lines := len(path.read_text("utf-8").splitlines())) > MAX_LINES
    }

    assert not long, f"over {MAX_LINES} lines: which two things is each of these? {long}"


def test_folders_are_rooms_that_can_be_looked_over():
    folders = Counter(str(path.parent.relative_to(REPOSITORY)) for path in modules())
    crowded = {folder: count for folder, count in folders.items() if count > MAX_FILES}

    assert not crowded, f"over {MAX_FILES} Python files: which two rooms is each? {crowded}"


def test_every_room_says_what_it_is():
    silent = [
        str(path.relative_to(REPOSITORY))
        for path in modules()
        if path.name == "__init__.py" and not ast.get_docstring(_tree(path))
    ]

    assert not silent


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """What each module imports."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def test_no_module_imports_itself_through_others(imported: dict[str, set[str]]):

    # Raises CycleError, which names the modules of a circle.
    assert len(list(TopologicalSorter(imported).static_order())) == len(imported)


def test_no_room_imports_itself_through_others(imported: dict[str, set[str]]):
    """In no folder: what stands in it, room or file, can be read from below."""
    folders = {module.rpartition(".")[0] for module in imported} - {""}
    circles = {folder: circle for folder in folders if (circle := _circle_in(folder, imported))}

    assert circles == {}


def test_a_circle_of_rooms_is_found():
    through_files = {
        "p.a.x": {"p.b.y"},
        "p.b.y": set[str](),
        "p.b.z": {"p.a.w"},
        "p.a.w": set[str](),
    }

    assert set(_circle_in("p", through_files)) == {"a", "b"}
    assert _circle_in("p", through_files | {"p.b.z": {"q.a", "p.b.y"}}) == []


def _circle_in(folder: str, imported: dict[str, set[str]]) -> list[str]:
    """Names in a folder that import each other in a circle; none where there is no circle."""
    rooms: dict[str, set[str]] = {}
    for module, others in imported.items():
        if room := _room_in(folder, module):
            found = {_room_in(folder, other) for other in others} - {"", room}
            rooms.setdefault(room, set()).update(found)
    try:
        TopologicalSorter(rooms).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _room_in(folder: str, module: str) -> str:
    inside = module.removeprefix(f"{folder}.")
    return "" if inside == module else inside.partition(".")[0]


def _reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "getenv":
            return True
        sets_vendor = node.func.attr == "setdefault" and _is_vendor_variable(node.args[:1])
        return _is_environ(node.func.value) and not sets_vendor
    if isinstance(node, ast.Subscript) and _is_environ(node.value):
        return isinstance(node.ctx, ast.Load) or not _is_vendor_variable([node.slice])
    return isinstance(node, ast.Dict) and any(_is_environ(value) for value in node.values)


def _is_environ(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def _is_vendor_variable(nodes: list[ast.expr]) -> bool:
    return any(
        isinstance(node, ast.Constant) and node.value in SETS_A_VENDOR_VARIABLE for node in nodes
    )
