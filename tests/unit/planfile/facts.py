"""Facts for tests, as reading would give them."""

from typing import Any

from carboy.model.facts import (
    AppFact,
    Candidate,
    DataFact,
    DependenciesFact,
    Facts,
    Place,
    PythonFact,
    Requirement,
    VariableFact,
    Warn,
)

HERE = (Place("shop.py", 3),)
OTHER = Candidate("other.wsgi:api", "other", "asgi", False, "guess", "another object", (Place("other/wsgi.py", 9),))


def app_fact(**changed: Any) -> AppFact:
    values: dict[str, Any] = {
        "ref": "shop:app",
        "command": None,
        "folder": "",
        "interface": "wsgi",
        "factory": False,
        "file": "shop.py",
        "line": 3,
        "certainty": "certain",
        "reason": "a Flask object",
        "candidates": (Candidate("shop:app", "", "wsgi", False, "certain", "a Flask object", HERE), OTHER),
        "import_paths": (),
        "async_views": False,
        "websocket": None,
        "evidence": HERE,
    }
    return AppFact(**{**values, **changed})


def facts(*, requirements: tuple[str, ...] = (), warnings: tuple[str, ...] = (), **changed: Any) -> Facts:
    """A small project; keywords of AppFact change the app, those of Facts the rest."""
    values: dict[str, Any] = {
        "name": "shop",
        "python": PythonFact(None, None, ()),
        "dependencies": DependenciesFact(
            "requirements.txt", "pip", (), tuple(Requirement(name, "", HERE) for name in requirements), HERE
        ),
        "data": (),
        "migrations": None,
        "release_commands": (),
        "processes": (),
        "static": (),
        "uploads": (),
        "variables": (),
        "build": (),
        "warnings": tuple(Warn(code, f"about {code}", (Place("shop.py", 7),)) for code in warnings),
    }
    own = {name: changed.pop(name) for name in tuple(changed) if name in values}
    return Facts(app=app_fact(**changed), **{**values, **own})


def database(path: str | None = None) -> DataFact:
    return DataFact("sqlite", "app.db", None, "sqlalchemy", path, HERE)


def variable(name: str, *, required: bool = False, secret: bool = False, suggestion: str | None = None) -> VariableFact:
    return VariableFact(name, required, secret, suggestion, HERE)
