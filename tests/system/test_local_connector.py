"""The connector to this machine: what runs, what comes back, and that nothing stays."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from carboy.model.command import Command, Completed
from carboy.remote.local import LocalConnector

pytestmark = [pytest.mark.system, pytest.mark.requirement("D3")]


def python(code: str, *, timeout: float = 20, **more: object) -> Completed:
    return LocalConnector().run(Command((sys.executable, "-c", code)), timeout=timeout, **more)  # type: ignore[arg-type]


def gone(pid: int) -> bool:
    """Whether the process ends within the time an answer may take to settle."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
    return False


def test_lines_and_the_code_come_back() -> None:
    """Standard output and error apart and together, and the exit code."""
    answer = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (answer.code, answer.out, answer.err) == (3, ("out",), ("err",))
    assert sorted(answer.lines) == ["err", "out"]
    assert not answer.ok


def test_lines_are_told_while_the_command_runs() -> None:
    """A listener hears every line."""
    heard: list[str] = []
    assert python("print('one'); print('two')", on_line=heard.append).ok
    assert heard == ["one", "two"]


def test_a_listener_that_fails_ends_the_command() -> None:
    """Its fault comes out, and the command does not go on."""

    def fail(line: str) -> None:
        raise RuntimeError(line)

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="one"):
        python("print('one', flush=True); import time; time.sleep(30)", on_line=fail)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(("argv", "code"), [(("carboy-no-such-program",), 127), ((os.devnull,), 126)])
def test_a_program_that_cannot_run_is_an_answer(argv: tuple[str, ...], code: int) -> None:
    """127 where it is missing, 126 where it cannot be run, with its name."""
    answer = LocalConnector().run(Command(argv), timeout=5)
    assert answer.code == code
    assert argv[0] in answer.err[0]


def test_the_environment_is_what_was_handed_in() -> None:
    """A whole environment and the command's own variables, nothing of ours."""
    command = Command((sys.executable, "-c", "import os; print(sorted(os.environ))"), {"OWN": "1"})
    answer = LocalConnector().run(command, timeout=20, environment={"GIVEN": "1"})
    names = answer.out[0]
    assert "'GIVEN'" in names
    assert "'OWN'" in names
    assert "'HOME'" not in names


def test_stdin_is_closed() -> None:
    """Who asks gets the end of input."""
    assert "EOFError" in python("input()").err[-1]


def test_words_reach_the_program_as_they_stand() -> None:
    """No shell looks at them."""
    word = "a b; echo $HOME `id` 'x' \"y\" *"
    command = Command((sys.executable, "-c", "import sys; print(sys.argv[1])", word))
    assert LocalConnector().run(command, timeout=20).out == (word,)


def test_the_deadline_ends_the_whole_tree(tmp_path: Path) -> None:
    """A child, its child and a daemon that left the session are gone after the deadline."""
    code = f"""
import os, pathlib, subprocess, sys, time
folder = pathlib.Path({str(tmp_path)!r})
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
(folder / "child").write_text(str(child.pid))
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        (folder / "daemon").write_text(str(os.getpid()))
        time.sleep(300)
    os._exit(0)
os.wait()
time.sleep(300)
"""
    answer = python(code, timeout=2)
    assert answer.timed_out
    assert gone(int((tmp_path / "child").read_text()))
    assert gone(int((tmp_path / "daemon").read_text()))


def test_what_a_finished_command_left_running_is_ended(tmp_path: Path) -> None:
    """A background process that holds the output open neither keeps the call nor stays."""
    code = f"""
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
"""
    started = time.monotonic()
    assert python(code).ok
    assert time.monotonic() - started < 10
    assert gone(int((tmp_path / "pid").read_text()))


def test_other_processes_of_ours_are_left_alone(tmp_path: Path) -> None:
    """Two commands at the same time do not end each other's processes."""
    import threading

    answers: list[Completed] = []
    slow = threading.Thread(target=lambda: answers.append(python("import time; time.sleep(2); print('done')")))
    slow.start()
    for _ in range(3):
        assert python("pass").ok
    slow.join()
    assert answers[0].out == ("done",)


def test_a_polite_signal_is_not_all() -> None:
    """A command that ignores signals is killed at its deadline."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
    started = time.monotonic()
    answer = python(code, timeout=1.5)
    assert answer.timed_out
    assert answer.code == -9
    assert time.monotonic() - started < 10


def test_endless_output_is_bounded() -> None:
    """A program that prints for ever is ended at its deadline, and a bounded part of its output kept."""
    answer = python("while True: print('noise')", timeout=1.5)
    assert answer.timed_out
    assert len(answer.lines) < 2000
