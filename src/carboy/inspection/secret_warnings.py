"""Warnings about secrets and addresses that stand in the code."""

import ast
import re
from collections.abc import Iterator

from carboy.inspection.code import Code, keyword
from carboy.inspection.constants import CHANCE, ROOT, UNKNOWN, Value, evaluator_of
from carboy.inspection.data import Address, addresses
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.inspection.settings import Setting, in_production, settings_of
from carboy.inspection.stores import OPENERS, engine_of_address
from carboy.model.facts import AppFact, Place, Warn

_OVERRIDES = ("from_pyfile", "from_envvar", "from_prefixed_env", "from_file", "from_json", "from_toml", "from_yaml")
_PLAIN_SECRET = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_KEY|CREDENTIAL|_SALT$|ACCESS_KEY")
_NO_SECRET = re.compile(
    r"(URL|URI|EXPIRES|EXPIRATION|LOCATION|HEADER|NAME|ALGORITHM|TYPE|ENABLED|LENGTH|LIFETIME|FIELD|TTL|MAX_AGE|PATH|"
    r"FILE)\w*$"
)


_DATABASE_PASSWORD = re.compile(
    r"^(MYSQL|PG|POSTGRES|POSTGRESQL|DB|DATABASE|MARIADB)(_DATABASE|_DB)?_?(PASSWORD|PASS|PASSWD|PW)$"
)


def secret_warnings(index: Index, app: AppFact) -> Iterator[Warn]:
    """Secret keys, other secrets and database addresses written into the code."""
    codes = production_codes(index, app)
    keys = _of_key(index, codes, "SECRET_KEY")
    yield from _secret_key(index, codes, keys)
    yield from _other_secrets(index, codes)
    yield from _database_literals(index, app, codes)


def _of_key(index: Index, codes: list[Code], key: str) -> list[Setting]:
    paths = {code.path for code in codes}
    return in_production([s for s in settings_of(index) if s.key == key and s.code.path in paths])


def _secret_key(index: Index, codes: list[Code], settings: list[Setting]) -> Iterator[Warn]:
    evaluator = evaluator_of(index)
    found: dict[str, list[Place]] = {}
    for setting in settings:
        code = _verdict(evaluator.value(setting.node, setting.code), setting, codes)
        if code:
            found.setdefault(code, []).append(setting.place)
    for code, places in found.items():
        yield Warn(code, _KEY_MESSAGES[code], tuple(places))


_KEY_MESSAGES = {
    "secret-key-literal": "the secret key stands in the code and nothing in the environment can replace it",
    "secret-key-default": "the secret key has a default that stands in the code: without another the app runs on it",
    "secret-key-random": "the secret key is made by chance at each start: every worker has another, and sessions break",
    "secret-key-missing": "the secret key is set only under the main guard, which no server runs",
}


def _verdict(value: Value, setting: Setting, codes: list[Code]) -> str | None:
    texts = [text for text in value.texts if text.strip(UNKNOWN) and text not in {"None", "False"}]
    if setting.code.in_main_guard(setting.node):
        return "secret-key-missing"
    if any(CHANCE in text for text in texts):
        return "secret-key-random"
    if not texts or any(ROOT in text for text in texts):
        return None
    return "secret-key-default" if value.variables or _can_be_overridden(codes, setting) else "secret-key-literal"


def _can_be_overridden(codes: list[Code], setting: Setting) -> bool:
    """Whether a file or variables are read after the literal was set."""
    for code in codes:
        for call in code.calls_of(*_OVERRIDES):
            if isinstance(call.func, ast.Attribute):
                later = code is not setting.code or call.lineno > setting.node.lineno
                own = code is not setting.code and code.path != setting.code.path
                if later and not (own and setting.code.path in ast.unparse(call)):
                    return True
    return False


def _other_secrets(index: Index, codes: list[Code]) -> Iterator[Warn]:
    """Passwords and tokens of other services, one warning for all of them."""
    evaluator = evaluator_of(index)
    paths = {code.path for code in codes}
    places, names = [], []
    for key in dict.fromkeys(setting.key for setting in settings_of(index)):
        if (
            key == "SECRET_KEY"
            or not _PLAIN_SECRET.search(key)
            or _NO_SECRET.search(key)
            or _DATABASE_PASSWORD.match(key)
        ):
            continue
        for setting in in_production([s for s in settings_of(index) if s.key == key and s.code.path in paths]):
            value = evaluator.value(setting.node, setting.code)
            named = not setting.owner or re.search(r"conf|sett|option|dev|prod", setting.owner, re.IGNORECASE)
            spelt = any(text.lower().replace("-", "_") == key.lower() for text in value.texts)
            if named and not spelt and _is_literal(value) and isinstance(setting.node, ast.Constant | ast.BoolOp):
                places.append(setting.place)
                names.append(key)
    if names:
        shown = ", ".join(dict.fromkeys(names))
        yield Warn("secret-literal", f"secrets stand in the code: {shown}", tuple(places))


def _is_literal(value: Value) -> bool:
    texts = [t for t in value.texts if not re.search("[\ue000-\ue00f]", t)]
    return not value.variables and any(len(text) >= 6 and " " not in text and not text.isdigit() for text in texts)


def _database_literals(index: Index, app: AppFact, codes: list[Code]) -> Iterator[Warn]:
    literal = [address.place for address in addresses(index, app) if _is_literal_address(address)]
    literal += [place for code in codes for place in _literal_connections(index, code)]
    literal += [setting.place for setting in _literal_passwords(index, codes)]
    if literal:
        message = "host or password of the database stand in the code and nothing in the environment can replace them"
        yield Warn("database-literal", message, tuple(dict.fromkeys(literal)))
    found = [a.place for a in addresses(index, app) if any(t.startswith("postgres://") for t in a.value.texts)]
    if found:
        yield Warn("postgres-scheme", "SQLAlchemy refuses postgres:// addresses: write postgresql://", tuple(found))


def _literal_passwords(index: Index, codes: list[Code]) -> Iterator[Setting]:
    """Settings such as MYSQL_PASSWORD and DB_PASS that hold the word itself."""
    paths = {code.path for code in codes}
    keys = {s.key for s in settings_of(index) if _DATABASE_PASSWORD.match(s.key)}
    for key in sorted(keys):
        for setting in in_production([s for s in settings_of(index) if s.key == key and s.code.path in paths]):
            value = evaluator_of(index).value(setting.node, setting.code)
            if any(value.texts) and not value.variables:
                yield setting


def _is_literal_address(address: Address) -> bool:
    if address.value.variables:
        return False
    return any(
        engine_of_address(text) not in {None, "sqlite", "redis", "memcached"} and re.search(r"//[^/@]*@|//\w", text)
        for text in address.value.texts
    )


def _literal_connections(index: Index, code: Code) -> Iterator[Place]:
    """`connect(host="localhost", password="x")` with nothing read from the environment."""
    evaluator = evaluator_of(index)
    for call in code.calls if code.mentions("password", "passwd") else ():
        dotted = code.dotted(call.func)
        opener = OPENERS.get(dotted)
        if opener is None and not dotted.endswith(("Database", ".init")):
            continue
        for name in ("password", "passwd"):
            node = keyword(call, name)
            value = evaluator.value(node, code) if node is not None else Value()
            if value.texts and not value.variables and (opener is None or opener.engine not in {"redis", "sqlite"}):
                yield code.place(call)
