"""Warnings: what was read and will hurt in production."""

import ast
import posixpath
import re
from collections.abc import Iterator

from carboy.inspection.code import Code, argument, constant_text, keyword
from carboy.inspection.data_warnings import data_warnings
from carboy.inspection.dependency_warnings import dependency_warnings
from carboy.inspection.dotenv_files import read_dotenv
from carboy.inspection.environment import environment_of
from carboy.inspection.flask_app import joined
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.inspection.secret_warnings import secret_warnings
from carboy.model.facts import AppFact, DependenciesFact, Place, Warn

_OWN_OF_FLASK = re.compile(r"^(FLASK_(APP|ENV|DEBUG|RUN_\w+|SKIP_DOTENV)|PYTHON\w+)$")
_SAMPLES = (
    "{}.example.{}", "{}.sample.{}", "{}.{}.example", "{}.{}.sample", "{}_example.{}", "{}_sample.{}", "{}-example.{}",
    "{}.{}.dist", "{}.template.{}", "{}.{}.template", "{}.default.{}", "{}-sample.{}", "example_{}.{}", "sample_{}.{}",
)  # fmt: skip


def find_warnings(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[Warn, ...]:
    """Everything reading can warn of, in a fixed order."""
    if not app.ref and not app.command and not app.candidates:
        return ()
    found = [
        *dependency_warnings(index, dependencies, app),
        *secret_warnings(index, app),
        *data_warnings(index, dependencies, app),
        *_config_files(index, app),
        *_split_brain(index, app),
    ]
    return tuple(dict.fromkeys(found))


def _config_files(index: Index, app: AppFact) -> Iterator[Warn]:
    """Settings that come from a file that is not in the project."""
    for code in production_codes(index, app):
        for call in code.calls_of("from_envvar", "from_pyfile", "from_file", "from_json", "open", "read"):
            name = _needed_file(index, call, code, app)
            if name:
                message = f"the configuration is a file: {name}"
                yield Warn("config-file-needed", message, (code.place(call),))
        if _has_samples(index):
            yield from _missing_module(index, code)


def _needed_file(index: Index, call: ast.Call, code: Code, app: AppFact) -> str | None:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else code.dotted(call.func)
    if _is_true(keyword(call, "silent")):
        return None
    if method == "from_envvar":
        name = constant_text(argument(call, 0, "variable_name"))
        return f"named by the variable {name}" if name else None
    if method not in {"from_pyfile", "from_file", "from_json", "open", "read"}:
        return None
    if (method == "open" and code.function_of(call)) or (method == "read" and "config" not in ast.unparse(call.func)):
        return None
    text = constant_text(argument(call, 0, "filename"))
    if not text or text.startswith("/") or not re.search(r"\.(py|cfg|ini|json|toml|ya?ml|conf)$", text):
        return None
    folders = (app.folder, posixpath.dirname(code.path), joined(app.folder, "instance"), "")
    there = any(index.has(posixpath.normpath(posixpath.join(folder, text))) for folder in folders)
    return None if there else f"{text}, which the project does not hold"


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _has_samples(index: Index) -> bool:
    return index.derived(_samples)


def _samples(index: Index) -> bool:
    """Whether any file may be a sample of another: few projects have one, and all imports would be looked up."""
    words = ("example", "sample", "dist", "template", "default")
    return any(any(word in path for word in words) for path in index.files if ".py" in path)


def _missing_module(index: Index, code: Code) -> Iterator[Warn]:
    """`import config` where the project has config.example.py and no config.py."""
    for dotted, line in code.import_lines.items():
        stem = dotted.split(".")[-1]
        for folder in (posixpath.dirname(code.path), posixpath.dirname(dotted.replace(".", "/")), ""):
            sample = next((name for name in _sample_names(stem) if index.has(joined(folder, name))), None)
            if sample and not index.has(joined(folder, f"{stem}.py")) and joined(folder, stem) not in index.folders:
                message = f"the configuration is a file: {stem}.py, which is to be made from {sample}"
                yield Warn("config-file-needed", message, (Place(code.path, line), Place(joined(folder, sample))))
                break


def _sample_names(stem: str) -> list[str]:
    return [form.format(stem, "py") for form in _SAMPLES]


def _split_brain(index: Index, app: AppFact) -> Iterator[Warn]:
    """Dotenv files that the `flask` command reads and a server does not."""
    codes = production_codes(index, app)
    if any("dotenv" in dotted for code in codes for dotted in code.import_lines) or _loads_by_library(codes):
        return
    environment = environment_of(index)
    wanted = {read.name for code in codes for read in environment.reads(code)}
    for base in dict.fromkeys((app.folder, "")):
        for name in (".flaskenv", ".env"):
            path = joined(base, name)
            bindings = [(key, line) for key, _, line in read_dotenv(index, path) if not _OWN_OF_FLASK.match(key)]
            used = [(key, line) for key, line in bindings if key in wanted]
            if used:
                shown = ", ".join(key for key, _ in used)
                message = f"{shown} in {path}: the `flask` command reads it, a server does not"
                yield Warn("dotenv-split-brain", message, tuple(Place(path, line) for _, line in used))


def _loads_by_library(codes: list[Code]) -> bool:
    names = ("environs", "decouple", "pydantic_settings", "dynaconf", "environ", "starlette.config")
    return any(dotted.startswith(names) for code in codes for dotted in code.import_lines)
