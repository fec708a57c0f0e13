"""Poetry's own way to write a dependency, said in the words that every installer knows."""

import re
from collections.abc import Iterator
from typing import Any

Table = dict[str, Any]


def requirement_lines(name: str, value: Any) -> Iterator[str]:
    """The requirement lines of one entry of `[tool.poetry.dependencies]`; optional ones give none."""
    for entry in value if isinstance(value, list) else [value]:
        table: Table = entry if isinstance(entry, dict) else {"version": str(entry)}
        if table.get("optional"):
            continue
        yield _line(name, table)


def _line(name: str, table: Table) -> str:
    extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
    marker = _marker(table)
    if "git" in table:
        reference = table.get("rev") or table.get("tag") or table.get("branch")
        address = f"{_git(str(table['git']))}{f'@{reference}' if reference else ''}"
        below = f"#subdirectory={table['subdirectory']}" if table.get("subdirectory") else ""
        return f"{name}{extras} @ {address}{below}{marker}"
    if "url" in table:
        return f"{name}{extras} @ {table['url']}{marker}"
    if "path" in table:
        return str(table["path"]) if str(table["path"]).startswith((".", "/")) else f"./{table['path']}"
    return f"{name}{extras}{specifier(str(table.get('version', '*')))}{marker}"


def _git(address: str) -> str:
    if match := re.match(r"^git@([^:]+):(.+)$", address):
        return f"git+ssh://git@{match[1]}/{match[2]}"
    return address if address.startswith("git+") else f"git+{address}"


def _marker(table: Table) -> str:
    parts = []
    if table.get("markers"):
        parts.append(f"({table['markers']})")
    if table.get("platform"):
        parts.append(f"sys_platform == '{table['platform']}'")
    if table.get("python"):
        parts += _python_marker(str(table["python"]))
    return f" ; {' and '.join(parts)}" if parts else ""


def _python_marker(constraint: str) -> Iterator[str]:
    for part in specifier(constraint).split(","):
        if match := re.match(r"^(>=|<=|==|!=|~=|<|>)\s*([\d.]+)(\.\*)?$", part.strip()):
            version = match[2] if match[2].count(".") else f"{match[2]}.0"
            name = "python_version" if version.count(".") == 1 else "python_full_version"
            yield f"{name} {match[1]} '{version}{match[3] or ''}'"


def specifier(constraint: str) -> str:
    """`^1.2` as `>=1.2,<2`; alternatives (`||`) cannot be said in one specifier and give none."""
    if "||" in constraint or " | " in constraint:
        return ""
    parts = [part.strip() for part in re.split(r",|(?<=[\d*])\s+(?=[<>=!~^])", constraint)]
    return ",".join(said for part in parts if (said := _one(part)))


def _one(part: str) -> str:
    if part in ("", "*"):
        return ""
    if part.startswith("^"):
        return _up_to(part[1:].strip(), _caret_position)
    if part.startswith("~") and not part.startswith("~="):
        return _up_to(part[1:].strip(), lambda numbers: min(1, len(numbers) - 1))
    if re.match(r"^\d", part):
        return f"=={part}"
    if re.match(r"^=\s*\d", part):
        return f"={part.replace(' ', '')}"
    return part.replace(" ", "")


def _up_to(version: str, position: Any) -> str:
    numbers = [int(number) for number in re.findall(r"\d+", version.split("-")[0])[:3]] or [0]
    at = position(numbers)
    upper = [*numbers[:at], numbers[at] + 1]
    return f">={version},<{'.'.join(map(str, upper))}"


def _caret_position(numbers: list[int]) -> int:
    """The first number that is not zero: what must not change."""
    return next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
