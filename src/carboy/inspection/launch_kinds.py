"""Which files start things: by their names, and how much the word of each counts."""

import re
from fnmatch import translate

_SCRIPTS = (
    "*.sh",
    "*.bash",
    "*entrypoint*",
    "bin/*",
    "*/bin/*",
    "scripts/*",
    "*.bat",
    "*.cmd",
    "*.ps1",
    "run",
    "start",
)
_PLATFORM = (
    "app.json",
    "app.yaml",
    "app.yml",
    "fly.toml",
    "render.yaml",
    "railway.*",
    "nixpacks.toml",
    "apprunner.yaml",
    "serverless.y*ml",
    "zappa_settings.*",
    ".do/*.yaml",
    "koyeb.y*ml",
    "captain-definition",
    "scalingo.json",
    "azure*.y*ml",
    "manifest.y*ml",
    ".ebextensions/*",
    "heroku.yml",
    "dokku*",
    "vercel.json",
    "kamal*",
    "deploy.yml",
    "*.tf",
)  # fmt: skip  (a list reads better packed)
# Kind of file, the patterns of its base name or path, and how much its word counts.
KINDS: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("procfile", ("Procfile", "Procfile.*", "*.procfile"), 100),
    ("dockerfile", ("Dockerfile*", "*.dockerfile", "*.Dockerfile", "Containerfile*"), 95),
    ("systemd", ("*.service", "*.service.*"), 95),
    ("compose", ("docker-compose*.y*ml", "compose*.y*ml", "docker-stack*.y*ml", "stack.y*ml"), 90),
    ("platform", _PLATFORM, 90),
    ("supervisor", ("supervisor*.conf", "*supervisor*.ini", "*.supervisor", "supervisor*/*.conf"), 90),
    ("script", _SCRIPTS, 80),
    ("make", ("Makefile", "makefile", "GNUmakefile", "*.mk", "justfile", "Justfile", "tox.ini"), 55),
    ("tasks", ("package.json", "Taskfile.y*ml", "pyproject.toml", "Vagrantfile", "Pipfile", "mise.toml"), 55),
    ("readme", ("README*", "readme*", "Readme*", "INSTALL*", "CONTRIBUTING*", "DEPLOY*", "deploy*.md"), 35),
    (
        "workflow",
        (".github/workflows/*", ".gitlab-ci.yml", ".travis.yml", ".circleci/*", "bitbucket-pipelines.yml"),
        30,
    ),
    ("readme", ("docs/*.md", "docs/*.rst", "doc/*.md", "*.md", "*.rst"), 20),
)  # fmt: skip  (a table reads better packed)
_NEVER = (".lock", ".csv", ".svg", ".css", ".html", ".js", ".map", ".min.js", ".sql", ".po", ".py", ".ipynb")


def kind_of(file: str) -> tuple[str, int] | None:
    """What kind of launch file this is, by its name alone."""
    base = file.rsplit("/", 1)[-1]
    if base.endswith(_NEVER) or file.count("/") > 5:
        return None
    for kind, by_base, by_path, weight in _MATCHERS:
        if by_base.match(base) or ("/" in file and by_path.match(file)):
            return kind, weight
    return None


def _matcher(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)")


_MATCHERS = tuple(
    (kind, _matcher([*patterns]), _matcher([each for each in patterns if "/" in each]), weight)
    for kind, patterns, weight in KINDS
)
