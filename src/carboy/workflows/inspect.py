"""`carboy inspect`: the facts of a project, and their form as JSON (schema 1, docs/reference/schemas)."""

from pathlib import Path
from typing import Any

from carboy.inspection.reader import inspect_project
from carboy.model.facts import AppFact, Candidate, DependenciesFact, Evidence, Facts
from carboy.model.probe import ProbeReport

SCHEMA = 1


def inspect(path: Path) -> Facts:
    """Read the project at `path`; nothing in it is run or changed."""
    return inspect_project(path)


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """The value that `carboy inspect --json` prints."""
    return {
        "schema": SCHEMA,
        "name": facts.name,
        "app": _app(facts.app),
        "python": {
            "version": facts.python.version,
            "requires": facts.python.requires,
            "evidence": _places(facts.python.evidence),
        },
        "dependencies": _dependencies(facts.dependencies),
        **_data(facts),
        **_processes(facts),
        **_files(facts),
        "variables": [
            {
                "name": variable.name,
                "required": variable.required,
                "secret": variable.secret,
                "suggestion": variable.suggestion,
                "evidence": _places(variable.evidence),
            }
            for variable in facts.variables
        ],
        "warnings": [
            {"code": warn.code, "message": warn.message, "evidence": _places(warn.evidence)} for warn in facts.warnings
        ],
    }


def _app(app: AppFact) -> dict[str, Any]:
    return {
        "ref": app.ref,
        "command": app.command,
        "folder": app.folder,
        "interface": app.interface,
        "factory": app.factory,
        "file": app.file,
        "line": app.line,
        "certainty": app.certainty,
        "reason": app.reason,
        "candidates": [_candidate(candidate) for candidate in app.candidates],
        "import_paths": list(app.import_paths),
        "async_views": app.async_views,
        "websocket": app.websocket,
        "evidence": _places(app.evidence),
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "ref": candidate.ref,
        "folder": candidate.folder,
        "interface": candidate.interface,
        "factory": candidate.factory,
        "certainty": candidate.certainty,
        "reason": candidate.reason,
        "evidence": _places(candidate.evidence),
    }


def _dependencies(dependencies: DependenciesFact) -> dict[str, Any]:
    return {
        "source": dependencies.source,
        "manager": dependencies.manager,
        "files": list(dependencies.files),
        "requirements": [
            {"name": each.name, "spec": each.spec, "evidence": _places(each.evidence)}
            for each in dependencies.requirements
        ],
        "evidence": _places(dependencies.evidence),
    }


def _data(facts: Facts) -> dict[str, Any]:
    migrations = facts.migrations
    return {
        "data": [
            {
                "engine": data.engine,
                "name": data.name,
                "variable": data.variable,
                "library": data.library,
                "path": data.path,
                "evidence": _places(data.evidence),
            }
            for data in facts.data
        ],
        "migrations": migrations
        and {"tool": migrations.tool, "command": migrations.command, "evidence": _places(migrations.evidence)},
        "release_commands": [
            {"command": each.command, "once": each.once, "reason": each.reason, "evidence": _places(each.evidence)}
            for each in facts.release_commands
        ],
    }


def _processes(facts: Facts) -> dict[str, Any]:
    """`processes` is the plain map of the contract; what it has no room for stands in `process_details`."""
    return {
        "processes": {process.name: process.command for process in facts.processes},
        "process_details": [
            {
                "name": process.name,
                "command": process.command,
                "once": process.once,
                "evidence": _places(process.evidence),
            }
            for process in facts.processes
        ],
    }


def _files(facts: Facts) -> dict[str, Any]:
    return {
        "static": [
            {"url": static.url, "folder": static.folder, "evidence": _places(static.evidence)}
            for static in facts.static
        ],
        "uploads": [
            {"path": folder.path, "kind": folder.kind, "evidence": _places(folder.evidence)} for folder in facts.uploads
        ],
        "build": [
            {"command": build.command, "folder": build.folder, "evidence": _places(build.evidence)}
            for build in facts.build
        ],
    }


def _places(evidence: Evidence) -> list[dict[str, Any]]:
    return [{"file": place.file, "line": place.line} for place in evidence]


def report_to_json(report: ProbeReport) -> dict[str, Any]:
    """The part `probe` of `carboy inspect --probe --json`."""
    routes = [{"rule": each.rule, "methods": list(each.methods), "endpoint": each.endpoint} for each in report.routes]
    return {
        "status": report.status,
        "ref": report.ref,
        "interface": report.interface,
        "flask": report.flask,
        "python": report.python,
        "message": report.message,
        "routes": routes,
        "pages": [{"path": each.path, "status": each.status} for each in report.pages],
        "extensions": list(report.extensions),
        "placeholders": list(report.placeholders),
    }
