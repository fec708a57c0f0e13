"""The written file: loads back to the same plan, and edits keep what people wrote."""

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from carboy.errors import PlanFaults, UsageFault
from carboy.planfile.edit import set_key, unset_key
from carboy.planfile.keys import ANY, Key, all_keys
from carboy.planfile.load import load_plan
from carboy.planfile.proposal import Choice, Proposal
from carboy.planfile.propose import propose
from carboy.planfile.write import plan_text
from tests.unit.planfile.facts import facts, variable

plain = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


SAMPLES = ("instance", "a b/ü.db", "src", "/", "/x?é='1'", '/"', "3.12", "3.8.18", "2021-06-30", "027", "shop-2", "A_b")


def values(key: Key) -> st.SearchStrategy[Any]:
    """Values that the key takes."""
    if key.kind == "number":
        numbers: st.SearchStrategy[Any] = st.integers(int(key.minimum or 0), int(key.maximum or 10**6))
        return numbers | st.sampled_from(key.choices) if key.choices else numbers
    if key.kind == "switch":
        return st.booleans()
    text: st.SearchStrategy[Any] = st.sampled_from(key.choices) if key.choices else plain
    if key.pattern:
        text = st.sampled_from([sample for sample in SAMPLES if re.match(key.pattern, sample)])
    return st.lists(text, max_size=4).map(tuple) if key.kind == "list" else text


def choices(key: Key) -> st.SearchStrategy[Choice]:
    names = st.sampled_from(["mail", "beat-1"] if key.path[0] == "processes" else ["LOG_LEVEL", "lang"])
    paths = names.map(lambda name: tuple(name if part == ANY else part for part in key.path))
    return st.builds(Choice, paths, values(key), plain, plain)


def proposal_of(found: list[Choice]) -> Proposal:
    """One choice for each key, and a command for each process, which it cannot be without."""
    tables = {choice.path[:2] for choice in found if choice.path[0] == "processes"}
    commands = [Choice((*table, "command"), "run it", "", "") for table in sorted(tables)]
    return Proposal(tuple({choice.path: choice for choice in [*commands, *found]}.values()))


proposals = st.lists(st.sampled_from(list(all_keys().values())).flatmap(choices), max_size=12).map(proposal_of)


@pytest.mark.requirement("Q3")
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
    deadline=None,
    max_examples=100,
)
@given(proposals)
def test_what_is_written_loads_back(tmp_path: Path, proposal: Proposal) -> None:
    """Every value of a proposal, whatever its text, stands in the loaded plan and nothing else changes."""
    (tmp_path / "carboy.toml").write_text(plan_text(proposal), encoding="utf-8", newline="\n")
    try:
        plan = load_plan(tmp_path, facts=None, environment={}).plan
    except PlanFaults as faults:
        # Random values may clash; what must never happen is a fault of form.
        assume(any(part in str(faults.faults) for part in ("unknown key", "no TOML")))
        raise
    for choice in proposal.choices:
        found: Any = plan
        for part in choice.path:
            found = found[part] if isinstance(found, dict) or hasattr(found, "keys") else getattr(found, part)
        assert found == choice.value


@pytest.mark.requirement("Q3")
def test_a_written_proposal_is_the_plan_of_the_facts(tmp_path: Path) -> None:
    """The file alone, without looking at the project again, gives the plan that the facts gave."""
    found = facts(
        websocket="flask-socketio",
        requirements=("eventlet",),
        variables=(variable("FLASK_CONFIG", suggestion='pro"duction\\'), variable("SECRET_KEY", secret=True)),
    )
    detected = load_plan(tmp_path, facts=found, environment={}).plan
    text = plan_text(propose(found, None))
    (tmp_path / "carboy.toml").write_text(text, encoding="utf-8")
    assert load_plan(tmp_path, facts=None, environment={}).plan == detected
    assert load_plan(tmp_path, facts=found, environment={}).plan == detected


@pytest.mark.requirement("Q3")
def test_every_key_has_a_comment() -> None:
    """No line of a new file stands without what it is for, and defaults are left out."""
    lines = plan_text(propose(facts(interface="wsgi"), None)).splitlines()
    for above, line in itertools.pairwise(lines):
        if line and not line.startswith("#") and not above.startswith("["):
            assert above.startswith("#"), line
    assert not any(line.startswith("interface") for line in lines)
    assert max(map(len, lines)) <= 100


TEXT = """# mine
version = 1   # keep

[server] # about the server
workers = 3   # three
threads = 2

# about staging
[tiers.staging]
server.kind = "uvicorn"
"""


@pytest.mark.requirement("Q3")
def test_an_edit_keeps_comments_and_order() -> None:
    """A changed key changes its own line and nothing else."""
    assert set_key(TEXT, ("server", "workers"), 5) == TEXT.replace("workers = 3", "workers = 5")
    assert unset_key(TEXT, ("server", "threads")) == TEXT.replace("threads = 2\n", "")
    assert unset_key(TEXT, ("server", "umask")) == TEXT


@pytest.mark.requirement("Q3")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("secrets",), ("A", "B")),
        (("server", "umask"), "022"),
        (("processes", "mail", "command"), 'say "hello"'),
        (("tiers", "staging", "server", "workers"), 2),
        (("tiers", "production", "health", "pages"), ("/",)),
    ],
)
def test_a_new_key_finds_its_table(path: tuple[str, ...], value: Any) -> None:
    """A key is added where it belongs, and taking it out again leaves the file as it was, in substance."""
    text = set_key(TEXT, path, value)
    found: Any = tomllib.loads(text)
    for part in path:
        found = found[part]
    assert found == (list(value) if isinstance(value, tuple) else value)
    assert [line for line in TEXT.splitlines() if line and line not in text] == []
    assert tomllib.loads(unset_key(text, path)) == tomllib.loads(TEXT)


def test_an_edit_that_would_change_more_is_refused() -> None:
    """A key below something that is no table cannot be set without losing it."""
    with pytest.raises((UsageFault, TypeError)):
        set_key("server = 3\n", ("server", "workers"), 1)
