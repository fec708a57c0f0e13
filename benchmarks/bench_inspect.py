"""`carboy inspect` of a project of 300 Python files against compiling those files."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Ratio, in_turn, timed

FILES = 300

APP = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()

def create_app(config_name="default"):
    app = Flask(__name__)
    app.config.from_prefixed_env()
    db.init_app(app)
{registrations}
    return app
"""

# A file as such projects have them: models, forms of input and views, about 90 lines.
PART = '''
"""Part {n} of a shop."""

import os
from datetime import datetime

from flask import Blueprint, abort, current_app, jsonify, render_template, request, url_for

from shop import db

bp = Blueprint("part{n}", __name__, url_prefix="/part{n}")
LIMIT = int(os.environ.get("PART{n}_LIMIT", "50"))


class Item{n}(db.Model):
    """A thing of part {n}."""

    __tablename__ = "items{n}"

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80), nullable=False, unique=True)
    price = db.Column(db.Numeric(10, 2), nullable=False, default=0)
    made = db.Column(db.DateTime, nullable=False, default=datetime.utcnow)

    def as_dict(self):
        return {{"id": self.id, "name": self.name, "price": str(self.price), "made": self.made.isoformat()}}
'''

VIEW = '''

@bp.route("/view{v}/<int:item_id>", methods=["GET", "POST"])
def view{v}(item_id):
    """Show or change an item."""
    item = Item{n}.query.get(item_id)
    if item is None:
        abort(404, "no item %s" % item_id)
    if request.method == "POST":
        data = request.get_json(silent=True) or {{}}
        for key in ("name", "price"):
            if key in data:
                setattr(item, key, data[key])
        db.session.commit()
        current_app.logger.info("changed %s by %s", item.name, request.remote_addr)
    return jsonify(item.as_dict(), link=url_for(".view{v}", item_id=item.id))
'''


def write_project(folder: Path) -> None:
    """A package of FILES files: a factory and parts with a model and four views each."""
    package = folder / "shop"
    package.mkdir()
    lines = []
    for number in range(FILES - 1):
        text = PART.format(n=number) + "".join(VIEW.format(n=number, v=view) for view in range(4))
        (package / f"part{number}.py").write_text(text, encoding="utf-8")
        lines.append(f"    from shop.part{number} import bp as bp{number}\n    app.register_blueprint(bp{number})")
    (package / "__init__.py").write_text(APP.format(registrations="\n".join(lines)), encoding="utf-8")
    (folder / "requirements.txt").write_text("flask\nflask-sqlalchemy\npsycopg2\n", encoding="utf-8")


@contextmanager
def bytecode_in(folder: Path) -> Iterator[None]:
    """Carboy finds its modules compiled, as pip leaves them: also where the shell says not to write any."""
    before = dict(os.environ)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> dict[str, Ratio]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "project")
        folder.mkdir()
        write_project(folder)
        compileall = [sys.executable, "-m", "compileall", "-f", "-q", str(folder)]

        def inspect() -> float:
            with bytecode_in(Path(name, "bytecode")):
                return timed([sys.executable, "-m", "carboy", "inspect", str(folder), "--json"])

        ours, theirs = in_turn(inspect, lambda: timed(compileall), times=7)
    return {f"carboy inspect, {FILES} Python files": Ratio(ours, theirs, 3.0, "python -m compileall -f")}
