"""The supervisor with real child processes: restarts, logs, stops, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from carboy.errors import Failed, UsageFault
from carboy.targets.local import driver
from carboy.targets.local.logbook import read_entries
from carboy.targets.local.specification import ProcessSpecification, Specification
from carboy.targets.local.state import StateFolder, read_json, state_folder

pytestmark = pytest.mark.system

SECRET = "planted-secret-4711"


def process(name: str, code: str, **more: Any) -> ProcessSpecification:
    return ProcessSpecification(
        name=name,
        instance=1,
        argv=(sys.executable, "-u", "-c", code),
        folder="/",
        variables={**os.environ, **more.pop("variables", {})},
        **more,
    )


def specification(folder: StateFolder, *processes: ProcessSpecification) -> Specification:
    return Specification(
        name="t", tier="production", release=7, url="http://x/", server="s",
        state=str(folder.running), log=str(folder.log),
        log_max_bytes=20_000, log_keep=3, umask=0o027, processes=processes, extra={"stop_timeout": 3},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    made = state_folder(tmp_path)
    made.prepare()
    yield made
    driver.stop(made)


def eventually(question: Callable[[], object], seconds: float = 15.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)
    return answer


def lines(folder: StateFolder) -> list[str]:
    return [item["line"] for item in read_entries(folder.log)]


@pytest.mark.requirement("L3")
def test_output_of_all_processes_is_one_stream_with_time_process_and_release(folder: StateFolder) -> None:
    """stdout and stderr of each process land in the stream, also a last line without its end."""
    code = (
        "import sys, time; print('hello'); print('trouble', file=sys.stderr); "
        "sys.stdout.write('no end'); time.sleep(60)"
    )
    driver.start(
        folder,
        specification(folder, process("web", code), process("mail", "print('post'); import time; time.sleep(60)")),
    )
    eventually(lambda: {"hello", "trouble", "post"} <= set(lines(folder)))
    driver.stop(folder)
    found = {item["line"]: item for item in read_entries(folder.log)}
    assert found["hello"]["stream"] == "out"
    assert found["trouble"]["stream"] == "err"
    assert found["post"]["process"] == "mail"
    assert found["no end"]["release"] == 7
    assert abs(found["hello"]["time"] - time.time()) < 60


@pytest.mark.requirement("R7")
def test_a_process_that_ends_is_started_again_slowly(folder: StateFolder) -> None:
    """A crash loop is restarted with a growing pause, and its state says so."""
    driver.start(folder, specification(folder, process("web", "print('born'); raise SystemExit(3)")))
    first = eventually(lambda: (s := read_json(folder.running)) and s["processes"][0]["exit"] and s)
    assert first["processes"][0]["exit"] == "exit code 3"
    eventually(lambda: lines(folder).count("born") >= 3)
    said = [line for line in lines(folder) if line.startswith("ended with")]
    assert said[:2] == ["ended with exit code 3; starts again in 1 s", "ended with exit code 3; starts again in 2 s"]


@pytest.mark.requirement("R7")
def test_a_killed_process_comes_back(folder: StateFolder) -> None:
    """kill -9 of a process is noticed at once and mended."""
    driver.start(folder, specification(folder, process("web", "import time; time.sleep(60)")))
    pid = eventually(lambda: (read_json(folder.running) or {})["processes"][0]["pid"])
    os.kill(pid, signal.SIGKILL)
    again = eventually(lambda: (p := (read_json(folder.running) or {})["processes"][0]["pid"]) and p != pid and p)
    assert psutil.pid_exists(again)


@pytest.mark.requirement("R6")
def test_stop_leaves_no_process_also_none_that_ran_away(folder: StateFolder) -> None:
    """Children, grandchildren in sessions of their own and daemons are gone after stop."""
    code = (
        "import os, time, sys\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        print('away', os.getpid(), flush=True); time.sleep(600)\n"
        "    os._exit(0)\n"
        "time.sleep(600)\n"
    )
    driver.start(folder, specification(folder, process("web", code)))
    away = int(str(eventually(lambda: [line for line in lines(folder) if line.startswith("away")])[0]).split()[1])
    supervisor = (read_json(folder.running) or {})["pid"]
    assert driver.stop(folder)
    assert not psutil.pid_exists(away)
    assert not psutil.pid_exists(supervisor)
    assert not folder.running.exists()


@pytest.mark.requirement("R6")
def test_a_process_that_will_not_stop_is_killed_at_its_deadline(folder: StateFolder) -> None:
    """SIGTERM is asked first; whoever ignores it is killed when its time is over, and that is said."""
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    driver.start(folder, specification(folder, process("web", code, stop_timeout=0.5)))
    eventually(lambda: "deaf" in lines(folder))
    begun = time.monotonic()
    driver.stop(folder)
    assert time.monotonic() - begun < 10
    assert any("was killed" in line for line in lines(folder))


@pytest.mark.requirement("R6")
def test_running_work_is_finished_at_a_stop(folder: StateFolder) -> None:
    """A process that ends its work at SIGTERM gets its time for that."""
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n    time.sleep(0.5); print('finished', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('ready', flush=True)\n"
        "while True: time.sleep(60)\n"
    )
    driver.start(folder, specification(folder, process("web", code, stop_timeout=10)))
    eventually(lambda: "ready" in lines(folder))
    driver.stop(folder)
    assert "finished" in lines(folder)


@pytest.mark.requirement("R7")
def test_children_follow_a_killed_supervisor(folder: StateFolder) -> None:
    """kill -9 of the supervisor does not leave its processes running for ever, and the next start works."""
    driver.start(folder, specification(folder, process("web", "import time; time.sleep(600)")))
    state = eventually(lambda: (s := read_json(folder.running)) and s["processes"][0]["pid"] and s)
    os.kill(state["pid"], signal.SIGKILL)
    child = state["processes"][0]["pid"]
    eventually(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
    eventually(lambda: driver.running_state(folder) is None)
    driver.start(folder, specification(folder, process("web", "print('second life'); import time; time.sleep(60)")))
    eventually(lambda: "second life" in lines(folder))


@pytest.mark.requirement("E3")
def test_secrets_reach_the_process_and_nothing_else(folder: StateFolder) -> None:
    """A secret of the environment is in no file below the state folder and in no argv."""
    code = "import os, time; print('has it' if os.environ.get('TOKEN') else 'has not'); time.sleep(60)"
    driver.start(folder, specification(folder, process("web", code, variables={"TOKEN": SECRET})))
    eventually(lambda: "has it" in lines(folder))
    texts = [p.read_text(errors="replace") for p in folder.root.rglob("*") if p.is_file()]
    assert not any(SECRET in text for text in texts)
    assert not any(SECRET in " ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"]))


@pytest.mark.requirement("L3")
def test_the_stream_is_rotated_and_bounded(folder: StateFolder) -> None:
    """A talkative process fills no disk: old files go, the newest lines stay readable in order."""
    driver.start(
        folder,
        specification(folder, process("web", "[print('x' * 90, n) for n in range(3000)]; import time; time.sleep(60)")),
    )
    eventually(lambda: any(line.endswith(" 2999") for line in lines(folder)))
    driver.stop(folder)
    files = sorted(p.name for p in folder.log.parent.glob("stream.jsonl*"))
    assert files == ["stream.jsonl", "stream.jsonl.1", "stream.jsonl.2", "stream.jsonl.3"]
    numbers = [int(line.split()[1]) for line in lines(folder) if line.startswith("xxx")]
    assert numbers == list(range(numbers[0], 3000))


@pytest.mark.requirement("R6")
def test_a_program_that_is_missing_is_said(folder: StateFolder) -> None:
    """A command that cannot be started is a line in the stream and a state, not a dead supervisor."""
    wrong = ProcessSpecification(name="mail", instance=1, argv=("/nonexistent/program",), folder="/", variables={})
    driver.start(folder, specification(folder, wrong))
    eventually(lambda: any("cannot be started" in line for line in lines(folder)))
    assert driver.running_state(folder) is not None


@pytest.mark.requirement("R4")
def test_the_lock_names_its_holder_and_a_dead_owner_loses_it(folder: StateFolder) -> None:
    """A second command is refused while the first lives; a lock left by a crash is taken over."""
    with driver.locked(folder, "up"):
        with (
            pytest.raises(Failed, match=f"carboy up is at work here .process {os.getpid()}."),
            driver.locked(folder, "down"),
        ):
            pass
        assert folder.lock.exists()
    assert not folder.lock.exists()
    folder.lock.write_text(json.dumps({"pid": 2**22 - 1, "since": 1.0, "word": "up", "time": 1.0}))
    with driver.locked(folder, "down"):
        assert (read_json(folder.lock) or {})["pid"] == os.getpid()


def test_a_newer_state_is_refused_by_name(folder: StateFolder) -> None:
    """An older Carboy does not touch what a newer one wrote."""
    (folder.root / "VERSION").write_text("99\n")
    with pytest.raises(UsageFault, match="written by a newer Carboy"):
        folder.prepare()


@pytest.mark.requirement("R7")
def test_what_a_killed_supervisor_left_is_ended_by_the_next_word(folder: StateFolder) -> None:
    """A process that ignores SIGTERM outlives its killed supervisor, and no further: stop ends it."""
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    code = f"import signal, time; {ignore}; print('deaf', flush=True); time.sleep(600)"
    driver.start(folder, specification(folder, process("mail", code)))
    eventually(lambda: "deaf" in lines(folder))
    state = read_json(folder.running) or {}
    os.kill(state["pid"], signal.SIGKILL)
    eventually(lambda: driver.running_state(folder) is None)
    assert driver.stop(folder)
    left = state["processes"][0]["pid"]
    assert not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE


@pytest.mark.requirement("R4", "R11")
def test_a_dead_owners_lock_goes_to_one_of_many(folder: StateFolder) -> None:
    """Many commands find the lock of a dead process: at no moment do two of them hold it."""
    code = """
import sys, time
from pathlib import Path
from carboy.errors import Failed
from carboy.targets.local import driver
from carboy.targets.local.state import state_folder
folder = state_folder(Path(sys.argv[1]))
held = Path(sys.argv[1]) / "held"
for _ in range(20):
    try:
        with driver.locked(folder, "up"):
            held.mkdir()
            time.sleep(0.002)
            held.rmdir()
            dead = '{"pid": 4194303, "since": 1, "word": "up"}'
            folder.lock.with_name("new").write_text(dead)
            folder.lock.with_name("new").replace(folder.lock)
    except Failed:
        time.sleep(0.001)
"""
    words = [sys.executable, "-c", code, str(folder.project)]
    many = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    told = [each.communicate(timeout=60)[1] for each in many]
    assert [each.returncode for each in many] == [0, 0, 0, 0], told
