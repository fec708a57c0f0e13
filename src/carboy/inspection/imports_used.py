"""Which distributions the code imports, for projects that declare nothing or not everything."""

import ast
import re
import sys
from pathlib import PurePosixPath

from carboy.inspection.code import Code, Project, is_decoy, project_of
from carboy.inspection.index import Index
from carboy.inspection.requirements_files import normal_name
from carboy.model.facts import Place, Requirement

# Import names whose distribution is called otherwise.
DISTRIBUTIONS = {
    "PIL": "Pillow", "yaml": "PyYAML", "dotenv": "python-dotenv", "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless", "sklearn": "scikit-learn", "skimage": "scikit-image", "MySQLdb": "mysqlclient",
    "psycopg2": "psycopg2-binary", "dateutil": "python-dateutil", "jwt": "PyJWT", "jose": "python-jose",
    "magic": "python-magic", "slugify": "python-slugify", "Crypto": "pycryptodome", "OpenSSL": "pyOpenSSL",
    "git": "GitPython", "github": "PyGithub", "docx": "python-docx", "pptx": "python-pptx", "fitz": "PyMuPDF",
    "serial": "pyserial", "usb": "pyusb", "zmq": "pyzmq", "ldap": "python-ldap", "telegram": "python-telegram-bot",
    "socketio": "python-socketio", "engineio": "python-engineio", "memcache": "python-memcached",
    "mysql": "mysql-connector-python", "attr": "attrs", "markdown": "Markdown", "whoosh": "Whoosh",
    "wtforms": "WTForms", "werkzeug": "Werkzeug", "jinja2": "Jinja2", "markupsafe": "MarkupSafe",
    "sqlalchemy": "SQLAlchemy", "flask": "Flask", "flask_sqlalchemy": "Flask-SQLAlchemy", "flask_wtf": "Flask-WTF",
    "flask_login": "Flask-Login", "flask_mail": "Flask-Mail", "flask_migrate": "Flask-Migrate",
    "flask_cors": "Flask-Cors", "flask_socketio": "Flask-SocketIO", "flask_babel": "Flask-Babel",
    "flask_bcrypt": "Flask-Bcrypt", "flask_restful": "Flask-RESTful", "flask_restx": "flask-restx",
    "flask_admin": "Flask-Admin", "flask_bootstrap": "Flask-Bootstrap", "flask_moment": "Flask-Moment",
    "flask_caching": "Flask-Caching", "flask_session": "Flask-Session", "flask_jwt_extended": "Flask-JWT-Extended",
    "flask_limiter": "Flask-Limiter", "flask_marshmallow": "flask-marshmallow", "flask_mysqldb": "Flask-MySQLdb",
    "flask_pymongo": "Flask-PyMongo", "flask_uploads": "Flask-Reuploaded", "flask_talisman": "flask-talisman",
    "flask_script": "Flask-Script", "flask_httpauth": "Flask-HTTPAuth", "flask_compress": "Flask-Compress",
    "flask_assets": "Flask-Assets", "flask_debugtoolbar": "Flask-DebugToolbar", "flask_ckeditor": "Flask-CKEditor",
    "flaskext": "Flask-MySQL", "apscheduler": "APScheduler", "flask_apscheduler": "Flask-APScheduler",
    "pkg_resources": "setuptools", "google": "google-api-python-client", "nacl": "PyNaCl",
    "Levenshtein": "python-Levenshtein", "haystack": "farm-haystack", "pymysql": "PyMySQL", "babel": "Babel",
    "pygments": "Pygments", "websocket": "websocket-client", "ruamel": "ruamel.yaml", "discord": "discord.py",
    "stripe": "stripe", "decouple": "python-decouple", "environ": "django-environ", "xdg": "xdg",
    "pythonjsonlogger": "python-json-logger", "sentry_sdk": "sentry-sdk", "jwcrypto": "jwcrypto",
    "prometheus_client": "prometheus-client", "email_validator": "email-validator", "itsdangerous": "itsdangerous",
    "mongoengine": "mongoengine", "playhouse": "peewee", "qrcode": "qrcode", "rq": "rq", "celery": "celery",
    "pony": "pony", "cs50": "cs50",
}  # fmt: skip
# Import names that other distributions bring along: importing them declares nothing of its own.
BROUGHT = {
    "werkzeug": ("flask", "flask-"), "jinja2": ("flask", "flask-"), "click": ("flask", "flask-"),
    "itsdangerous": ("flask",), "markupsafe": ("flask", "jinja2"),
    "sqlalchemy": ("flask-sqlalchemy", "sqlmodel", "flask-appbuilder", "dataset", "alembic"),
    "wtforms": ("flask-wtf", "flask-appbuilder", "flask-admin"),
    "marshmallow": ("flask-marshmallow", "apiflask", "flask-smorest"), "alembic": ("flask-migrate",),
    "flask": ("flask-", "apiflask", "connexion", "dash"), "blinker": ("flask",),
    "apscheduler": ("flask-apscheduler",), "pymongo": ("flask-pymongo", "mongoengine", "motor"),
    "bcrypt": ("flask-bcrypt",), "redis": ("rq", "flask-session", "celery"), "kombu": ("celery",),
    "babel": ("flask-babel",), "MySQLdb": ("flask-mysqldb", "mysqlclient"),
    "pymysql": ("flask-mysql", "pymysql"), "psycopg2": ("psycopg2",), "psycopg": ("psycopg",),
    "jwt": ("flask-jwt-extended",), "dateutil": ("pandas", "arrow"),
    "numpy": ("pandas", "scikit-learn", "opencv-"), "urllib3": ("requests",), "certifi": ("requests",),
    "socketio": ("flask-socketio",), "engineio": ("flask-socketio",), "setuptools": ("",),
    "pkg_resources": ("",), "pip": ("",), "cv2": ("opencv-",),
    "google": ("google-", "protobuf", "firebase-admin"), "_pytest": ("pytest",), "mysql": ("mysql-",),
    "Crypto": ("pycrypto",), "jose": ("python-jose", "authlib"),
    "magic": ("python-magic", "filemagic", "libmagic"), "playhouse": ("peewee", "flask-peewee"),
    "celery": ("celery",), "yaml": ("pyyaml", "ruamel"), "flask_uploads": ("flask-",), "flaskext": ("flask-",),
    "limits": ("flask-limiter",), "serial": ("pyserial",), "attr": ("attrs",), "passlib": ("flask-security",),
    "pytz": ("flask-babel", "babel", "pandas", "apscheduler", "celery"),
    "gevent": ("gunicorn", "gevent"), "eventlet": ("eventlet",), "six": ("",), "typing_extensions": ("",),
    "asgiref": ("flask",), "slugify": ("python-slugify", "unicode-slugify", "awesome-slugify"),
    "docx": ("python-docx",), "tensorflow": ("tensorflow",), "keras": ("tensorflow", "keras"),
    "fitz": ("pymupdf",), "environ": ("django-environ", "environ-config"), "PIL": ("pillow",),
    "torch": ("torch",), "flask_openid": ("flask-",), "environs": ("environs",),
    "telegram": ("python-telegram",), "xlrd": ("pandas",),
}  # fmt: skip
_OPTIONAL = frozenset({"__main__", "psyco", "wingdbstub", "pydevd", "debugpy", "uwsgi", "uwsgidecorators", "mod_wsgi"})


def imported(index: Index, paths: set[str] | None = None) -> dict[str, Place]:
    """Third-party top-level names that the project's own files import, with the first place each.

    Imports that stand under a `try` with an `except ImportError` are optional and left out.
    """
    project = project_of(index)
    own = _own_names(index)
    found: dict[str, Place] = {}
    for code in project.ours:
        if paths is None or code.path in paths:
            for name, line in _third_party(code, own, project):
                found.setdefault(name, Place(code.path, line))
    return found


def _third_party(code: Code, own: set[str], project: Project) -> list[tuple[str, int]]:
    optional = _guarded_lines(code)
    found = []
    for dotted, line in code.import_lines.items():
        top = dotted.split(".")[0]
        known = top in sys.stdlib_module_names or top in own or top in _OPTIONAL or not top.isidentifier()
        if not known and line not in optional and not project.resolve(dotted.split(".")[0], code.path):
            found.append((top, line))
    return found


def _guarded_lines(code: Code) -> set[int]:
    lines: set[int] = set()
    for attempt in code.handlers:
        caught = " ".join(ast.unparse(handler.type) if handler.type else "ImportError" for handler in attempt.handlers)
        if re.search(r"ImportError|ModuleNotFoundError|Exception", caught):
            lines.update(range(attempt.lineno, (attempt.end_lineno or attempt.lineno) + 1))
    for definition in code.main_guards:
        lines.update(range(definition.lineno, (definition.end_lineno or definition.lineno) + 1))
    return lines


def _own_names(index: Index) -> set[str]:
    """Names of the project's modules and packages, wherever they lie."""
    names = {PurePosixPath(path).stem.split(".")[0] for path in index.python_files}
    names |= {stem for path in index.files if (stem := _sampled(PurePosixPath(path).name))}
    for path in index.python_files:
        names.update(path.split("/")[:-1])
    return names


def _sampled(name: str) -> str | None:
    """The module that a sample stands for: config.py.example, settings_sample.py."""
    found = re.match(r"^(\w+?)[._-](?:py\.)?(?:example|sample|dist|template|default)(?:\.py)?$", name)
    return found[1] if found else None


def infer_requirements(index: Index, folder: str) -> tuple[Requirement, ...]:
    """Requirements made from imports, for a project that declares none; tests and examples do not count."""
    prefix = f"{folder}/" if folder else ""
    paths = {path for path in index.python_files if path.startswith(prefix) and not is_decoy(path[len(prefix) :])}
    found = imported(index, paths)
    result: dict[str, Requirement] = {}
    direct: set[str] = {normal_name(DISTRIBUTIONS.get(name, name)) for name in found}
    for name, place in sorted(found.items()):
        distribution = DISTRIBUTIONS.get(name, name.replace("_", "-"))
        canonical = normal_name(distribution)
        if name == "flask" or not is_brought(name, direct - {canonical}):
            result.setdefault(canonical, Requirement(canonical, "", (place,)))
    return tuple(result.values())


def is_brought(name: str, distributions: set[str]) -> bool:
    """Whether another distribution brings what is imported as `name`."""
    return any(other == start or other.startswith(start) for start in BROUGHT.get(name, ()) for other in distributions)
