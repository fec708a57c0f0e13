"""The wire between the tool and the extension: the document, and the spelling of both sides."""

import re
from pathlib import Path

import pytest
from flask_carboy import names

from carboy.servers import base
from carboy.targets.local import contract

DOCUMENT = (Path(__file__).parents[2] / "docs" / "contract.md").read_text(encoding="utf-8")


def documented() -> set[str]:
    """The variables of the document's table."""
    rows = [line.split("|")[1] for line in DOCUMENT.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(CARBOY_[A-Z_]+)`", row)}


def test_the_document_lists_the_extensions_variables() -> None:
    """Every variable that the extension reads is documented, and no other."""
    assert documented() == set(names.VARIABLES)


@pytest.mark.parametrize("name", [name for name in vars(contract) if name.isupper() and name != "VERSION"])
def test_the_tool_spells_as_the_extension_does(name: str) -> None:
    """Each constant of the tool has its twin in the extension."""
    twins = {"EXEC_MODULE": "EXEC_ENTRY"}
    assert getattr(contract, name) == getattr(names, twins.get(name, name))


def test_both_sides_speak_the_same_version() -> None:
    """The version is the document's."""
    assert re.search(r"Version of this contract: \*\*(\d+)\*\*", DOCUMENT)[1] == str(names.CONTRACT_VERSION)  # type: ignore[index]
    assert contract.VERSION == names.CONTRACT_VERSION


def test_the_entry_points_are_the_documents() -> None:
    """Servers are given the objects that the document names."""
    assert (base.WSGI_OBJECT, base.ASGI_OBJECT) == (names.WSGI_ENTRY, names.ASGI_ENTRY)
    for entry in (names.WSGI_ENTRY, names.ASGI_ENTRY, names.WAITRESS_ENTRY, names.EXEC_ENTRY):
        assert entry in DOCUMENT


def test_headers_and_paths_are_the_documents() -> None:
    """What the gate sends and asks for is documented."""
    for word in (names.GATE_HEADER, names.WORKER_HEADER, f"GET {names.GATE_PATH}", names.REQUEST_ID_HEADER):
        assert word in DOCUMENT
