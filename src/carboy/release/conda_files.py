"""Conda's environment.yml, as requirements for a Python environment: names mapped, system libraries left out."""

import re
from pathlib import Path

from carboy.release.requirement_files import Wanted, read_text

# What conda calls by another name than the package index; None where it is no Python package.
_NAMES: dict[str, str | None] = {
    "pytorch": "torch", "pytables": "tables", "py-opencv": "opencv-python-headless",
    "opencv": "opencv-python-headless", "tensorflow-gpu": "tensorflow",
    "msgpack-python": "msgpack", "psycopg2": "psycopg2-binary", "py-xgboost": "xgboost",
    "matplotlib-base": "matplotlib",
    "python-graphviz": "graphviz", "importlib_metadata": "importlib-metadata", "ruamel_yaml": "ruamel.yaml",
    "python-flask": "flask", "python-levenshtein": "levenshtein",
    "redis-py": "redis", "python": None, "pip": None,
    "wheel": None, "conda": None, "openssl": None, "ca-certificates": None,
    "sqlite": None,
    "zlib": None, "readline": None, "ncurses": None, "tk": None, "xz": None, "bzip2": None, "mkl": None, "blas": None,
    "intel-openmp": None, "vc": None, "vs2015_runtime": None, "icu": None, "jpeg": None, "freetype": None, "qt": None,
    "nodejs": None, "postgresql": None, "redis": None, "git": None, "make": None, "gcc": None, "cudatoolkit": None,
    "ucrt": None, "krb5": None, "yaml": None, "expat": None, "gmp": None, "mpfr": None, "mpc": None, "geos": None,
    "proj": None, "ld_impl_linux-64": None, "python_abi": None, "nomkl": None,
}  # fmt: skip


def read_conda(file: Path) -> Wanted:
    """The Python packages of an environment.yml: conda's own part with its names mapped, and its pip part."""
    text = read_text(file)
    wanted = Wanted(texts=[text])
    conda, pip = _entries(text)
    for entry in conda:
        line = _line(entry)
        if line is None:
            wanted.note(f"{entry} in {file.name} is no Python package and is left out")
        elif line:
            wanted.lines.append(line)
    wanted.lines += pip
    wanted.note(f"{file.name} is installed from the package index, without conda")
    return wanted


def _entries(text: str) -> tuple[list[str], list[str]]:
    """The items of `dependencies:` and those of the `pip:` list in it, by their indentation."""
    conda: list[str] = []
    pip: list[str] = []
    inside, pip_indent = False, None
    for raw in text.splitlines():
        line = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        if re.match(r"^\w", line):
            inside, pip_indent = line.startswith("dependencies:"), None
        match = re.match(r"^(\s*)-\s*(.+)$", line)
        if not inside or not match:
            continue
        indent, item = len(match[1]), match[2].strip().strip("\"'")
        if pip_indent is not None and indent > pip_indent:
            pip.append(item)
        elif item == "pip:":
            pip_indent = indent
        else:
            pip_indent = None
            conda.append(item)
    return conda, pip


def _line(entry: str) -> str | None:
    """One entry as a requirement; "" for Python and its installer, None for what is no Python package."""
    match = re.match(r"^(?:[\w.-]+::)?([\w.-]+)\s*(.*)$", entry)
    if not match:
        return None
    name, spec = match[1].lower(), match[2].strip()
    if name in ("python", "pip", "wheel"):
        return ""
    if name.startswith(("_", "lib")) and name not in ("libsass", "libcst"):
        return None
    mapped = _NAMES.get(name, name)
    return None if mapped is None else f"{mapped}{_spec(spec)}"


def _spec(spec: str) -> str:
    """Conda's `=1.1` is a series, `==1.1` exact, `=1.1=build_0` exact with a build."""
    if match := re.match(r"^=\s*([\w.]+)=[\w.*]+$", spec):
        return f"=={match[1]}"
    if match := re.match(r"^=\s*([\w.]+?)(?:\.\*|\*)?$", spec):
        return f"=={match[1]}.*"
    return spec.replace(" ", "") if re.match(r"^[<>=!~]", spec) and "|" not in spec else ""
