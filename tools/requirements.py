"""Which promise of docs/requirements.md is held by which test, and which is not yet.

Reads the syntax trees of the tests: `@pytest.mark.requirement("D1", "D2")` on a test or a class, or `pytestmark`.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (?P<id>[A-Z]\d+) \| (?P<promise>.+?) \| ?(?P<note>\w*) ?\|$")


@dataclass(frozen=True)
class Promise:
    """One row of the list; `emulated` where the real service cannot be had."""

    id: str
    text: str
    emulated: bool


def promises(text: str) -> list[Promise]:
    """The rows of docs/requirements.md, in their order."""
    rows = [ROW.match(line) for line in text.splitlines()]
    return [Promise(row["id"], row["promise"], row["note"] == "emulated") for row in rows if row]


def holders(tests: Path) -> dict[str, list[str]]:
    """The tests that hold each id, as `file::test`."""
    held: dict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for test, identifier in marks(tree):
            held[identifier].append(f"{path.relative_to(tests.parent).as_posix()}::{test}")
    return dict(held)


def marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each test with each id it claims; marks of its class and of the module count for it."""
    yield from _marks_below(tree.body, _assigned(tree.body), "")


def _marks_below(body: list[ast.stmt], inherited: list[str], prefix: str) -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            found = [*inherited, *_claimed(node.decorator_list), *_assigned(node.body)]
            yield from _marks_below(node.body, found, f"{prefix}{node.name}::")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            for identifier in dict.fromkeys([*inherited, *_claimed(node.decorator_list)]):
                yield prefix + node.name, identifier


def _assigned(body: list[ast.stmt]) -> list[str]:
    """The ids of `pytestmark = ...` in a body."""
    values = [
        node.value
        for node in body
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "pytestmark" for target in node.targets)
    ]
    return _claimed(values)


def _claimed(expressions: list[ast.expr]) -> list[str]:
    """The literal arguments of every `requirement(...)` inside; a mark within `pytest.param` counts as well."""
    calls = [node for expression in expressions for node in ast.walk(expression) if isinstance(node, ast.Call)]
    named = [call for call in calls if ast.unparse(call.func).endswith("mark.requirement")]
    return [str(word.value) for call in named for word in call.args if isinstance(word, ast.Constant)]


def report(rows: list[Promise], held: dict[str, list[str]]) -> Iterator[str]:
    """The lines for people, by group; only a test among the system tests runs the real thing."""
    real = {name for name, tests in held.items() if any(test.startswith("tests/system/") for test in tests)}
    groups = (
        ("held", [row for row in rows if row.id in real and not row.emulated]),
        ("emulated", [row for row in rows if row.id in real and row.emulated]),
        ("in part, by quick tests alone", [row for row in rows if row.id in held and row.id not in real]),
        ("not yet", [row for row in rows if row.id not in held]),
    )
    for title, members in groups:
        yield f"{title}: {len(members)} of {len(rows)}"
        for row in members:
            yield f"  {row.id:4} {row.text}"
            yield from (f"         {test}" for test in held.get(row.id, []))
        yield ""
    unknown = sorted(set(held) - {row.id for row in rows})
    yield from (f"unknown id {name}: {', '.join(held[name])}" for name in unknown)


def main() -> int:
    rows = promises((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8"))
    held = holders(ROOT / "tests")
    print("\n".join(report(rows, held)))
    return 1 if set(held) - {row.id for row in rows} else 0


if __name__ == "__main__":
    sys.exit(main())
