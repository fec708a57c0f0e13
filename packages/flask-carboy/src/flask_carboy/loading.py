"""From a reference such as `shop:create_app('production')` to the object it names."""

import ast
import importlib
import inspect
import traceback
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from flask_carboy.errors import StartFault, say
from flask_carboy.no_second_server import no_second_server


class Reference(NamedTuple):
    """A parsed reference; `arguments` is None where the attribute is the app itself."""

    module: str
    attributes: Tuple[str, ...]
    arguments: Optional[Tuple[Sequence[Any], Dict[str, Any]]]


def parse(text: str) -> Reference:
    """Parse `module:attribute`, `module:factory()` or `module:factory('argument', debug=False)`."""
    module, colon, expression = text.partition(":")
    if not colon or not all(part.isidentifier() for part in module.split(".")):
        raise StartFault(f"the app's reference is not of the form module:attribute: {text!r}")
    try:
        node = ast.parse(expression.strip(), mode="eval").body
        if isinstance(node, ast.Call):
            return Reference(module, _attributes(node.func), _literals(node))
        return Reference(module, _attributes(node), None)
    except (SyntaxError, ValueError):
        raise StartFault(
            f"the app's reference cannot be used: {text!r}; a factory's arguments must be plain values"
        ) from None


def _attributes(node: ast.expr) -> Tuple[str, ...]:
    found: List[str] = []
    while isinstance(node, ast.Attribute):
        found.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise ValueError  # noqa: TRY004 - the caller's one word for a reference that cannot be used
    return (node.id, *reversed(found))


def _literals(call: ast.Call) -> Tuple[Sequence[Any], Dict[str, Any]]:
    named = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise ValueError
        named[keyword.arg] = ast.literal_eval(keyword.value)
    return [ast.literal_eval(argument) for argument in call.args], named


def load(text: str, interface: str) -> Any:
    """Import what `text` names and return the app; a fault is told in one line and raised as StartFault.

    SystemExit becomes StartFault too: servers respawn a worker that exits for ever, and stop at an exception.
    """
    reference = parse(text)
    try:
        with no_second_server():
            found = _resolve(reference)
    except StartFault as fault:
        say(f"cannot start {text}: {fault}")
        raise
    except (Exception, SystemExit) as error:
        last = traceback.format_exception_only(type(error), error)[-1].strip()
        say(f"cannot import {text}: {last}")
        raise StartFault(f"cannot import {text}: {last}") from error
    _must_speak(found, interface, text)
    return found


def _resolve(reference: Reference) -> Any:
    found: Any = importlib.import_module(reference.module)
    path = reference.module
    for attribute in reference.attributes:
        try:
            found = getattr(found, attribute)
        except AttributeError:
            raise StartFault(f"{path} has no attribute {attribute!r}") from None
        path += "." + attribute
    if reference.arguments is not None:
        positional, named = reference.arguments
        found = found(*positional, **named)
        if found is None:
            raise StartFault(f"{path}() returned nothing")
    return found


def _must_speak(found: Any, interface: str, text: str) -> None:
    wanted = (None,) * (3 if interface == "asgi" else 2)
    if not callable(found):
        fault = f"{text} is no {interface.upper()} app but of type {type(found).__name__}"
    elif _accepts(found, wanted):
        return
    elif _accepts(found, ()):
        fault = f"{text} is a factory: write {text}()"
    else:
        fault = f"{text} cannot be called as {interface.upper()} apps are"
    say(fault)
    raise StartFault(fault)


def _accepts(found: Any, arguments: Tuple[None, ...]) -> bool:
    try:
        inspect.signature(found).bind(*arguments)
    except ValueError:
        return True  # no signature to be had, as of compiled callables
    except TypeError:
        return False
    return True
