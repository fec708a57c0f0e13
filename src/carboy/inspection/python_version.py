"""Which Python the project wants."""

from carboy.inspection.index import Index
from carboy.model.facts import PythonFact


def find_python(index: Index, folder: str = "") -> PythonFact:
    """The version by the most binding of the places that name one."""
    return PythonFact(None, None, ())
