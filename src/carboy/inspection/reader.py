"""Facts from a folder: every finder looks at one shared index and gives its part."""

import re
from pathlib import Path

from carboy.errors import UsageFault
from carboy.inspection.app import find_app
from carboy.inspection.app_warnings import find_app_warnings
from carboy.inspection.build import find_build
from carboy.inspection.data import find_data
from carboy.inspection.dependencies import find_dependencies
from carboy.inspection.index import DEEPEST_TREE, Index, build_index, collector_paused, recursion_limit
from carboy.inspection.masking import without_secrets
from carboy.inspection.migrations import find_migrations
from carboy.inspection.processes import find_processes
from carboy.inspection.project_warnings import find_warnings
from carboy.inspection.python_version import find_python
from carboy.inspection.release_commands import find_release_commands
from carboy.inspection.static import find_static
from carboy.inspection.uploads import find_uploads
from carboy.inspection.variables import find_variables
from carboy.model.facts import Facts


def inspect_project(project: Path) -> Facts:
    """Read `project` and say what it is.

    Raises UsageFault where the folder is missing or is no folder. A folder without a Flask app is a valid answer:
    `Facts.app.ref` is None and `Facts.app.reason` says what was looked for.
    """
    if not project.is_dir():
        raise UsageFault("not a folder", where=str(project), hint="name the folder that holds the Flask project")
    with collector_paused(), recursion_limit(DEEPEST_TREE * 10):
        index = build_index(project)
        facts = without_secrets(read_facts(index, project_name(project)))
        index.forget()
        return facts


def project_name(project: Path) -> str:
    """A DNS label made of the folder's name: small letters, digits and dashes, at most 40 characters."""
    label = re.sub(r"[^a-z0-9]+", "-", project.resolve().name.lower()).strip("-")
    return label[:40].rstrip("-") or "app"


def read_facts(index: Index, name: str) -> Facts:
    """Ask every finder; the app comes first because the others look from where it stands."""
    app = find_app(index)
    dependencies = find_dependencies(index, app.folder)
    return Facts(
        name=name,
        app=app,
        python=find_python(index, app.folder),
        dependencies=dependencies,
        data=find_data(index, dependencies, app),
        migrations=find_migrations(index, dependencies, app),
        release_commands=find_release_commands(index, dependencies, app),
        processes=find_processes(index),
        static=find_static(index, dependencies, app),
        uploads=find_uploads(index, dependencies, app),
        variables=find_variables(index, dependencies, app),
        build=find_build(index, dependencies, app),
        warnings=(*find_app_warnings(index, app), *find_warnings(index, dependencies, app)),
    )
