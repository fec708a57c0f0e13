"""Databases, caches and brokers that the app talks to."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from carboy.inspection.code import Answer, Code, argument, project_of, tier_of
from carboy.inspection.compose import compose_services
from carboy.inspection.constants import UNKNOWN, Evaluator, Value, evaluator_of
from carboy.inspection.flask_app import find_flask_call, project_path
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.inspection.settings import in_production, settings_of
from carboy.inspection.stores import ADDRESS_KEYS, DRIVERS, IMAGES, OPENERS, PEEWEE, POOLED, SQL, Opener
from carboy.inspection.stores import engine_of_address as engine_of
from carboy.model.facts import AppFact, DataFact, DependenciesFact, Place

_ORDER = ("main", "sessions", "cache", "redis", "broker", "results", "limits", "search")
_HINTS = {
    "postgres": "postgresql", "pg": "postgresql", "mysql": "mysql", "maria": "mariadb", "mongo": "mongodb",
    "redis": "redis", "rabbit": "rabbitmq", "amqp": "rabbitmq", "sqlite": "sqlite",
}  # fmt: skip
_QUEUES = {"Celery", "Huey", "RedisHuey", "SocketIO", "dict", "update"}
_OPENING = {"init", "bind", *(dotted.rsplit(".", 1)[-1] for dotted in OPENERS)}
_QUEUE_KEYS = {
    "broker": "broker", "backend": "results", "message_queue": "messages", "broker_url": "broker",
    "result_backend": "results",
}  # fmt: skip
_VARIABLE_WORDS = (
    r"(DATABASE|DB|SQL|MONGO|REDIS|BROKER|BACKEND).*(URL|URI|DSN)|_URL$|_URI$|DSN",
    r"HOST|SERVER",
    r"PATH|FILE|DATABASE|DB",
)


@dataclass(frozen=True)
class Address:
    """One place that names a store: what it evaluates to, and how a relative SQLite path is meant there."""

    name: str
    engine: str | None
    library: str | None
    value: Value
    place: Place
    key: str = ""  # of the setting, "" for a call
    literal: bool = True


def find_data(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[DataFact, ...]:
    """The data stores that production uses, the main database first."""
    return index.derived(Answer(_find, (dependencies, app)))


def _find(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[DataFact, ...]:
    reader = _Reader(index, dependencies, app)
    found = [fact for address in addresses(index, app) for fact in reader.facts(address)]
    merged = [reader.with_library(fact) for fact in _merged(found)]
    merged += [fact for fact in _from_compose(index) if fact.engine not in {known.engine for known in merged}]
    order = {name: number for number, name in enumerate(_ORDER)}
    return tuple(sorted(_named(merged), key=lambda fact: order.get(fact.name, 0 if fact.engine in SQL else 9)))


def addresses(index: Index, app: AppFact) -> list[Address]:
    """Every place in production's code that names a store."""
    return index.derived(Answer(_addresses, (app,)))


def _addresses(index: Index, app: AppFact) -> list[Address]:
    codes = production_codes(index, app)
    found = [*_from_settings(index, codes), *_from_calls(index, codes)]
    return found or list(_from_calls(index, _beside(index, app)))


def _beside(index: Index, app: AppFact) -> list[Code]:
    """Files in the app's own folder that it does not import: scripts that make its database."""
    return [code for code in project_of(index).ours if code.path.rpartition("/")[0] == app.folder]


def _from_settings(index: Index, codes: list[Code]) -> Iterator[Address]:
    evaluator = evaluator_of(index)
    paths = {code.path for code in codes}
    by_key: dict[str, list[ast.expr]] = {}
    for key in dict.fromkeys(setting.key for setting in settings_of(index) if _is_address(setting.key)):
        settings = [s for s in settings_of(index) if s.key == key and s.code.path in paths]
        for setting in in_production(settings):
            by_key.setdefault(key, []).append(setting.node)
            yield from _setting_addresses(key, setting.node, setting.code, evaluator)


def _is_address(key: str) -> bool:
    return key in ADDRESS_KEYS or key == "SQLALCHEMY_BINDS"


def _setting_addresses(key: str, node: ast.expr, code: Code, evaluator: Evaluator) -> Iterator[Address]:
    if key == "SQLALCHEMY_BINDS":
        yield from _binds(node, code, evaluator)
        return
    name, library, engine = ADDRESS_KEYS[key]
    if isinstance(node, ast.Dict):
        node = _dict_address(node) or node
    value = evaluator.value(node, code)
    if isinstance(node, ast.Call) and not value.known:
        return  # SESSION_REDIS = redis.from_url(...) is read as the call it is
    if value.known and not (key == "DATABASE" and not _looks_like_address(value)):
        yield Address(name, engine, library, value, code.place(node), key)


def _looks_like_address(value: Value) -> bool:
    texts = [text for text in value.texts if text]
    return not texts or any(engine_of(text) or re.search(r"\.(db|sqlite3?|db3|sdb)$", text) for text in texts)


def _binds(node: ast.expr, code: Code, evaluator: Evaluator) -> Iterator[Address]:
    for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
        name = evaluator.value(key, code).texts
        found = evaluator.value(value, code)
        yield Address(name[0] if name else "bind", None, "sqlalchemy", found, code.place(value), "SQLALCHEMY_BINDS")


def _dict_address(node: ast.Dict) -> ast.expr | None:
    """The entry of a settings dictionary that says where the store is."""
    entries = {
        key.value: value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant)
    }
    return next((entries[name] for name in ("url", "uri", "host", "name", "db", "default") if name in entries), None)


def _from_calls(index: Index, codes: list[Code]) -> Iterator[Address]:
    evaluator = evaluator_of(index)
    for code in codes:
        for call in code.calls_where(_may_open):
            found = _opened(call, code, evaluator)
            if found:
                yield found
            yield from _celery(call, code, evaluator)


@cache
def _may_open(name: str) -> bool:
    return name in _OPENING or name in _QUEUES or POOLED.search(name) is not None


def _opened(call: ast.Call, code: Code, evaluator: Evaluator) -> Address | None:
    opener = _opener(call, code, evaluator)
    if opener is None or tier_of(*(owner.name for owner in code.owners(call))) == "testing":
        return None
    first = 0 if not opener.arguments or opener.arguments[0] != "host" or opener.engine in {"redis", "mongodb"} else 99
    node = argument(call, first, *opener.arguments)
    if node is None and opener.library == "flask-pymongo":
        return None
    value = evaluator.value(node, code) if node is not None else _starred(call, code, evaluator)
    if opener.engine is None and not value.known:
        return None
    return Address(opener.name, opener.engine, opener.library, value, code.place(call))


def _opener(call: ast.Call, code: Code, evaluator: Evaluator) -> Opener | None:
    dotted = code.dotted(call.func)
    if dotted in OPENERS:
        return OPENERS[dotted]
    last = dotted.rsplit(".", 1)[-1]
    pooled = POOLED.search(last)
    if pooled:
        engine = {"p": "postgresql", "m": "mysql"}.get(pooled[1][0].lower(), "sqlite")
        return OPENERS[PEEWEE[engine]]
    if last == "init" and isinstance(call.func, ast.Attribute):
        for maker, made in _made_as(call.func.value, code, evaluator):
            if isinstance(made, ast.Call) and made is not call:
                return _opener(made, maker, evaluator)
    if last == "bind" and any(keyword.arg == "provider" for keyword in call.keywords):
        return _pony(call)
    return None


def _made_as(node: ast.expr, code: Code, evaluator: Evaluator) -> list[tuple[Code, ast.expr]]:
    """The expressions that a name of this file, or one imported from another, was assigned."""
    if isinstance(node, ast.Name) and node.id in code.module_names:
        return [(code, made) for made in code.module_names[node.id]]
    found = (
        evaluator.project.resolve(code.dotted(node), code.path) if isinstance(node, ast.Name | ast.Attribute) else None
    )
    if not found:
        return []
    target = evaluator.project.codes[found[0]]
    return [(target, made) for made in target.module_names.get(found[1], ())]


def _pony(call: ast.Call) -> Opener:
    provider = next(item.value for item in call.keywords if item.arg == "provider")
    engine = {"sqlite": "sqlite", "postgres": "postgresql", "mysql": "mysql", "oracle": "oracle"}.get(
        str(getattr(provider, "value", "")), "sql"
    )
    return Opener(engine, "pony", arguments=("filename", "host"))


def _starred(call: ast.Call, code: Code, evaluator: Evaluator) -> Value:
    """`connect(**parameters)`: what the keywords that are there read from the environment."""
    values = [evaluator.value(item.value, code) for item in call.keywords]
    return Value((), tuple(dict.fromkeys(name for value in values for name in value.variables)))


def _celery(call: ast.Call, code: Code, evaluator: Evaluator) -> Iterator[Address]:
    """`Celery(broker=...)`, `SocketIO(message_queue=...)`, and `dict(broker_url=...)` as Flask's manual writes it."""
    if code.dotted(call.func).rsplit(".", 1)[-1] not in _QUEUES:
        return
    for item in call.keywords:
        if item.arg in _QUEUE_KEYS:
            value = evaluator.value(item.value, code)
            library = "flask-socketio" if item.arg == "message_queue" else "celery"
            if value.known:
                yield Address(_QUEUE_KEYS[item.arg], None, library, value, code.place(item.value))


class _Reader:
    """Turns addresses into facts."""

    def __init__(self, index: Index, dependencies: DependenciesFact, app: AppFact) -> None:
        self.working = app.folder
        self.specs = {requirement.name: requirement.spec for requirement in dependencies.requirements}
        flask_call = find_flask_call(index, app)
        self.instance = flask_call.instance if flask_call else "instance"
        self.root = flask_call.root if flask_call else app.folder
        self.drivers = [DRIVERS[name] for name in self.specs if name in DRIVERS]
        self.drivers += [IMAGES[image] for image, _ in compose_services(index) if IMAGES.get(image) in SQL]

    def facts(self, address: Address) -> Iterator[DataFact]:
        texts = [text for text in address.value.texts if text.strip(UNKNOWN) and not _empty(text)]
        known = [text for text in texts if address.engine or engine_of(text) or _is_file(text)]
        variable = _best_variable(address.value.variables)
        seen: set[str] = set()
        for text in known:
            engine = engine_of(text) or address.engine or "sqlite"
            path = self._path(text, address) if engine in {"sqlite", "tinydb", "duckdb"} else None
            if engine not in seen:
                seen.add(engine)
                yield DataFact(engine, address.name, variable, address.library, path, (address.place,))
        other = self._unread(address, variable)
        if other and (not known or (other in self.drivers and seen == {"sqlite"} and variable)):
            yield DataFact(other, address.name, variable, address.library, None, (address.place,))

    def _unread(self, address: Address, variable: str | None) -> str | None:
        """The engine of an address that only the environment knows: the driver that is installed for it."""
        if address.engine:
            return address.engine
        if address.name != "main":
            return _hinted(variable) or ("redis" if {"redis"} & self.specs.keys() else None)
        return next(iter(self.drivers), None) or _hinted(variable) or ("sql" if address.value.known else None)

    def _path(self, text: str, address: Address) -> str | None:
        path = _sqlite_path(text)
        if path is None or path in {"", ":memory:"} or path.startswith("file::memory"):
            return None
        relative = self.working
        if address.key.startswith("SQLALCHEMY") and self._is_flask_sqlalchemy():
            relative = self.root if self._is_aged() else self.instance
        return project_path(path, relative, self.instance, self.working)

    def with_library(self, fact: DataFact) -> DataFact:
        """A setting such as DATABASE does not say who reads it: a mapper that is there, else the standard library."""
        if fact.library is not None or fact.engine != "sqlite":
            return fact
        return replace(fact, library=next((name for name in ("peewee", "pony") if name in self.specs), "sqlite3"))

    def _is_flask_sqlalchemy(self) -> bool:
        return not {"flask-sqlalchemy-lite", "flask-sqlalchemy-core"} & self.specs.keys()

    def _is_aged(self) -> bool:
        """Flask-SQLAlchemy below 3 takes relative paths from the app's root, later ones from its instance folder."""
        written = self.specs.get("flask-sqlalchemy")
        if not written:
            return False
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # slow to load, and seldom needed

        try:
            spec = SpecifierSet(written)
        except InvalidSpecifier:
            return False
        aged = any(spec.contains(version) for version in ("2.5.1", "2.4.4", "2.3.2", "2.1", "2.2"))
        pinned = re.match(r"^=+\s*[012]\.", written)
        return bool(pinned) or (aged and not spec.contains("3.1.1") and not spec.contains("3.0.5"))


def _is_file(text: str) -> bool:
    return bool(re.search(r"\.(db|sqlite3?|db3|sdb)$", text)) or text == ":memory:"


def _empty(text: str) -> bool:
    return text in {"", "None", "False", "True", "0", "null"}


def _sqlite_path(text: str) -> str | None:
    bare = re.sub(r"^file:(?=[^:])(//)?", "", text.split("?", 1)[0])
    path = re.sub(r"^(?:db\+)?sqlite[a-z0-9]*(\+\w+)?:(//)?", "", bare)
    if path == bare:
        return path
    return path[1:] if path.startswith("/") else path


def _best_variable(names: tuple[str, ...]) -> str | None:
    for pattern in _VARIABLE_WORDS:
        for name in names:
            if re.search(pattern, name.upper()):
                return name
    return names[0] if names else None


def _hinted(variable: str | None) -> str | None:
    name = (variable or "").lower()
    return next((engine for hint, engine in _HINTS.items() if re.search(_hint_pattern(hint), name)), None)


def _hint_pattern(hint: str) -> str:
    """A short hint must begin a word: there is a `pg` in many a longer one."""
    return rf"(?<![a-z]){hint}" if len(hint) < 4 else hint


def _from_compose(index: Index) -> Iterator[DataFact]:
    for image, place in compose_services(index):
        if image in IMAGES:
            engine = IMAGES[image]
            name = {"redis": "redis", "rabbitmq": "broker", "memcached": "cache", "elasticsearch": "search"}
            yield DataFact(engine, name.get(engine, "main"), None, None, None, (place,))


def _merged(found: list[DataFact]) -> list[DataFact]:
    """One fact for each store: the same engine, variable and file are one, seen in several places."""
    merged: dict[tuple[str, str, str | None], DataFact] = {}
    for fact in found:
        key = (fact.engine, fact.name, fact.path or (fact.variable if fact.name != "main" else None))
        alike = (k for k in merged if k[:2] == key[:2] and (key[2] is None or k[2] in {None, key[2]}))
        bare = next(alike, None)
        if bare is None:
            merged[key] = fact
            continue
        known = merged[bare]
        evidence = tuple(dict.fromkeys((*known.evidence, *fact.evidence)))
        merged[bare] = replace(
            known, variable=known.variable or fact.variable, path=known.path or fact.path,
            library=known.library or fact.library, evidence=evidence,
        )  # fmt: skip
    return list(merged.values())


def _named(facts: list[DataFact]) -> list[DataFact]:
    """Names are keys of the plan: two databases of the same name are told apart by their engine."""
    taken: dict[str, int] = {}
    named: list[DataFact] = []
    for fact in facts:
        same = taken.get(fact.name, 0)
        taken[fact.name] = same + 1
        clash = same and not (fact.variable and any(k.variable == fact.variable and k.name == fact.name for k in named))
        named.append(replace(fact, name=f"{fact.name}-{fact.engine}") if clash else fact)
    return named
