"""What the codes of warnings mean, and what to do: the text behind `carboy explain CODE`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Explanation:
    """`meaning` says why it hurts in production, `remedy` what to do."""

    meaning: str
    remedy: str


_FINDING: Final = {
    "several-candidates": Explanation(
        "More than one object could be the app, and serving the wrong one looks like success until someone visits it.",
        'Say which: app.ref = "module:attribute" in carboy.toml, or carboy init --app module:attribute.',
    ),
    "app-without-routes": Explanation(
        "The object has no routes: every address would be 404, though the server runs.",
        "Name the object, or the factory, that registers the blueprints: app.ref in carboy.toml.",
    ),
    "own-command-only": Explanation(
        "The project completes its app in its own start command, so that no importable object is the whole app.",
        "app.command starts it as it stands; a factory that returns the finished app would let a real server serve it.",
    ),
    "launcher-names-nothing": Explanation(
        "A Procfile, Dockerfile or dotenv file starts a module that is not in the project: it is stale, or is made "
        "by a build step.",
        "Correct the file, or name the app in carboy.toml, which is asked first.",
    ),
    "project-truncated": Explanation(
        "The project holds more files than are read, so that something may have been missed.",
        "Run carboy in the folder of the app, and keep data and dependencies out of it.",
    ),
    "syntax-error": Explanation(
        "A file cannot be read as Python here: it fails at import, or is of another Python version.",
        "Correct it, or name the project's Python version (app.python in carboy.toml).",
    ),
    "shadows-library": Explanation(
        "A file of the project has the name of a library and is imported in its place.",
        "Rename the file.",
    ),
    "python-versions-disagree": Explanation(
        "Files of the project name different Python versions, and only one of them can be right.",
        "Make them agree, or set app.python in carboy.toml.",
    ),
    "quart-is-not-flask": Explanation(
        "Quart looks like Flask and speaks ASGI: WSGI servers cannot serve it.",
        'server.kind = "uvicorn" serves it; Carboy proposes that.',
    ),
}

_START: Final = {
    "app-run-at-import": Explanation(
        "Importing the module calls app.run(): a production server would start Flask's own server and never come back.",
        "Move the call under `if __name__ == '__main__':`.",
    ),
    "parses-argv-at-import": Explanation(
        "Importing the module reads the command line: the server's own arguments are not the app's, and it exits.",
        "Read the command line under `if __name__ == '__main__':`, or in a function that only your own start calls.",
    ),
    "asks-at-import": Explanation(
        "Importing the module asks on the terminal; a server has none, so that it hangs or ends.",
        "Take the answer from a variable or a file instead.",
    ),
    "debug-on": Explanation(
        "Debug mode shows source and values to anyone who meets an error, and its console runs code.",
        "Take it from the environment with off as the default; Carboy sets FLASK_DEBUG=0 outside of development.",
    ),
    "factory-default-is-development": Explanation(
        "Without being told, the app takes its development configuration: debug, test database, known keys.",
        "Set the selecting variable, or the factory's argument in app.ref, to the production configuration.",
    ),
    "config-file-needed": Explanation(
        "The configuration is a file that is not in the project, so that the app does not start from a checkout.",
        "Put the file into shared storage (app.shared), or name it by the variable that the app reads.",
    ),
    "dotenv-split-brain": Explanation(
        "The `flask` command reads .env and .flaskenv and a server does not: a migration succeeds on another database "
        "than the one that is served.",
        "Nothing under Carboy, which gives both the same variables; elsewhere load the file in the app itself.",
    ),
}

_SERVER: Final = {
    "one-process-only": Explanation(
        "The app keeps state in its process or does work that every process would repeat: a second worker breaks it "
        "without an error at start.",
        "Keep server.workers = 1 and raise server.threads, or move the state to a database or Redis, the work to a "
        "process of its own.",
    ),
    "async-views": Explanation(
        "Views are coroutines. Under gevent or eventlet nearly every answer is 500, and under threads each request "
        "gets an event loop of its own, which pools do not survive.",
        'server.kind = "uvicorn", one event loop for each worker; Carboy proposes that.',
    ),
    "green-worker-needed": Explanation(
        "The app patches the standard library for gevent or eventlet, and hangs under ordinary threads.",
        "Keep the proposed server.worker_class, or take the monkey patch out.",
    ),
    "no-production-server": Explanation(
        "The dependencies hold no production server; Flask's own is not one.",
        "Nothing: the release installs the server that the plan names.",
    ),
}

_DEPENDENCIES: Final = {
    "undeclared-dependencies": Explanation(
        "The code imports packages that no dependency file declares: they are there by luck, or not at all.",
        "Declare them, or list them in app.packages.",
    ),
    "unpinned": Explanation(
        "Without an upper bound the next release can install other versions than the tested ones.",
        "Pin what was tested (pip freeze, uv lock), or set app.exclude_newer to the day of the test.",
    ),
    "pins-old": Explanation(
        "Pinned versions do not install or import on a current Python, or do not work with what is left unpinned.",
        "Set app.python to a version of their time, add the cap to app.packages, or let `carboy up "
        "--fix-requirements` find a set that works.",
    ),
    "needs-setuptools": Explanation(
        "pkg_resources left setuptools with version 81, and new environments hold no setuptools at all.",
        'Add "setuptools<81" to app.packages; importlib.metadata is the successor.',
    ),
    "compiles-c": Explanation(
        "A dependency is compiled where it is installed, and needs a compiler and headers there.",
        "Install what the warning names, or take the binary package (psycopg2-binary for psycopg2).",
    ),
    "dev-requirements-mixed": Explanation(
        "Test and development tools are installed in production: slower, larger, and more to attack.",
        "Keep them in a file of their own, and name the production one in app.source.",
    ),
    "private-source": Explanation(
        "Something is installed from a private place that the building machine must be able to reach.",
        "Give that machine access, or put the built package on an index that it can read.",
    ),
    "sqlalchemy-driver": Explanation(
        "SQLAlchemy 2.1 takes a plain postgresql:// address to mean psycopg 3, and another driver is installed.",
        "Write postgresql+psycopg2:// in the address, or pin SQLAlchemy below 2.1.",
    ),
}

_SECRETS: Final = {
    "secret-key-literal": Explanation(
        "Whoever can read the code can forge sessions, and nothing in the environment can replace the key.",
        'Read it: app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]; Carboy then makes a strong one.',
    ),
    "secret-key-default": Explanation(
        "The code holds a default key; an installation where nobody sets another runs on a public one.",
        "Set SECRET_KEY (Carboy makes one where the app reads it), and take the default out of the code.",
    ),
    "secret-key-random": Explanation(
        "Each worker makes a key of its own, so that a session is lost whenever another worker answers.",
        "Read it from the environment; until then one worker serves.",
    ),
    "secret-key-missing": Explanation(
        "The key is set only where the file is run by hand: under a server, sessions fail with an error.",
        "Set it beside the app, from the environment.",
    ),
    "secret-literal": Explanation(
        "Passwords or tokens stand in the code, for everyone who can read it and in its history.",
        "Read them from variables, name those under secrets, and renew what was committed.",
    ),
    "database-literal": Explanation(
        "The database's host or password stands in the code: production cannot have another.",
        "Read the address from a variable such as DATABASE_URL.",
    ),
}

_DATA: Final = {
    "postgres-scheme": Explanation(
        "SQLAlchemy 1.4 and later refuse addresses that begin with postgres://.",
        "Write postgresql:// instead.",
    ),
    "sqlite-in-release": Explanation(
        "The database lies inside the code, so that each new release would begin with an empty or an old one.",
        "Keep it in app.shared, which outlives releases; Carboy proposes that.",
    ),
    "sqlite-in-memory": Explanation(
        "The database lives in one process's memory: every worker has its own, and a restart empties it.",
        "Use a file or a server; until then one worker serves.",
    ),
    "uploads-in-release": Explanation(
        "Uploaded files lie inside the code and would be left behind by the next release.",
        "Keep the folder in app.shared; Carboy proposes that.",
    ),
    "logs-in-release": Explanation(
        "The app writes its logs inside the code, where the next release leaves them behind.",
        "Log to standard error, which Carboy collects, or keep the folder in app.shared.",
    ),
    "index-in-release": Explanation(
        "A search index lies inside the code and would be left behind by the next release.",
        "Keep it in app.shared, or build it in release.commands.",
    ),
    "drops-at-import": Explanation(
        "Starting the app drops or empties tables: every start, of every worker, loses data.",
        "Take it out of the start before the first release; put it into release.initial if it must happen once.",
    ),
    "tables-at-import": Explanation(
        "The app makes its tables when it starts: workers that start together on an empty database race.",
        "Make them in release.commands, which run once before the workers.",
    ),
    "tables-in-main": Explanation(
        "Tables are made only where the file is run by hand, which no server does.",
        "Make them in release.commands.",
    ),
    "migrations-empty": Explanation(
        "A migration tool is set up and has no revision: an upgrade succeeds and makes no table.",
        "Make and commit the first revision (flask db migrate), or make the tables in release.commands.",
    ),
    "migrations-not-in-git": Explanation(
        "The revisions are ignored by git: a checkout on another machine cannot make the tables.",
        "Take the folder out of .gitignore and commit it.",
    ),
    "migrations-several": Explanation(
        "There is more than one folder of migrations, and an upgrade applies only one.",
        "Name the right one in release.commands (flask db upgrade -d FOLDER).",
    ),
    "migrations-heads": Explanation(
        "The revisions have several heads, and an upgrade stops until they are merged.",
        "flask db merge heads, then commit the new revision.",
    ),
    "migrations-stale": Explanation(
        "Models have tables that no revision makes: pages that need them fail after a good upgrade.",
        "Make the missing revision (flask db migrate), read it and commit it.",
    ),
    "migration-data-loss": Explanation(
        "The newest revision drops something that the running release still uses, and that a rollback cannot restore.",
        "Split it: first a release that no longer uses it, then one that drops it.",
    ),
    "sql-dump": Explanation(
        "The tables come from an SQL file that is loaded by hand; loading it again often drops what is there.",
        "Load it once, before the first release; never in release.commands.",
    ),
    "prompts": Explanation(
        "A command that prepares data asks at the terminal, which a release does not have.",
        "Run it by hand after the first release (carboy run), or give it its answers as arguments.",
    ),
}

EXPLANATIONS: Final[Mapping[str, Explanation]] = MappingProxyType(
    {**_FINDING, **_START, **_SERVER, **_DEPENDENCIES, **_SECRETS, **_DATA}
)
