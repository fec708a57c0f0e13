"""The project's own command, for one that has nothing to import: its routes or its app are made on the way."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from carboy.inspection.candidates import Found
from carboy.inspection.code import is_decoy
from carboy.inspection.console_scripts import Script, scripts_of
from carboy.inspection.hints import hints_of
from carboy.inspection.index import Index, Module
from carboy.inspection.launch_files import lines_of
from carboy.inspection.roots import folder_of, roots_of
from carboy.inspection.routes import outer_nodes, routes_of
from carboy.inspection.runs import Run, runs_of
from carboy.inspection.settings import settings_of
from carboy.inspection.symbols import Frame, symbols_of
from carboy.inspection.values import App, Project
from carboy.model.facts import Evidence, Place

_VERBS = ("serve", "server", "run", "runserver", "start", "web")


@dataclass(frozen=True)
class OwnCommand:
    """`command` is run in `folder`; `run` is where the server then starts."""

    command: str
    folder: str
    run: Run
    reason: str
    evidence: Evidence


def find_own_command(index: Index, identity: tuple[str, int] | None = None) -> OwnCommand | None:
    """The command that starts a server of the project's own making, of the app `identity` where one is given."""
    runs = [run for run in runs_of(index) if not is_decoy(run.place.file) and (run.app or run.library != "flask")]
    if identity is not None:
        runs = [run for run in runs if run.app and run.app.identity == identity]
    runs.sort(key=lambda run: (run.app is None, run.place.file.count("/"), run.place.file))
    written = [command for run in runs if (command := _written(index, run))]
    if written:
        return written[0]
    return next((command for run in runs if (command := _derived(index, run))), None)


def completed_by_main(index: Index, best: Found) -> bool:
    """Whether only the way to a server makes the app whole: it attaches the routes, or the Socket.IO server."""
    identity = best.app.identity
    sockets = any(each.library.startswith(_SOCKETS) for each in best.attached)
    for run in runs_of(index):
        if run.app is None or run.app.identity != identity or is_decoy(run.place.file):
            continue
        if run.function is not None:
            late = routes_of(index).of_function(Project(run.place.file, run.function), run.app, run.given)
            if any(not best.routes or (each.library.startswith(_SOCKETS) and not sockets) for each in late):
                return True
        elif run.where == "main" and not best.routes and _main_attaches(index, run, run.app):
            return True
    return False


_SOCKETS = ("flask_socketio.", "flask_sock.")


def prepared_by_main(index: Index, best: Found) -> Place | None:
    """Where the way to a server sets module variables, or settings that views read, that an import leaves empty."""
    for run in runs_of(index):
        if run.app is None or run.app.identity != best.app.identity or run.function is None or is_decoy(run.place.file):
            continue
        module = index.module(run.place.file)
        nodes = list(_with_callees(module.tree, run.function)) if module and module.tree else []
        late = [node for node in nodes if isinstance(node, ast.Global)] + list(_late_settings(index, module, nodes))
        if late:
            return Place(run.place.file, late[0].lineno)
    return None


def _late_settings(index: Index, module: Module | None, nodes: list[ast.AST]) -> Iterator[ast.Subscript]:
    """`app.config["KEY"] = ...` among the nodes, where other code of the file takes KEY and nothing else sets it."""
    settings = [(key, each) for each in (module.of(ast.Subscript) if module else ()) if (key := _config_key(each))]
    inside = {id(node) for node in nodes}
    late = [(key, each) for key, each in settings if isinstance(each.ctx, ast.Store) and id(each) in inside]
    taken = {key for key, each in settings if isinstance(each.ctx, ast.Load) and id(each) not in inside}
    places = {(module.path, each.lineno) for _, each in late} if module else set()
    early = {each.key for each in settings_of(index) if (each.code.path, each.node.lineno) not in places}
    yield from (each for key, each in late if key in taken - early)


def _config_key(node: ast.Subscript) -> str | None:
    is_config = isinstance(node.value, ast.Attribute) and node.value.attr == "config"
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    return key if is_config and isinstance(key, str) else None


def _with_callees(tree: ast.Module, function: ast.AST, depth: int = 0) -> Iterator[ast.AST]:
    """The nodes of a function and of the functions of its module that it calls."""
    functions = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
    for node in ast.walk(function):
        yield node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and depth < 3:
            callee = functions.get(node.func.id)
            if callee is not None and callee is not function:
                yield from _with_callees(tree, callee, depth + 1)


def _main_attaches(index: Index, run: Run, app: App) -> bool:
    module = index.module(run.place.file)
    tree = module.tree if module else None
    outer = {id(node) for node in outer_nodes(tree.body)} if tree else set()
    guarded = [
        node
        for statement in (tree.body if tree else ())
        if isinstance(statement, ast.If)
        for node in ast.walk(statement)
        if id(node) not in outer
    ]
    return routes_of(index).attaches(guarded, Frame(run.place.file), app)


def _written(index: Index, run: Run) -> OwnCommand | None:
    """A line of a launch file that leads to this run."""
    for hint in hints_of(index):
        if hint.server == "python" and hint.file is not None and run.place.file in _led_to(index, hint.file):
            text = next(
                line.text for line in lines_of(index) if (line.file, line.number) == (hint.place.file, hint.place.line)
            )
            command = text if text.startswith("python") else f"python {hint.target}"
            reason = f"{hint.place.file}:{hint.place.line} starts it so"
            return OwnCommand(_plain(command), hint.folder, run, reason, (hint.place, run.place))
    for script in scripts_of(index):
        if run.place.file not in _script_leads(index, script):
            continue
        for line in lines_of(index):
            if re.match(rf"{re.escape(script.name)}(\s|$)", line.text) and _is_plain(line.text):
                place = Place(line.file, line.number)
                return OwnCommand(
                    _plain(line.text),
                    "",
                    run,
                    f"{line.file}:{line.number} starts it so",
                    (place, script.place, run.place),
                )
    return None


def _is_plain(text: str) -> bool:
    """Whether a line is a command to type, and not a synopsis with choices and blanks to fill."""
    return not re.search(r"[<>\[\]|…]|\.\.\.|--help|--version", text)


def _plain(text: str) -> str:
    return re.split(r"\s*(?:&&|\|\||;|#)\s*", text.strip())[0]


def _led_to(index: Index, file: str) -> frozenset[str]:
    return routes_of(index).reach(file)


def _script_leads(index: Index, script: Script) -> frozenset[str]:
    file = _script_file(index, script)
    return _led_to(index, file) if file else frozenset()


def _script_file(index: Index, script: Script) -> str | None:
    module = script.target.partition(":")[0]
    roots = roots_of(index)
    return next((file for base in ("", "src", "lib") if (file := roots.file_at(base, module))), None)


def _derived(index: Index, run: Run) -> OwnCommand | None:
    """A console script, `python -m package` or `python file.py` that leads to this run."""
    for script in scripts_of(index):
        if run.place.file in _script_leads(index, script):
            command = " ".join([script.name, *_subcommand(run)])
            return OwnCommand(
                command, "", run, f"the console script {script.name} starts it", (script.place, run.place)
            )
    roots = roots_of(index)
    for file in index.python_files:
        if file.endswith("__main__.py") and not is_decoy(file) and run.place.file in _led_to(index, file):
            folder, _ = roots.working_folder(file)
            package = roots.module_name(file).removesuffix(".__main__")
            command = " ".join(["python", "-m", package, *_subcommand(run)])
            return OwnCommand(command, folder, run, f"{file} starts it", (Place(file, 1), run.place))
    starts = run.where in {"main", "import"} or _called_in_main(index, run)
    if not starts:
        return None
    return _file_command(index, run)


def _file_command(index: Index, run: Run) -> OwnCommand:
    roots = roots_of(index)
    root = roots.root_of(run.place.file)
    if root == folder_of(run.place.file):
        command = f"python {run.place.file.rsplit('/', 1)[-1]}"
    else:
        command = f"python -m {roots.module_name(run.place.file)}"
    return OwnCommand(command, root, run, "only its main program makes the app whole", (run.place,))


def _subcommand(run: Run) -> list[str]:
    """The name of a click command, where the server starts in one of a group."""
    if run.function is None:
        return []
    for each in run.function.decorator_list:
        func = each.func if isinstance(each, ast.Call) else each
        if isinstance(func, ast.Attribute) and func.attr == "command":
            named = (
                each.args[0].value
                if isinstance(each, ast.Call) and each.args and isinstance(each.args[0], ast.Constant)
                else None
            )
            is_group = not (isinstance(func.value, ast.Name) and func.value.id in {"click", "typer"})
            return [str(named or run.function.name.replace("_", "-"))] if is_group else []
    return []


def _called_in_main(index: Index, run: Run) -> bool:
    """Whether the file's main program calls, directly or by its own functions, the function that runs the server."""
    module = index.module(run.place.file)
    if module is None or module.tree is None or run.function is None:
        return False
    for statement, guard in symbols_of(index).scope_of(run.place.file).statements:
        if guard == "main" and isinstance(statement, ast.stmt):
            names = {
                ast.unparse(node.func).rsplit(".", 1)[-1] for node in ast.walk(statement) if isinstance(node, ast.Call)
            }
            if run.function.name in names or names & _callers(module.tree, run.function.name):
                return True
    return False


def _callers(tree: ast.Module, name: str) -> set[str]:
    return {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(
            isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] == name
            for node in ast.walk(function)
        )
    }
