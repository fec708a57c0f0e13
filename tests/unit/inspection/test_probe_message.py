"""From a failed import to the variable it misses, and to one sentence."""

import pytest

from carboy.inspection.probe_message import hang_place, missing_variables, sentence

pytestmark = pytest.mark.requirement("D3")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The environment variable SHOP_KEY is not set", ["SHOP_KEY"]),
        ('Environment variable "SHOP_KEY" not set', ["SHOP_KEY"]),
        ("SHOP_KEY must be set", ["SHOP_KEY"]),
        ("You must set SHOP_KEY first", ["SHOP_KEY"]),
        ("No SHOP_KEY set for the application", ["SHOP_KEY"]),
        ("Please provide SHOP_KEY", ["SHOP_KEY"]),
        ("Missing required environment variables: SHOP_KEY", ["SHOP_KEY"]),
        ("SHOP_KEY not found. Declare it as envvar or define a default value.", ["SHOP_KEY"]),
        ("Set the SHOP_KEY environment variable", ["SHOP_KEY"]),
        ("1 validation error for Settings\nshop_key\n  Field required [type=missing]", ["SHOP_KEY"]),
        ("could not connect to server: Connection refused", []),
        ("list index out of range", []),
        ("HTTP is required", []),
    ],
)
def test_the_variable_is_found_in_the_message(text: str, names: list[str]) -> None:
    """Sentences that projects and settings libraries use."""
    assert missing_variables({"type": "RuntimeError", "text": text}, ()) == names


def test_a_key_error_of_the_environment_is_sure() -> None:
    """`os.environ["X"]` is told by its place; the same KeyError elsewhere is not about variables."""
    assert missing_variables({"type": "KeyError", "text": "'x'", "environ": True}, ()) == ["x"]
    assert missing_variables({"type": "KeyError", "text": "'SHOP_KEY'"}, ()) == []


def test_names_that_reading_found_are_recognised_in_any_sentence() -> None:
    """A name that is known to be a variable needs no pattern around it."""
    assert missing_variables({"type": "ValueError", "text": "bad SHOPKEY"}, ("SHOPKEY",)) == ["SHOPKEY"]


def test_a_complaint_about_none_is_laid_to_unset_variables() -> None:
    """`int(os.getenv("SHOP_PORT"))` names nothing: what was read unset is asked for."""
    answer = {"type": "TypeError", "text": "int() argument must be ... not 'NoneType'", "unset": ["SHOP_PORT"]}
    assert missing_variables(answer, ()) == ["SHOP_PORT"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {"kind": "exit", "code": 1, "file": "app.py", "line": 2},
            "importing it ends the process with exit code 1 (app.py:2)",
        ),
        ({"kind": "eof", "file": "app.py", "line": 2}, "importing it asks for input (app.py:2)"),
        ({"type": "ValueError", "text": "bad\nmore", "file": "a.py", "line": 1}, "a.py:1: ValueError: bad"),
        ({"type": "Odd", "text": ""}, "the app: Odd"),
        (
            {"type": "ModuleNotFoundError", "text": "No module named 'x'", "module": "x", "file": "a.py", "line": 1},
            "a.py:1 imports x, which is not installed",
        ),
        (
            {"type": "OSError", "text": "Connection refused", "contacts": ["db:5432"], "file": "a.py", "line": 1},
            "importing it needs db:5432, which does not answer the probe (a.py:1: OSError)",
        ),
    ],
)
def test_one_sentence_says_it(answer: dict[str, object], said: str) -> None:
    """Place, kind and reason."""
    assert sentence(answer) == said


def test_the_line_of_a_hang_is_the_innermost_of_the_project() -> None:
    """Frames of libraries are passed over."""
    dump = (
        'Thread 0x1 (most recent call first):\n  File "/usr/lib/python3/socket.py", line 1 in connect\n'
        '  File "/copy/shop/db.py", line 7 in open\n  File "/copy/shop/app.py", line 3 in <module>\n'
    )
    assert hang_place(dump, "/copy/shop") == "db.py:7"
    assert hang_place("", "/copy/shop") == ""
