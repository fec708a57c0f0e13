"""What running a piece of the project's code would do to its data, followed through the functions it calls."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from carboy.inspection.code import Code, Function, Project, keyword, project_of
from carboy.inspection.index import Index, branches_of

_DEEPEST = 5
_BY_NAME = {
    "create_all": "create", "create_tables": "create", "create_table": "create", "create_schema": "create",
    "drop_all": "drop", "drop_tables": "drop", "drop_table": "drop", "drop_database": "drop",
    "drop_collection": "drop", "rmtree": "delete-files", "unlink": "delete-files", "add_all": "insert",
    "bulk_save_objects": "insert", "bulk_insert_mappings": "insert", "insert_many": "insert",
    "insert_one": "insert", "bulk_create": "insert", "generate_mapping": "create", "truncate_table": "truncate",
    "delete_many": "delete-rows", "flushall": "delete-rows", "flushdb": "delete-rows", "create_indexes": "create",
    "restore_all": "dump", "get_or_create": "insert-checked", "find_or_create_role": "insert-checked",
    "merge": "insert-checked", "update_or_create": "insert-checked", "prompt": "prompt", "confirm": "prompt",
    "prompt_pass": "prompt", "prompt_bool": "prompt",
}  # fmt: skip
_BY_DOTTED = {
    "input": "prompt", "raw_input": "prompt", "getpass.getpass": "prompt", "click.prompt": "prompt",
    "click.confirm": "prompt", "os.remove": "delete-files", "os.unlink": "delete-files",
    "flask_migrate.upgrade": "upgrade", "flask_migrate.migrate": "migrate", "flask_migrate.init": "migrate",
    "flask_migrate.stamp": "upgrade", "alembic.command.upgrade": "upgrade", "alembic.command.revision": "migrate",
    "faker.Faker": "fake", "flask_migrate.revision": "migrate",
}  # fmt: skip
_COMMON = frozenset({
    "get", "add", "all", "run", "commit", "save", "update", "delete", "close", "execute", "append", "create",
    "init_app", "join", "read", "write", "format", "print", "echo", "items", "keys", "values", "first", "filter",
    "count", "open", "app", "connect", "cursor", "fetchone", "fetchall", "route", "register_blueprint", "main",
    "init", "load", "start", "send",
})  # fmt: skip
_SQL = (
    ("drop", re.compile(r"\bDROP\s+(TABLE|DATABASE|SCHEMA|VIEW)\b", re.IGNORECASE)),
    ("truncate", re.compile(r"\bTRUNCATE\s+(TABLE\s+)?[\w\"`]+", re.IGNORECASE)),
    ("delete-rows", re.compile(r"\bDELETE\s+FROM\s+[\w\"`.]+\s*(;|$)", re.IGNORECASE)),
    ("create-bare", re.compile(r"\bCREATE\s+TABLE\s+(?!IF\s+NOT)[\w\"`\[{%]", re.IGNORECASE)),
    ("create", re.compile(r"\bCREATE\s+TABLE\b", re.IGNORECASE)),
    ("insert", re.compile(r"\b(INSERT\s+INTO|COPY\s+[\w\"`.]+.*\bFROM\s+stdin)\b", re.IGNORECASE)),
    (
        "insert-checked",
        re.compile(r"\bINSERT\s+(OR\s+)?IGNORE\b|\bINSERT\s+OR\s+REPLACE\b|\bON\s+CONFLICT\b", re.IGNORECASE),
    ),
)
_LOADERS = re.compile(r"\b(pg_restore|psql|mysql|mongorestore|mongoimport|sqlite3)\b.*")
_CHECKS = frozenset({
    "first", "filter_by", "one_or_none", "exists", "count", "scalar", "get_or_none", "find_one",
    "scalar_one_or_none", "fetchone", "find_user", "find_role", "count_documents", "get", "has_table", "all",
    "get_user", "count_roles",
})  # fmt: skip


class Effects:
    """The effects of one piece of code: tags, each with where it was first seen."""

    def __init__(self) -> None:
        self.tags: dict[str, tuple[Code, int]] = {}
        self.files: dict[str, int] = {}  # SQL files that it reads

    def add(self, tag: str, code: Code, line: int) -> None:
        self.tags.setdefault(tag, (code, line))

    def has(self, *tags: str) -> bool:
        return any(tag in self.tags for tag in tags)


def effects_of(index: Index, nodes: Iterable[ast.AST], code: Code) -> Effects:
    """Follow the nodes of a body, and the project's functions that it calls."""
    effects = Effects()
    _Walk(index, project_of(index), effects).body(nodes, code, 0)
    return effects


class _Walk:
    def __init__(self, index: Index, project: Project, effects: Effects) -> None:
        self.index = index
        self.project = project
        self.effects = effects
        self.seen: set[tuple[str, int]] = set()

    def body(self, nodes: Iterable[ast.AST], code: Code, deep: int) -> None:
        """One body is judged as a whole: an insert is safe where the same body looks first."""
        inside = list(own_nodes(nodes))
        checked = _looks_first(inside)
        for node in inside:
            if isinstance(node, ast.Call):
                self._call(node, code, checked, deep)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._text(node.value, code, node.lineno)

    def _call(self, call: ast.Call, code: Code, checked: bool, deep: int) -> None:
        dotted = code.dotted(call.func)
        last = dotted.rsplit(".", 1)[-1]
        tag = _BY_DOTTED.get(dotted) or (_BY_NAME.get(last) if isinstance(call.func, ast.Attribute) else None)
        tag = tag or _session_tag(call, dotted, last)
        target = None if tag == "create" and last == "create_all" else self._target(dotted, last, code, call)
        if target and deep < _DEEPEST:
            self._into(target, deep)
        elif tag and not (tag in {"create", "drop"} and _is_op(dotted)):
            self._tagged(tag, call, code, checked)
        if dotted.startswith(("subprocess.", "os.system", "os.popen")) and _LOADERS.search(ast.unparse(call)):
            self.effects.add("dump", code, call.lineno)

    def _tagged(self, tag: str, call: ast.Call, code: Code, checked: bool) -> None:
        if tag == "insert" and checked:
            tag = "insert-checked"
        unsafe = keyword(call, "safe")
        if tag == "create" and isinstance(unsafe, ast.Constant) and unsafe.value is False:
            tag = "create-bare"
        self.effects.add(tag, code, call.lineno)
        if tag == "create-bare":
            self.effects.add("create", code, call.lineno)

    def _target(self, dotted: str, last: str, code: Code, call: ast.Call) -> tuple[Code, Function] | None:
        found = self.project.function(dotted, code.path) if dotted and not dotted.startswith("?") else None
        if found or last in _COMMON or not isinstance(call.func, ast.Attribute) or last in _BY_NAME:
            return found
        named = self.project.functions_named.get(last, [])
        return named[0] if len(named) == 1 else None

    def _into(self, target: tuple[Code, Function], deep: int) -> None:
        code, function = target
        if (code.path, function.lineno) not in self.seen:
            self.seen.add((code.path, function.lineno))
            self.body(function.body, code, deep + 1)

    def _text(self, text: str, code: Code, line: int) -> None:
        if text.lower().endswith((".sql", ".dump")) and "\n" not in text:
            path = self._sql_file(text, code)
            if path:
                self.effects.files.setdefault(path, line)
                self._sql(self.index.text(path) or "", code, line)
        elif len(text) > 10:
            self._sql(text, code, line)

    def _sql_file(self, text: str, code: Code) -> str | None:
        name = PurePosixPath(text.replace("\\", "/")).name
        near = code.path.rpartition("/")[0]
        found = self.index.named(name)
        return min(found, key=lambda path: (not path.startswith(near), path.count("/")), default=None)

    def _sql(self, text: str, code: Code, line: int) -> None:
        tags = [tag for tag, pattern in _SQL if pattern.search(text)]
        if "insert-checked" in tags and "insert" in tags:
            tags.remove("insert")
        for tag in tags:
            self.effects.add(tag, code, line)


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a body but names: without those of functions defined in it, and without its documentation."""
    pending = list(nodes)
    for node in pending:  # grows as it goes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        yield node
        if not isinstance(node, ast.Constant):
            pending.extend(branches_of(node, constants=True))


def _session_tag(call: ast.Call, dotted: str, last: str) -> str | None:
    """`db.session.add(x)`, `Model.query.delete()`, `os.system("flask db migrate")`."""
    if isinstance(call.func, ast.Attribute):
        owner = dotted.split(".")[-2] if "." in dotted else ""
        of_model = owner[:1].isupper()
        if last == "add" and owner.endswith(("session", "db")):
            return "insert"
        if last == "delete" and not call.args and (of_model or "query" in ast.unparse(call.func)):
            return "delete-rows"
        if (last == "create" and call.keywords and of_model) or (last == "save" and not call.args):
            return "insert"
        if last in {"create_user", "create_role"}:
            return "insert"
    if dotted not in {"os.system", "subprocess.run", "subprocess.call", "subprocess.check_call"}:
        return None
    words = ast.unparse(call)
    if re.search(r"db['\", ]+(migrate|init)\b", words):
        return "migrate"
    return "upgrade" if re.search(r"(db|alembic)['\", ]+upgrade\b", words) else None


def _is_op(dotted: str) -> bool:
    return dotted.startswith(("op.", "alembic.op."))


def _looks_first(nodes: list[ast.AST]) -> bool:
    """Whether a body asks for what is there before it inserts: a query with a branch, or a caught IntegrityError."""
    calls = {node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}
    branches = any(isinstance(node, ast.If | ast.IfExp) for node in nodes)
    caught = any(_catches_integrity(node) for node in nodes)
    return caught or (branches and bool(calls & _CHECKS))


def _catches_integrity(node: ast.AST) -> bool:
    return isinstance(node, ast.ExceptHandler) and node.type is not None and "Integrity" in ast.unparse(node.type)
