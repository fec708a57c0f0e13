"""What a factory must be called with to give production's app."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from carboy.inspection.code import Function, constant_text, is_decoy, tier_of
from carboy.inspection.index import Index
from carboy.inspection.roots import folder_of, join, normalise, roots_of
from carboy.inspection.scopes import Imported
from carboy.inspection.symbols import Frame, Symbols, symbols_of
from carboy.inspection.values import External, ModuleValue, Project
from carboy.model.facts import Place

_ORDER = {"production": 0, "base": 1, "staging": 2, "development": 3, "testing": 4}
_FILE_READERS = {"from_pyfile", "from_json", "from_file", "open", "load", "load_config", "read"}
_SELECTORS = re.compile(r"conf|env|mode|setting|profile|stage|tier|flavo|object|class|name", re.IGNORECASE)


@dataclass(frozen=True)
class Arguments:
    """`text` stands between the parentheses; None where no literal can be given for the parameter `missing`.

    `sure` is False for a guess. `development` is where the default is a development configuration.
    """

    text: str | None
    sure: bool = True
    reason: str = ""
    missing: str = ""
    evidence: tuple[Place, ...] = ()
    development: Place | None = None


@dataclass(frozen=True)
class Choice:
    """One value that a parameter may be given: a text, the tier it speaks of, and where it is named."""

    text: str
    tier: str
    place: Place
    sure: bool = True


def choose_arguments(index: Index, factory: Project, calls: list[tuple[ast.Call, str]]) -> Arguments:
    """The literal arguments for production, from what the factory does with them and how the project calls it."""
    if isinstance(factory.node, ast.ClassDef):
        return Arguments("")
    reader = _Reader(index, factory, factory.node, calls)
    required, optional = _parameters(factory.node)
    texts: list[str] = []
    evidence: list[Place] = []
    sure, reason = True, ""
    for number, name in enumerate(required):
        choice = reader.choose(name, number)
        if choice is None:
            return Arguments(None, sure=False, missing=name, reason=f"needs a value for {name!r}")
        texts.append(repr(choice.text))
        evidence.append(choice.place)
        sure = sure and choice.sure
        reason = f"{choice.text!r} for {name!r}"
    keyword_only = [each.arg for each, value in _keyword_only(factory.node) if value is None]
    if keyword_only:
        return Arguments(None, sure=False, missing=keyword_only[0], reason=f"needs a value for {keyword_only[0]!r}")
    for name, default in optional:
        override = _override(reader, name, default)
        if override:
            texts.append(repr(override.text) if not texts and optional[0][0] == name else f"{name}={override.text!r}")
            place = Place(factory.file, default.lineno)
            return Arguments(", ".join(texts), sure, f"{override.text!r} for {name!r}", "", (override.place,), place)
        if _default_tier(default) == "development":
            place = Place(factory.file, default.lineno)
            return Arguments(", ".join(texts), sure, reason, "", tuple(evidence), place)
    return Arguments(", ".join(texts), sure, reason, "", tuple(evidence))


def _override(reader: "_Reader", name: str, default: ast.expr) -> Choice | None:
    """Production's value for an optional selector whose literal default speaks of development or tests."""
    if not _SELECTORS.search(name) or _default_tier(default) not in {"development", "testing"}:
        return None
    choice = reader.from_use(name)
    return choice if choice and choice.tier == "production" else None


def _default_tier(default: ast.expr) -> str:
    text = constant_text(default)
    if text is not None:
        return tier_of(text)
    if isinstance(default, ast.Name | ast.Attribute):
        return tier_of(ast.unparse(default).rsplit(".", 1)[-1])
    if isinstance(default, ast.Subscript) and (text := constant_text(default.slice)):
        return tier_of(text)
    return "base"


def _parameters(node: Function) -> tuple[list[str], list[tuple[str, ast.expr]]]:
    """Names that must be given, and optional ones with their defaults."""
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    defaults = node.args.defaults
    cut = len(names) - len(defaults)
    pairs = list(zip(names[cut:], defaults, strict=True))
    pairs += [(each.arg, value) for each, value in _keyword_only(node) if value is not None]
    return names[:cut], pairs


def _keyword_only(node: Function) -> list[tuple[ast.arg, ast.expr | None]]:
    return list(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))


class _Reader:
    """Looks at one factory's body and at the calls of it."""

    def __init__(self, index: Index, factory: Project, node: Function, calls: list[tuple[ast.Call, str]]) -> None:
        self.index = index
        self.symbols: Symbols = symbols_of(index)
        self.file = factory.file
        self.node = node
        self.calls = calls
        self.frame = self.symbols.frame_of(factory, {})

    def choose(self, name: str, position: int) -> Choice | None:
        called = self.from_calls(name, position)
        used = self.from_use(name)
        if used and (used.tier == "production" or called is None):
            return used
        if called and used and called.tier == "base" and used.tier != "base":
            return called
        if called or used:
            return called or used
        if re.search(r"conf|env|mode", name) and not self._needs_object(name):
            return Choice("production", "production", Place(self.file, self.node.lineno), sure=False)
        return None

    def _needs_object(self, name: str) -> bool:
        """Whether the body reads attributes of the parameter: a text would not do."""
        return any(
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == name
            and node.attr not in {"lower", "upper", "capitalize", "title", "strip", "format"}
            for node in ast.walk(self.node)
        )  # fmt: skip  (reads better as one condition)

    # --------------------------------------------------------- how it is called

    def from_calls(self, name: str, position: int) -> Choice | None:
        """The best value among the project's own calls, those of tests last."""
        found = []
        for call, file in self.calls:
            if is_decoy(file):
                continue
            value = next((each.value for each in call.keywords if each.arg == name), None)
            if value is None and position < len(call.args):
                value = call.args[position]
            for text in _texts_of(value):
                found.append(Choice(text, tier_of(text), Place(file, call.lineno)))
        return _best(found)

    # ------------------------------------------------------- what it is used for

    def from_use(self, name: str) -> Choice | None:
        """The best value by what the body does with the parameter."""
        names = self._aliases(name)
        for node in ast.walk(self.node):
            choices: list[Choice] = []
            if isinstance(node, ast.Subscript) and _is_one_of(node.slice, names):
                choices = list(self._keys(node.value))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                choices = list(self._call_choices(node, names))
            best = _best(choices)
            if best:
                return best
        return None

    def _aliases(self, name: str) -> set[str]:
        """The parameter, and local names made of it."""
        names = {name}
        for node in ast.walk(self.node):
            if isinstance(node, ast.Assign) and any(_is_one_of(each, names) for each in ast.walk(node.value)):
                names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        return names

    def _call_choices(self, node: ast.Call, names: set[str]) -> Iterator[Choice]:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0] if node.args else None
        if called == "get" and isinstance(node.func, ast.Attribute) and _is_one_of(first, names):
            yield from self._keys(node.func.value)
        elif called == "getattr" and len(node.args) > 1 and _is_one_of(node.args[1], names):
            yield from self._classes_of(node.args[0])
        elif called == "from_object" and first is not None:
            yield from self._object_choices(first, names)
        elif called in _FILE_READERS and _is_one_of(first, names):
            yield from self._files(node)
        elif any(_is_one_of(each, names) for each in node.args):
            yield from self._handed_on(node, names)

    def _handed_on(self, node: ast.Call, names: set[str]) -> Iterator[Choice]:
        """The parameter is given to another function of the project, which uses it."""
        callee = self.symbols.evaluate(node.func, self.frame)
        if not isinstance(callee, Project) or isinstance(callee.node, ast.ClassDef) or callee.node is self.node:
            return
        position = next(number for number, each in enumerate(node.args) if _is_one_of(each, names))
        parameters, optional = _parameters(callee.node)
        every = [*parameters, *(each for each, _ in optional)]
        if position < len(every) and self.frame.depth < 4:
            inner = _Reader(self.index, callee, callee.node, [])
            inner.frame = Frame(callee.file, inner.frame.function, {}, self.frame.depth + 1)
            choice = inner.from_use(every[position])
            yield from ([choice] if choice else [])

    def _keys(self, node: ast.expr) -> Iterator[Choice]:
        """The text keys of the mapping that an expression names."""
        found = find_literal(self.symbols, node, self.frame)
        if found is None or not isinstance(found[0], ast.Dict):
            return
        for key, value in zip(found[0].keys, found[0].values, strict=True):
            text = constant_text(key)
            if text is not None:
                named = ast.unparse(value).rsplit(".", 1)[-1]
                tier = tier_of(text) if tier_of(text) != "base" else tier_of(named)
                yield Choice(text, tier, Place(found[1], value.lineno))

    def _object_choices(self, first: ast.expr, names: set[str]) -> Iterator[Choice]:
        if _is_one_of(first, names):
            yield from self._config_objects()
            return
        pattern = _template(first)
        if pattern is None:
            return
        for choice in self._config_objects():
            match = pattern.fullmatch(choice.text)
            if match:
                text = match["part"]
                lowered = text.lower() if "capitalize" in ast.unparse(first) or "title" in ast.unparse(first) else text
                yield Choice(lowered, choice.tier, choice.place)

    def _config_objects(self) -> Iterator[Choice]:
        """Importable names of the project's configuration classes and modules."""
        roots = roots_of(self.index)
        root = roots.root_of(self.file)
        for module in self.index.modules():
            speaks = re.search(r"conf|setting", module.path.lower()) or module.path == self.file
            if is_decoy(module.path) or not module.tree or not speaks or not module.path.startswith(root):
                continue
            name = roots.module_name(module.path, root)
            for statement in module.tree.body:
                if isinstance(statement, ast.ClassDef):
                    yield Choice(
                        f"{name}.{statement.name}", tier_of(statement.name), Place(module.path, statement.lineno)
                    )
            if not any(isinstance(each, ast.ClassDef) for each in module.tree.body) and module.path != self.file:
                yield Choice(name, tier_of(name.rsplit(".", 1)[-1]), Place(module.path, 1), sure=False)

    def _classes_of(self, node: ast.expr) -> Iterator[Choice]:
        value = self.symbols.evaluate(node, self.frame)
        module = self.index.module(value.file) if isinstance(value, ModuleValue) and value.file else None
        for statement in module.tree.body if module and module.tree else ():
            if isinstance(statement, ast.ClassDef):
                yield Choice(
                    statement.name, tier_of(statement.name), Place(module.path if module else "", statement.lineno)
                )

    def _files(self, node: ast.Call) -> Iterator[Choice]:
        """Configuration files near the factory, named as the call would find them."""
        home = folder_of(self.file)
        for file in self.index.files:
            stem = file.rsplit("/", 1)[-1]
            near = folder_of(file) in {home, folder_of(home)} and not is_decoy(file)
            if near and re.search(r"(conf|setting).*\.(py|cfg|toml|json|ini|ya?ml)$", stem.lower()):
                text = stem if folder_of(file) == home else f"../{stem}"
                yield Choice(text, tier_of(stem.rsplit(".", 1)[0]), Place(file, None), sure=False)


def find_literal(symbols: Symbols, node: ast.expr, frame: Frame, depth: int = 0) -> tuple[ast.expr, str] | None:
    """The literal that a name stands for and the file it is written in, imports followed."""
    if isinstance(node, ast.Dict | ast.List | ast.Constant):
        return node, frame.file
    if depth > 6:
        return None
    if isinstance(node, ast.Attribute):
        holder = symbols.evaluate(node.value, frame)
        if isinstance(holder, ModuleValue) and holder.file:
            return find_literal(symbols, ast.Name(node.attr), Frame(holder.file), depth + 1)
        return None
    if not isinstance(node, ast.Name):
        return None
    scopes = [frame.function] if frame.function else []
    for scope in [*scopes, symbols.scope_of(frame.file)]:
        for binding in reversed(scope.names.get(node.id, ())):
            if isinstance(binding.value, Imported) and binding.value.name:
                file = symbols.roots.file_of(frame.file, binding.value)
                return find_literal(symbols, ast.Name(binding.value.name), Frame(file), depth + 1) if file else None
            if isinstance(binding.value, ast.expr):
                return find_literal(symbols, binding.value, frame, depth + 1)
    return None


def _texts_of(value: ast.expr | None) -> Iterator[str]:
    """The texts that an argument can be: itself, or the fallback of a variable."""
    if value is None:
        return
    text = constant_text(value)
    if text is not None:
        yield text
    elif isinstance(value, ast.BoolOp):
        yield from (each for part in value.values for each in _texts_of(part))
    elif isinstance(value, ast.IfExp):
        yield from (each for part in (value.body, value.orelse) for each in _texts_of(part))
    elif isinstance(value, ast.Call) and len(value.args) == 2 and "env" in ast.unparse(value.func):
        yield from _texts_of(value.args[1])


def _best(choices: list[Choice]) -> Choice | None:
    return min(choices, key=lambda each: (_ORDER.get(each.tier, 5), each.text != "default"), default=None)


def _is_one_of(node: ast.AST | None, names: set[str]) -> bool:
    """A plain name of the set, or a method such as `.lower()` of one."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        node = node.func.value
    if isinstance(node, ast.BoolOp):
        return any(_is_one_of(part, names) for part in node.values)
    return isinstance(node, ast.Name) and node.id in names


def _template(node: ast.expr) -> re.Pattern[str] | None:
    """The pattern that a built text follows: f"config.{name}", "config.%sConfig" % name, "config." + name."""
    if isinstance(node, ast.JoinedStr):
        return _pattern([constant_text(part) for part in node.values])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and (text := constant_text(node.left)):
        before, _, after = text.partition("%s")
        return _pattern([before, None, after]) if "%s" in text else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _pattern([constant_text(part) for part in _added(node)])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        before, _, after = (constant_text(node.func.value) or "").partition("{")
        return _pattern([before, None, after.partition("}")[2]])
    return None


def _added(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_added(node.left), *_added(node.right)]
    return [node]


def _pattern(parts: list[str | None]) -> re.Pattern[str] | None:
    if sum(part is None for part in parts) != 1:
        return None
    return re.compile("".join(r"(?P<part>\w+)" if part is None else re.escape(part) for part in parts))


def resolve_config_file(index: Index, near: str, text: str) -> str | None:
    """The project's file that `from_pyfile(text)` in an app made in `near` opens."""
    path = normalise(join(folder_of(near), text))
    return path if path and index.has(path) else None


def environment_default(node: ast.expr, symbols: Symbols, frame: Frame) -> tuple[str, str] | None:
    """(variable, default) where an expression reads a selector from the environment with a literal default."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and each.args and (name := constant_text(each.args[0])):
            callee = symbols.evaluate(each.func, frame)
            if isinstance(callee, External) and callee.name in {"os.environ.get", "os.getenv"}:
                given = constant_text(each.args[1]) if len(each.args) > 1 else None
                others = [text for text in _texts_of(node) if text != name]
                return name, given or (others[0] if others else "")
    return None
