"""The variables that the app reads from its environment."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from carboy.inspection.code import Code, argument, constant_text, keyword, tier_of
from carboy.inspection.constants import Evaluator, evaluator_of
from carboy.inspection.data import addresses
from carboy.inspection.dotenv_files import example_names
from carboy.inspection.environment import EnvRead, environment_of
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.inspection.selectors import suggestions
from carboy.inspection.settings import Setting, in_production, settings_of
from carboy.inspection.typed_settings import typed_fields
from carboy.model.facts import AppFact, DependenciesFact, Place, VariableFact

SECRET = re.compile(
    r"SECRET|PASSWORD|PASSWD|PASSPHRASE|(^|_)PASS($|_)|(^|_)PWD$|TOKEN(?!_(URL|EXP|TTL|LIFE|LOCATION))|API_?KEY|APIKEY|"
    r"PRIVATE|CREDENTIAL|DSN|_SALT$|(^|_)JWT_?KEY|ACCESS_KEY|(?<!PUBLIC)(?<!SITE)(?<!SORT)_KEY$|^KEY$|WEBHOOK_URL|"
    r"(DATABASE|DB|REDIS|BROKER|MONGO|MONGODB|AMQP|POSTGRES|MYSQL|BACKEND|SQLALCHEMY_DATABASE|CLOUDAMQP|REDISCLOUD|RESULT)_(URL|URI)$",
    re.IGNORECASE,
)
_GIVEN = re.compile(
    r"^(PORT|HOST|HOSTNAME|DYNO|HOME|PATH|USER|USERNAME|LOGNAME|PWD|LANG|LC_ALL|TZ|TERM|SHELL|TMPDIR|TEMP|TMP|EDITOR|PAGER|"
    r"APPDATA|LOCALAPPDATA|XDG_\w+|COLUMNS|WEB_CONCURRENCY|VIRTUAL_ENV|PYTHON\w+|SERVER_SOFTWARE|WERKZEUG_\w+|CI|GITHUB_\w+|"
    r"GITLAB_\w+|TRAVIS|GAE_\w+|K_SERVICE|K_REVISION|KUBERNETES_\w+|READTHEDOCS|PYTEST_\w+|VERCEL|RENDER|RENDER_\w+|FLY_\w+|"
    r"RAILWAY_\w+|WEBSITE_\w+|AWS_LAMBDA_\w+|AWS_EXECUTION_ENV|FLASK_RUN_\w+|FLASK_APP|FLASK_DEBUG|FLASK_ENV|INVOCATION_ID|"
    r"GUNICORN_\w+|UWSGI_\w+|OPENSHIFT_\w+|HEROKU_\w+|REPL_\w+|COMPUTERNAME|SSH_\w+|DISPLAY|HTTP_PROXY|HTTPS_PROXY|NO_PROXY)$"
)
_ORMS = frozenset({"flask-sqlalchemy", "sqlalchemy", "flask-sqlalchemy-lite", "sqlmodel", "flask-appbuilder"})
_FACTORY = re.compile(r"^(create|make|build|get|init|setup|configure|load|register|new|from|app|register)_?\w*$")
_SECRET_KEYWORDS = ("password", "passwd", "secret_key", "api_key", "token", "client_secret", "secret")
_FRAGILE = frozenset({"int", "float", "json.loads", "ast.literal_eval", "os.path.join", "os.listdir", "open", "len"})


@dataclass
class _Found:
    name: str
    required: bool = False
    places: list[Place] = field(default_factory=list)


def find_variables(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[VariableFact, ...]:
    """Every variable the app reads, required ones first, each with its places."""
    codes = production_codes(index, app)
    known = {requirement.name for requirement in dependencies.requirements}
    found: dict[str, _Found] = {}
    _add_reads(index, codes, found)
    for typed in typed_fields(codes):
        _add(found, typed.name, typed.place, required=typed.required)
    _add_flask_ways(index, codes, found)
    for name in _needed_by_settings(index, app, codes, known):
        if name in found:
            found[name].required = True
    for name, place in example_names(index, app.folder):
        _add(found, name, place, required=False)
    secrets = _secret_by_use(index, codes)
    values = suggestions(index, codes)
    facts = [_fact(each, secrets, values) for each in found.values()]
    return tuple(sorted(facts, key=lambda fact: (not fact.required, fact.name)))


def _fact(found: _Found, secrets: set[str], values: dict[str, str]) -> VariableFact:
    secret = found.name in secrets or bool(SECRET.search(found.name))
    required = found.required and not is_given(found.name)
    suggestion = None if secret else values.get(found.name)
    return VariableFact(found.name, required, secret, suggestion, tuple(dict.fromkeys(found.places))[:8])


def is_given(name: str) -> bool:
    """Whether a platform or shell sets the variable, so that nobody has to be asked for it."""
    return bool(_GIVEN.match(name))


def _add(found: dict[str, _Found], name: str, place: Place, *, required: bool) -> None:
    each = found.setdefault(name, _Found(name))
    each.places.append(place)
    each.required = each.required or required


def _add_reads(index: Index, codes: list[Code], found: dict[str, _Found]) -> None:
    environment = environment_of(index)
    for code in codes:
        checked = _checked_names(code)
        reads = environment.reads(code)
        with_default = {read.name for read in reads if not read.strict and read.default is not None}
        for read in reads:
            required = _is_required(read, checked) and read.name not in with_default
            _add(found, read.name, code.place(read.node), required=required)


def _is_required(read: EnvRead, checked: set[str]) -> bool:
    """Whether the app does not start without: read strictly, or checked, where importing or the factory runs."""
    code, node = read.code, read.node
    if not _runs_at_start(code, node) or code.in_main_guard(node) or _is_guarded(code, node, read.name):
        return False
    if tier_of(code.path.rsplit("/", 1)[-1].removesuffix(".py")) in {"testing", "development"}:
        return False
    if read.strict:
        return True
    missing = read.default is None or (isinstance(read.default, ast.Constant) and read.default.value is None)
    return missing and (_is_fragile(code, node) or bool(_assigned_names(code, node) & checked))


def _runs_at_start(code: Code, node: ast.AST) -> bool:
    function = code.function_of(node)
    return function is None or bool(_FACTORY.match(function.name)) or function.name in {"__init__", "init_app"}


def _is_guarded(code: Code, node: ast.AST, name: str) -> bool:
    """Whether a `try`, or an `if "NAME" in os.environ`, stands around the read."""
    line = getattr(node, "lineno", 0)
    for attempt in code.handlers:
        last = attempt.body[-1].end_lineno or 0
        reraises = any(isinstance(inner, ast.Raise) for h in attempt.handlers for inner in ast.walk(h))
        if attempt.lineno <= line <= last and attempt.handlers and not reraises:
            return True
    for branch in code.branches:
        inside = branch.body[0].lineno <= line <= (branch.end_lineno or 0)
        if inside and (name in ast.unparse(branch.test) or _is_of_tier(branch.test)):
            return True
    return False


def _is_of_tier(test: ast.expr) -> bool:
    return tier_of(ast.unparse(test)) in {"testing", "development"}


def _is_fragile(code: Code, node: ast.AST) -> bool:
    """Whether a missing value fails at once: int(os.environ.get(...)), os.environ.get(...).split()."""
    for call in code.calls:
        if call.args and call.args[0] is node and code.dotted(call.func) in _FRAGILE:
            return True
        if isinstance(call.func, ast.Attribute) and call.func.value is node:
            return True
    return False


def _assigned_names(code: Code, node: ast.AST) -> set[str]:
    names: set[str] = set()
    for statement in code.assigns:
        if statement.value is node:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names.update(ast.unparse(target) for target in targets)
    return names


def _checked_names(code: Code) -> set[str]:
    """Names whose absence ends the start: `if not NAME: raise ...`, `assert NAME`."""
    names: set[str] = set()
    for branch in code.branches:
        match branch.test:
            case ast.UnaryOp(op=ast.Not(), operand=inner) if _ends(branch, code):
                names.add(ast.unparse(inner))
            case ast.Compare(left=inner, ops=[ast.Is()], comparators=[ast.Constant(value=None)]) if _ends(branch, code):
                names.add(ast.unparse(inner))
    return names | {ast.unparse(node.test) for node in code.asserts}


def _ends(branch: ast.If, code: Code) -> bool:
    exits = code.mentions("exit")
    return any(isinstance(step, ast.Raise) or (exits and _is_exit(step)) for step in branch.body)


def _is_exit(step: ast.stmt) -> bool:
    return isinstance(step, ast.Expr) and "exit(" in ast.unparse(step)


def _add_flask_ways(index: Index, codes: list[Code], found: dict[str, _Found]) -> None:
    """`from_envvar` and `from_prefixed_env`."""
    for code in codes:
        for call in code.calls_of("from_envvar", "from_prefixed_env"):
            method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if method == "from_envvar":
                name = constant_text(argument(call, 0, "variable_name"))
                silent = argument(call, 1, "silent")
                if name:
                    optional = isinstance(silent, ast.Constant) and bool(silent.value)
                    required = not optional and not _is_guarded(code, call, name)
                    _add(found, name, code.place(call), required=required)
            if method == "from_prefixed_env":
                prefix = constant_text(argument(call, 0, "prefix")) or "FLASK"
                _add_prefixed(index, codes, found, code.place(call), prefix)


def _add_prefixed(index: Index, codes: list[Code], found: dict[str, _Found], place: Place, prefix: str) -> None:
    """Settings that the code reads and nothing sets: with a prefix they come from the environment."""
    paths = {code.path for code in codes}
    given = {setting.key for setting in settings_of(index) if setting.code.path in paths}
    wanted = {"SECRET_KEY": place}
    for code in codes:
        for node in code.subscripts:
            match node:
                case ast.Subscript(
                    value=ast.Attribute(attr="config"), slice=ast.Constant(value=str(key)), ctx=ast.Load()
                ):
                    wanted.setdefault(key, code.place(node))
    for key, where in wanted.items():
        if key not in given and key not in {"DEBUG", "TESTING", "MAX_CONTENT_LENGTH"}:
            _add(found, f"{prefix}_{key}", where, required=True)


def _needed_by_settings(index: Index, app: AppFact, codes: list[Code], known: set[str]) -> Iterator[str]:
    """Variables that feed the main database or the secret key, with nothing to fall back on."""
    evaluator = evaluator_of(index)
    for setting in _production_settings(index, codes, "SECRET_KEY"):
        value = evaluator.value(setting.node, setting.code)
        if value.variables and not value.texts:
            yield from value.variables[:1]
    for address in addresses(index, app):
        unused = address.library == "sqlalchemy" and bool(known) and not known & _ORMS
        if address.name == "main" and address.value.variables and not address.value.texts and not unused:
            yield from address.value.variables[:1]


def _production_settings(index: Index, codes: list[Code], key: str) -> list[Setting]:
    paths = {code.path for code in codes}
    return in_production([s for s in settings_of(index) if s.key == key and s.code.path in paths])


def _secret_by_use(index: Index, codes: list[Code]) -> set[str]:
    """Variables that end up in settings which are secrets, whatever the variable is called."""
    evaluator: Evaluator = evaluator_of(index)
    paths = {code.path for code in codes}
    names: set[str] = set()
    for setting in settings_of(index):
        if setting.code.path in paths and SECRET.search(setting.key) and not _is_number(setting.node):
            names.update(evaluator.value(setting.node, setting.code).variables)
    for code in codes:
        for call in code.calls if code.mentions(*_SECRET_KEYWORDS) else ():
            for name in _SECRET_KEYWORDS:
                value = keyword(call, name)
                if value is not None:
                    names.update(evaluator.value(value, code).variables)
    return names


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, str)
