"""Build steps of the front end."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from carboy.inspection.code import is_decoy
from carboy.inspection.documents import json_of
from carboy.inspection.gitignore import ignored_by
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.inspection.static import find_static
from carboy.model.facts import AppFact, BuildFact, DependenciesFact, Place

_LOCKS = (
    ("pnpm-lock.yaml", "pnpm install --frozen-lockfile", "pnpm run"),
    ("yarn.lock", "yarn install --frozen-lockfile", "yarn run"),
    ("bun.lockb", "bun install --frozen-lockfile", "bun run"),
    ("bun.lock", "bun install --frozen-lockfile", "bun run"),
    ("package-lock.json", "npm ci", "npm run"),
    ("npm-shrinkwrap.json", "npm ci", "npm run"),
)
_SCRIPTS = (
    "build:prod", "build:production", "build", "prod", "production", "build:css", "css:build", "build-css", "compile",
    "webpack", "dist", "assets", "css", "build:js", "build:assets", "tailwind:build", "bundle",
)  # fmt: skip
_CONFIGS = (
    "vite.config.js", "vite.config.ts", "webpack.config.js", "webpack.prod.js", "rollup.config.js", "vue.config.js",
)  # fmt: skip
_BUILDERS = re.compile(
    r"\b(webpack|vite|rollup|esbuild|parcel|gulp|grunt|tailwindcss|tailwind|sass|node-sass|postcss|react-scripts|vue-cli-service|"
    r"browserify|lessc|tsc|ng build|encore|mix|swc|babel|laravel-mix|svelte-kit|next build|snowpack|rspack)\b"
)
_OUTPUT = re.compile(
    r"(?:--output(?:-path)?|-o|--outDir|--outfile|--outdir|--dist-dir|-d)[= ]+[\"']?([\w./@-]+)|:([\w./-]+\.css)\b"
)
_CONFIGURED = re.compile(
    r"(?:outDir|outdir|path|assetsDir|outputDir|dest|outfile|outputPath|buildDirectory)\s*[:=]\s*([^,\n}]+)"
)


def find_build(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[BuildFact, ...]:
    """The steps whose results the app serves and git does not hold."""
    found = [fact for path in index.named("package.json") for fact in _package(index, path, dependencies, app)]
    return (*found, *_assets(index, dependencies, app))


def _package(index: Index, path: str, dependencies: DependenciesFact, app: AppFact) -> Iterator[BuildFact]:
    folder = posixpath.dirname(path)
    if is_decoy(path) or path.count("/") > 3:
        return
    data = _json(index, path)
    scripts = {name: text for name, text in _table(data, "scripts").items() if isinstance(text, str)}
    script = next((name for name in _SCRIPTS if name in scripts and _builds(scripts[name], scripts)), None)
    if script is None or not _is_needed(index, folder, scripts[script], dependencies, app):
        return
    install, run = next(((i, r) for lock, i, r in _LOCKS if _near(index, folder, lock)), ("npm install", "npm run"))
    lines = index.lines(path)
    line = next((n for n, text in enumerate(lines, 1) if re.search(rf'"{re.escape(script)}"\s*:', text)), None)
    yield BuildFact(install, folder, (Place(path),))
    yield BuildFact(f"{run} {script}", folder, (Place(path, line),))


def _near(index: Index, folder: str, name: str) -> bool:
    return index.has(f"{folder}/{name}" if folder else name)


def _json(index: Index, path: str) -> dict[str, Any]:
    data = json_of(index.text(path) or "{}")
    return data if isinstance(data, dict) else {}


def _table(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _builds(text: str, scripts: Mapping[str, str]) -> bool:
    """Whether a script builds something: by its program, or by another script that it runs."""
    if _BUILDERS.search(text) and "--watch" not in text and "serve" not in text.split():
        return True
    called = re.findall(r"(?:npm run|yarn(?: run)?|pnpm(?: run)?|run-[sp])\s+([\w:*-]+)", text)
    return any(_BUILDERS.search(scripts.get(name, "")) for name in called) or bool(
        re.search(r"\bnode\s+\S*build", text)
    )


def _is_needed(index: Index, folder: str, script: str, dependencies: DependenciesFact, app: AppFact) -> bool:
    """Whether the result is missing from git, and the app uses it or nothing tells where it goes."""
    outputs = list(_outputs(index, folder, script))
    known = [path for path in outputs if path not in {"", "."}]
    if any(ignored_by(index, path + "/") or ignored_by(index, f"{path}/x.css") for path in known):
        return True
    if known:
        return not any(_holds(index, path) for path in known)
    return _used_by_app(index, folder, dependencies, app)


def _holds(index: Index, path: str) -> bool:
    """Whether the checkout has the file, or a folder with something that a browser asks for."""
    inside = (file for file in index.files if file.startswith(path + "/"))
    return index.has(path) or any(file.endswith((".css", ".js", ".mjs", ".html")) for file in inside)


def _outputs(index: Index, folder: str, script: str) -> Iterator[str]:
    """Where the build writes: from the script's options, its configuration, and what its tools do by default."""
    for match in _OUTPUT.finditer(script):
        yield _joined(folder, match[1] or match[2])
    for match in re.finditer(r"\bsass\b.*?\s[\w./-]+:([\w./-]+)", script):
        yield _joined(folder, match[1])
    for name in _CONFIGS:
        text = index.text(_joined(folder, name)) or ""
        for match in _CONFIGURED.finditer(text):
            parts = [part for part in re.findall(r"[\"'`]([^\"'`]+)[\"'`]", match[1]) if not part.startswith("[")]
            if parts:
                yield _joined(folder, "/".join(part.strip("/") for part in parts))
    if re.search(r"react-scripts|svelte-kit", script):
        yield _joined(folder, "build")
    if re.search(r"vite build|vue-cli-service|parcel build|ng build", script) and not _configured(index, folder):
        yield _joined(folder, "dist")


def _configured(index: Index, folder: str) -> bool:
    names = ("vite.config.js", "vite.config.ts", "vue.config.js")
    texts = [index.text(_joined(folder, name)) or "" for name in names]
    return any("outDir" in text or "outputDir" in text for text in texts)


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path)).removeprefix("../").lstrip("/")


def _used_by_app(index: Index, folder: str, dependencies: DependenciesFact, app: AppFact) -> bool:
    """Whether the app serves something from below the package's folder, or templates name a missing bundle."""
    served = [fact.folder for fact in find_static(index, dependencies, app)]
    if folder and any(each.startswith(folder + "/") for each in served):
        return True
    if any(folder and f"{folder}/" in (index.text(code.path) or "") for code in production_codes(index, app)):
        return True
    return any(
        _missing_bundle(index, path, served) for path in index.files if path.endswith((".html", ".jinja2", ".j2"))
    )


def _missing_bundle(index: Index, path: str, served: list[str]) -> bool:
    names = re.findall(r"filename\s*=\s*[\"']([\w./-]+\.(?:js|css))[\"']", index.text(path) or "")
    return any(not any(index.has(f"{folder}/{name}") for folder in served) for name in names) if served else False


def _assets(index: Index, dependencies: DependenciesFact, app: AppFact) -> Iterator[BuildFact]:
    """Flask-Assets builds its bundles ahead of time."""
    declared = {requirement.name for requirement in dependencies.requirements}
    if "flask-assets" not in declared:
        return
    for code in production_codes(index, app):
        for call in code.calls:
            if code.dotted(call.func) == "flask_assets.Bundle":
                yield BuildFact("flask assets build", app.folder, (code.place(call),))
                return
