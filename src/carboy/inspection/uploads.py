"""Folders inside the project that the running app writes."""

import ast
import posixpath
import re
from collections.abc import Iterator

from carboy.inspection.code import Answer, Code, argument, keyword, tier_of
from carboy.inspection.constants import INSTANCE, evaluator_of
from carboy.inspection.data import find_data
from carboy.inspection.flask_app import FlaskCall, find_flask_call, project_path
from carboy.inspection.index import Index
from carboy.inspection.reach import production_codes
from carboy.inspection.settings import in_production, settings_of
from carboy.model.facts import AppFact, DependenciesFact, FolderFact

_UPLOAD_KEY = re.compile(
    r"^(?!.*(URL|ALLOWED|EXTENSION|MAX|SIZE|TYPES|BUCKET|ENABLED))(UPLOAD\w*|\w*_UPLOADS?(_\w*)?|UPLOADED_\w+_DEST|MEDIA_(ROOT|FOLDER|DIR|PATH)|"
    r"\w*(FILE|IMAGE|PHOTO|AVATAR|PICTURE|DOWNLOAD|ATTACHMENT|OUTPUT|DATA|STORAGE|THUMBNAIL)S?_(FOLDER|DIR|PATH|ROOT|DIRECTORY)|"
    r"(AVATARS|DROPZONE|CKEDITOR)_SAVE_PATH|FILE_UPLOAD\w*)$"
)
_INDEX_KEY = re.compile(
    r"^(WHOOSH\w*_(BASE|DIR|PATH|INDEX)|WHOOSHEE_DIR|MSEARCH_INDEX_NAME|SEARCH_INDEX\w*|INDEX_(DIR|PATH))$"
)
_CACHE_KEY = re.compile(r"^(CACHE_DIR|SESSION_FILE_DIR|CACHE_FOLDER|TMP_(DIR|FOLDER))$")
_LOG_KEY = re.compile(
    r"^(LOG_?(FILE|DIR|PATH|FOLDER|LOCATION|FILENAME)\w*|\w+_LOG_(FILE|PATH)|LOGGING_(FILE|LOCATION|DIR))$"
)
_LOG_CALLS = re.compile(r"(^|\.)(\w*FileHandler|basicConfig)$")
_KINDS = ("uploads", "instance", "index", "logs", "cache")


def find_uploads(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[FolderFact, ...]:
    """Upload folders, instance folder, search indexes and log files inside the project."""
    return index.derived(Answer(_find, (dependencies, app)))


def _find(index: Index, dependencies: DependenciesFact, app: AppFact) -> tuple[FolderFact, ...]:
    finder = _Finder(index, app)
    found = [*finder.settings(), *finder.calls(), *finder.instance(dependencies)]
    unique: dict[str, FolderFact] = {}
    for fact in sorted(found, key=lambda each: _KINDS.index(each.kind)):
        unique.setdefault(fact.path, fact)
    return tuple(unique.values())


class _Finder:
    def __init__(self, index: Index, app: AppFact) -> None:
        self.index = index
        self.app = app
        self.codes = production_codes(index, app)
        self.evaluator = evaluator_of(index)
        self.flask: FlaskCall | None = find_flask_call(index, app)

    def _path(self, node: ast.expr | None, code: Code) -> str | None:
        instance = self.flask.instance if self.flask else "instance"
        for text in self.evaluator.value(node, code).texts:
            path = project_path(text, self.app.folder, instance, self.app.folder)
            if path and path != "." and not re.search(r"[<>*{}|\n]|^https?:|^\d+$", path):
                return path
        return None

    def settings(self) -> Iterator[FolderFact]:
        """Folders by the settings that usually name them."""
        paths = {code.path for code in self.codes}
        by_key: dict[str, list[int]] = {}
        everything = [setting for setting in settings_of(self.index) if setting.code.path in paths]
        for setting in everything:
            by_key.setdefault(setting.key, [])
        for key in by_key:
            kind = _kind_of_key(key)
            for setting in in_production([each for each in everything if each.key == key]) if kind else ():
                path = self._path(setting.node, setting.code)
                if path and kind:
                    yield FolderFact(path, kind, (setting.place,))

    def calls(self) -> Iterator[FolderFact]:
        """Targets of `file.save(...)`, log handlers, search indexes and Flask-Uploads."""
        for code in self.codes:
            for call in code.calls_where(_may_write):
                for fact in self._call(call, code):
                    if tier_of(*(owner.name for owner in code.owners(call))) != "testing":
                        yield fact

    def _call(self, call: ast.Call, code: Code) -> Iterator[FolderFact]:
        dotted = code.dotted(call.func)
        last = dotted.rsplit(".", 1)[-1]
        if last == "save" and call.args and _saves_upload(call, code):
            path = self._folder_of_target(call.args[0], code)
            if path:
                yield FolderFact(path, "uploads", (code.place(call),))
        elif _LOG_CALLS.search(dotted):
            path = self._path(
                argument(call, 0, "filename") if last != "basicConfig" else keyword(call, "filename"), code
            )
            if path:
                yield FolderFact(posixpath.dirname(path) or path, "logs", (code.place(call),))
        elif last in {"create_in", "open_dir", "exists_in"} and "whoosh" in dotted:
            path = self._path(argument(call, 0, "dirname"), code)
            if path:
                yield FolderFact(path, "index", (code.place(call),))
        elif last in {"FileSystemCache", "FileAdmin"}:
            path = self._path(argument(call, 0, "cache_dir", "base_path"), code)
            if path:
                yield FolderFact(path, "cache" if last == "FileSystemCache" else "uploads", (code.place(call),))

    def _folder_of_target(self, node: ast.expr, code: Code) -> str | None:
        """The folder of a saved file: the fixed parts in front of the name that the visitor chose."""
        instance = self.flask.instance if self.flask else "instance"
        for text in self.evaluator.value(node, code).texts:
            head = posixpath.dirname(re.split("[\ue003\ue004]", text)[0] + "x")
            path = project_path(head, self.app.folder, instance, self.app.folder) if head else None
            if path and path != ".":
                return path
        return None

    def instance(self, dependencies: DependenciesFact) -> Iterator[FolderFact]:
        """The instance folder, where the code makes or fills it."""
        if not self.flask:
            return
        for code in self.codes:
            for call in code.calls_of("makedirs", "mkdir"):
                if code.dotted(call.func) in {"os.makedirs", "os.mkdir"} and call.args:
                    texts = self.evaluator.value(call.args[0], code).texts
                    if texts and texts[0].rstrip("/") == INSTANCE:
                        yield FolderFact(self.flask.instance, "instance", (code.place(call),))
        for fact in find_data(self.index, dependencies, self.app):
            if fact.path and fact.path.startswith(self.flask.instance + "/"):
                yield FolderFact(self.flask.instance, "instance", fact.evidence[:1])


_WRITERS = frozenset({"save", "basicConfig", "create_in", "open_dir", "exists_in", "FileSystemCache", "FileAdmin"})


def _may_write(name: str) -> bool:
    return name in _WRITERS or name.endswith("FileHandler")


def _kind_of_key(key: str) -> str | None:
    for kind, pattern in (("index", _INDEX_KEY), ("cache", _CACHE_KEY), ("logs", _LOG_KEY), ("uploads", _UPLOAD_KEY)):
        if pattern.match(key):
            return kind
    return None


def _saves_upload(call: ast.Call, code: Code) -> bool:
    """Whether `x.save(target)` stores an upload: not a model's save, nor a picture made in memory."""
    function = code.function_of(call)
    source = ast.unparse(function) if function else ""
    return bool(re.search(r"request\.files|\.data\b|secure_filename|FileStorage|filename|Image\.open", source))
