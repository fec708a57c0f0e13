"""Who may import whom: the table of the house, held over the syntax trees."""

import sys
from collections.abc import Container

import pytest

from tests.support.sources import EXTENSION, TOOL, Source, sources

# What each part may import besides itself. The longest matching row counts; a new top folder needs a row of its own.
# `inspection.index` on the right side allows that one module and no more of its part.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "model": {"errors"},
    "quoting": {"errors"},
    "inspection": {"model", "quoting", "errors"},
    "planfile": {"model", "quoting", "errors"},
    "checks": {"inspection.index", "model", "quoting", "errors"},
    "servers": {"model", "quoting", "errors"},
    "proxies": {"model", "quoting", "errors"},
    "pipelines": {"servers", "proxies", "model", "quoting", "errors"},
    "targets.base": {"model", "errors"},
    "targets.*": {"targets.base", "release", "remote", "model", "errors"},
    "targets.*.artifacts": {"targets.base", "servers", "proxies", "model", "quoting", "errors"},
    "remote": {"model", "quoting", "errors"},
    "release": {"remote", "model", "errors"},
    "backup": {"remote", "model", "errors"},
    "workflows": {
        *("inspection", "planfile", "checks", "servers", "proxies", "targets", "pipelines", "release", "remote"),
        *("backup", "model", "quoting", "errors"),
    },
    "cli": {"workflows", "model", "errors"},
    "__main__": {"cli"},
}

# Libraries stay where they are used. `carboy --help` is quick because of this.
LIBRARIES: dict[str, set[str]] = {
    "click": {"cli"},
    "rich": {"cli"},
    "pydantic": {"planfile"},
    "pydantic_core": {"planfile"},
    "tomlkit": {"planfile"},
    "dotenv": {"planfile", "inspection"},
    "honcho": {"inspection", "planfile"},
    "packaging": {"inspection", "planfile", "servers", "release", "targets", "workflows"},
    "psutil": {"targets", "workflows", "release", "remote", "inspection"},
    "uv": {"targets", "release", "inspection"},
    "jinja2": {"servers", "proxies", "targets", "pipelines"},
}
EXTENSION_LIBRARIES = {"flask", "werkzeug"}
# Modules of the extension that nothing imports unless the plan asks for that library.
EXTENSION_OPTIONS = {"flask_carboy.waitress": {"waitress"}}


def part_of(module: str) -> str:
    """`carboy.inspection.index` is `inspection.index`."""
    return module.partition(".")[2]


def within(name: str, row: str) -> bool:
    """Whether a part lies in a row; a star stands for any one word."""
    wanted, words = row.split("."), name.split(".")
    return len(words) >= len(wanted) and all(a in ("*", b) for a, b in zip(wanted, words, strict=False))


def row_of(part: str) -> str | None:
    rows = [row for row in MAY_IMPORT if within(part, row)]
    return max(rows, key=lambda row: (row.count("."), "*" not in row), default=None)


def own_part(part: str) -> str:
    """What a module may always import: its own part; one target is a part, `targets` is not."""
    words = part.split(".")
    return ".".join(words[:2]) if words[0] == "targets" and len(words) > 2 else words[0]


def strangers(source: Source) -> list[str]:
    """The imports of a module that its row does not allow."""
    part, found = part_of(source.name), []
    if not part or part in {"targets"}:  # the packages' own __init__ hold a docstring
        return [f"{source.file}: imports {name}" for name, _ in source.imports() if name.startswith("carboy")]
    row = row_of(part)
    if row is None:
        return [f"{source.file}: {part.split('.')[0]} has no row in MAY_IMPORT"]
    # Artifacts are narrower than the target they belong to: they know no driver.
    allowed = MAY_IMPORT[row] | {"__version__"} | {row if row == "targets.*.artifacts" else own_part(part)}
    for name, line in source.imports():
        wanted = part_of(name)
        if name.startswith("carboy.") and not any(within(wanted, item) for item in allowed):
            found.append(f"{source.file}:{line}: {part} may not import {wanted}")
    return found


@pytest.mark.parametrize("source", sources(TOOL), ids=lambda source: source.name)
def test_a_module_imports_what_its_row_allows(source: Source) -> None:
    """Every import of the tool, function bodies included, stands in the table."""
    assert strangers(source) == []


@pytest.mark.parametrize("source", sources(TOOL), ids=lambda source: source.name)
def test_a_library_is_imported_where_it_belongs(source: Source) -> None:
    """Third-party libraries are confined to the parts that need them."""
    part = part_of(source.name) or "__init__"
    wrong = []
    for name, line in source.imports():
        top = name.split(".")[0]
        if top in sys.stdlib_module_names or top in {"carboy", ""}:
            continue
        if part.split(".")[0] not in LIBRARIES.get(top, set()):
            wrong.append(f"{source.file}:{line}: {part} may not import {top}")
    assert wrong == []


def reached_from(start: str) -> set[str]:
    """Every module of the tool that importing one of them loads, and every other import on the way."""
    known = {source.name: source for source in sources(TOOL)}
    pending, reached = [start], set[str]()
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            names = [found for found, _ in known[name].imports()] if name in known else []
            pending += [known_prefix(found, known) if found.startswith("carboy") else found for found in names]
    return reached


def known_prefix(name: str, known: Container[str]) -> str:
    """`carboy.model.plan.Plan` is loaded from `carboy.model.plan`."""
    while name not in known and "." in name:
        name = name.rpartition(".")[0]
    return name


def test_the_supervisor_needs_the_standard_library_and_the_model() -> None:
    """The resident process loads no library and no other part of the tool: it outlives upgrades of both."""
    reached = reached_from("carboy.targets.local.supervisor")
    ours = {part_of(name) for name in reached if name.startswith("carboy.")}
    assert {part for part in ours if not part.startswith(("targets", "model", "errors"))} == set()
    assert {name.split(".")[0] for name in reached} <= {*sys.stdlib_module_names, "carboy"}


@pytest.mark.parametrize("source", sources(EXTENSION), ids=lambda source: source.name)
def test_the_extension_stands_alone(source: Source) -> None:
    """flask_carboy imports Flask, Werkzeug and the standard library, and never the tool."""
    tops = {name.split(".")[0] for name, _ in source.imports()}
    allowed = EXTENSION_LIBRARIES | EXTENSION_OPTIONS.get(source.name, set()) | {"flask_carboy", ""}
    assert "carboy" not in tops
    assert tops - set(sys.stdlib_module_names) - allowed == set()


def test_nothing_of_the_extension_imports_its_options() -> None:
    """An app that does not use Waitress never loads the module that does."""
    found = [name for source in sources(EXTENSION) for name, _ in source.imports()]
    assert [name for name in found if any(within(name, option) for option in EXTENSION_OPTIONS)] == []


def test_the_tool_never_imports_the_extension() -> None:
    """What they share is the wire, spelt on both sides."""
    found = [f"{s.file}:{line}" for s in sources(TOOL) for name, line in s.imports() if name.startswith("flask_carboy")]
    assert found == []


def test_the_table_would_catch_each_kind_of_trespass() -> None:
    """Rows are read as meant: the longest one counts, and a target is no neighbour of another."""
    assert row_of("targets.docker.artifacts") == "targets.*.artifacts"
    assert row_of("targets.local.driver") == "targets.*"
    assert row_of("gadgets.thing") is None
    assert not any(within("targets.docker.driver", item) for item in {*MAY_IMPORT["targets.*"], "targets.local"})
    assert within("inspection.index", "inspection.index")
    assert not within("inspection.reader", "inspection.index")
