"""The course of a turn, as its package tells it, is the one in the code."""

import ast
import inspect
import re
from collections import defaultdict
from pathlib import Path

import conversation
from conversation import turn
from conversation.turn.turn_so_far import SpeakingTurn

FOLDER = Path(conversation.__file__).parent
ROW = re.compile(r"^ {4}(\w+) +((?:\w+, )*\w+) {2,}\S", re.MULTILINE)
CHANGES_LISTS = {"append", "extend", "clear", "remove", "pop", "insert"}
METHODS = {
    name for name, each in inspect.getmembers(SpeakingTurn, inspect.isfunction) if name[0] != "_"
}
ONLY_READS = {"used_tools", "all_calls", "latency"}


def is_turn(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    return name in ("speaking", "_speaking")


def changed_by(node: ast.AST) -> list[str]:
    """Names of what a statement or call changes of the turn under way."""
    if isinstance(node, ast.Assign):
        whole = [each for target in node.targets for each in ast.walk(target)]
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        whole = [node.target]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        called = node.func
        if is_turn(called.value):
            return [called.attr] if called.attr in METHODS - ONLY_READS else []
        whole = [called.value] if called.attr in CHANGES_LISTS else []
    else:
        return []
    return [each.attr for each in whole if isinstance(each, ast.Attribute) and is_turn(each.value)]


def test_only_those_who_are_named_change_a_turn_under_way():
    found: dict[str, set[str]] = defaultdict(set)
    for path in FOLDER.rglob("*.py"):
        if path.name == "turn_so_far.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if names := changed_by(node):
                found[path.stem].update(names)
    told: dict[str, set[str]] = defaultdict(set)
    for who, names in ROW.findall(turn.__doc__ or ""):
        told[who].update(names.split(", "))

    assert {who: sorted(names) for who, names in found.items()} == {
        who: sorted(names) for who, names in told.items()
    }
