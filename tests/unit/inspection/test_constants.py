"""What expressions come to."""

import ast
from pathlib import Path

import pytest

from carboy.inspection.code import project_of
from carboy.inspection.constants import CHANCE, INSTANCE, ROOT, UNKNOWN, WORKING, Value, evaluator_of
from carboy.inspection.index import build_index

pytestmark = pytest.mark.requirement("D1")


def value_of(tmp_path: Path, source: str, **others: str) -> Value:
    """The value of X in pkg/config.py, beside other modules of the same package."""
    folder = tmp_path / "pkg"
    folder.mkdir()
    for name, text in {"config": source, **others}.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    index = build_index(tmp_path)
    code = project_of(index).codes["pkg/config.py"]
    nodes = [node for node in ast.walk(code.tree) if isinstance(node, ast.Assign)]
    node = next(node for node in reversed(nodes) if ast.unparse(node.targets[0]) in {"X", "app.x"})
    return evaluator_of(index).value(node.value, code)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("X = 'a' + 'b' 'c'", "abc"),
        ("A = 'x'\nX = f'{A}/{A!r:>3}.db'", "x/x.db"),
        ("X = '%s:%d' % ('h', 5)", "h:5"),
        ("X = '%(a)s' % {'a': 1}", "1"),
        ("X = '{}-{n}'.format('a', n='b')", "a-b"),
        ("X = '{1}{0}'.format('a', 'b')", "ba"),
        ("import os\nX = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'app.db')", f"{ROOT}/pkg/app.db"),
        ("import os\nX = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', 'd'))", f"{ROOT}/d"),
        ("from pathlib import Path\nX = Path(__file__).resolve().parent.parent / 'data' / 'x.db'", f"{ROOT}/data/x.db"),
        ("from pathlib import Path\nX = str(Path(__file__).parents[1].joinpath('y'))", f"{ROOT}/y"),
        ("import os\nX = os.path.join(os.getcwd(), 'z')", f"{WORKING}/z"),
        (
            "import os\nfrom flask import Flask\napp = Flask('x')\nX = os.path.join(app.instance_path, 'q')",
            f"{INSTANCE}/q",
        ),
        ("class C:\n    BASE = 'b'\n\nX = C.BASE + 'c'", "bc"),
        ("class B:\n    P = 'p'\n\nclass C(B):\n    pass\n\nX = C.P", "p"),
        ("class C:\n    A = '1'\n    X = A + '2'", "12"),
        ("def f():\n    return 'deep'\n\nX = f()", "deep"),
        ("import secrets\nX = secrets.token_hex(8)", CHANCE),
        ("X = b'raw'", "raw"),
        ("X = unknown() + '/x'", f"{UNKNOWN}/x"),
    ],
)
def test_a_constant_is_worked_out(tmp_path: Path, source: str, text: str) -> None:
    """Constants, paths and formatted texts come to one text."""
    assert value_of(tmp_path, source).texts[:1] == (text,)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("import os\nX = os.environ['A']", Value((), ("A",), True)),
        ("import os\nX = os.getenv('A', 'd')", Value(("d",), ("A",))),
        ("import os\nX = os.environ.get('A') or os.environ.get('B') or 'c'", Value(("c",), ("A", "B"))),
        ("from os import environ as e\nX = e.get('A', e.get('B'))", Value((), ("A", "B"))),
        ("import os\nenv = os.environ\nX = int(env['A'])", Value((), ("A",), True)),
        ("import os\nX = 'a' if os.getenv('Q') else 'b'", Value(("a", "b"))),
    ],
)
def test_the_environment_is_seen_through(tmp_path: Path, source: str, value: Value) -> None:
    """Variables are named in the order they are asked, with what stands in for them."""
    assert value_of(tmp_path, source) == value


def test_imported_names_are_followed(tmp_path: Path) -> None:
    """A constant of another module is found, relative or absolute, through a re-export."""
    found = value_of(
        tmp_path, "from .paths import BASE\nX = BASE + '/x'", paths="from pkg.deep import BASE", deep="BASE = 'b'"
    )
    assert found.texts == ("b/x",)


@pytest.mark.parametrize(
    "source",
    [
        "X = X",
        "X = Y\nY = X",
        "def f():\n    return f()\n\nX = f()",
        "def f(a=None):\n    return g(a)\ndef g(a):\n    return f(a)\nX = g(1)",
        "X = ((((" * 1 + "1" + "))))" * 1,
        "class A(A):\n    pass\nX = A.y",
        "from .config import X as Y\nX = Y",
        "X = '{0[}'.format(1)",
        "X = '%' % ()",
        "X = '%s%s' % 'a'",
        "X = '" + "a" * 5000 + "' * 9999999",
    ],
)
def test_circles_and_nonsense_end(tmp_path: Path, source: str) -> None:
    """What defines itself, or makes no sense, comes to an end."""
    assert isinstance(value_of(tmp_path, source), Value)
