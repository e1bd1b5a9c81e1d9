"""What each package offers by name, and that guides use nothing else."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("kb", "conversation", "analysis")
GUIDES = sorted(
    path
    for folder in (REPOSITORY, *(REPOSITORY / name for name in PACKAGES))
    for path in folder.glob("**/*.md" if folder.name in PACKAGES else "*.md")
    if path.name != "CHANGELOG.md"
)


def type_checked_imports(package: str) -> dict[str, str]:
    """Name -> module of what a package imports for type checkers only."""
    tree = ast.parse((REPOSITORY / package / "__init__.py").read_text("utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name: node.module or ""
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there_typed_and_listed(package: str):
    module = importlib.import_module(package)
    typed = type_checked_imports(package)

    assert sorted(module.__all__) == sorted(typed)
    assert set(module.__all__) <= set(dir(module))
    for name, place in typed.items():
        assert getattr(module, name) is getattr(importlib.import_module(place), name)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_that_is_not_offered_is_an_attribute_error(package: str):
    with pytest.raises(AttributeError, match=f"{package!r} has no attribute 'Nonesuch'"):
        _ = importlib.import_module(package).Nonesuch


def test_the_packages_load_nothing_before_a_name_is_used():
    inside = tuple(f"{package}." for package in PACKAGES)
    program = (
        f"import sys\nimport {', '.join(PACKAGES)}\n"
        f"print([name for name in sys.modules if name.startswith({inside!r})])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "['kb.public_names']"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_guides_import_public_names_only(guide: Path):
    blocks = re.findall(r"^```python\n(.*?)^```$", guide.read_text("utf-8"), re.M | re.S)
    modules = {
        node.module
        for block in blocks
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.ImportFrom) and node.module
    }

    inside = [name for name in modules if name.split(".")[0] in PACKAGES and "." in name]
    assert not inside, f"{guide.name} reaches into {inside}; export the names in the package's face"


@pytest.mark.slow
@pytest.mark.parametrize("as_folder", [False, True])
@pytest.mark.parametrize(
    ("hidden", "line"),
    [
        ("kb", "from conversation import Session"),
        ("kb", "from analysis import open_reports"),
        ("conversation", "from analysis import analyse_transcript"),
    ],
)
def test_a_file_that_hides_a_package_is_named(
    tmp_path: Path, hidden: str, line: str, *, as_folder: bool
):
    hiding = tmp_path / (f"{hidden}/__init__.py" if as_folder else f"{hidden}.py")
    hiding.parent.mkdir(exist_ok=True)
    hiding.write_text("mine = 1\n")
    (tmp_path / "script.py").write_text(f"{line}\n")

    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=False
    )

    last = done.stderr.splitlines()[-1]
    assert f"The package {hidden!r} of Viva Voce is hidden by {str(hiding)!r}" in last
    assert "Rename" in last
