"""The gate: what a new release must prove before it is called good."""

import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from carboy.errors import Failed
from carboy.release.asking import Answer, Ask, Door, ask

GATE_HEADER = "X-Carboy-Gate"
GATE_PATH = "/.carboy/gate"
POLL = 0.02  # seconds between looks while the server starts
ROUNDS = 3  # times a page is asked: the first answer of a worker may be right and the later ones wrong
MOST_REDIRECTS = 5
DEBUGGER = "?__debugger__=yes&cmd=resource&f=style.css"
SICK_WORDS = frozenset({"error", "fail", "failed", "failing", "down", "unhealthy", "unavailable", "critical"})


@dataclass(frozen=True)
class GateRequest:
    """What is asked, and of whom.

    `workers` is how many different processes must answer; 0 where the project's own command serves without our wrapper,
    which leaves the pages. `token` the release's secret, `prepared` the databases that
    the release commands opened, `timeout` seconds for the whole, `alive` says why the server is dead, or None.
    """

    door: Door
    token: str
    workers: int
    live: str
    ready: str
    pages: tuple[str, ...]
    static: str | None
    timeout: float
    alive: Callable[[], str | None]
    prepared: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Asked:
    """One line of the gate's report."""

    what: str
    path: str
    verdict: str
    seconds: float


@dataclass(frozen=True)
class GateReport:
    asked: tuple[Asked, ...]
    workers: tuple[str, ...]
    seconds: float
    databases: tuple[tuple[str, str, str], ...] = ()  # engine, address, name


class Gate:
    """Asks everything in order; the first no raises Failed with the exact request and answer."""

    def __init__(self, request: GateRequest) -> None:
        self.request = request
        self.deadline = time.monotonic() + request.timeout
        self.asked: list[Asked] = []

    def pass_(self) -> GateReport:
        """Raises Failed where the release must not be called good."""
        begun = time.monotonic()
        wrapped = self.request.workers > 0
        self._wait_until_it_answers(self.request.live if wrapped else "/")
        if wrapped:
            self._wait_until_ready()
        accounts = self._ask_every_worker() if wrapped else {}
        for page in self.request.pages or ("/",):
            self._ask_page(page)
        self._refuse_debugger()
        databases = self._compare_databases(self._ask_again(accounts))
        if self.request.static is not None:
            self._ask_static(self.request.static)
        return GateReport(tuple(self.asked), tuple(sorted(accounts)), time.monotonic() - begun, databases)

    def _left(self) -> float:
        return self.deadline - time.monotonic()

    def _ask(self, path: str) -> Answer:
        headers = {GATE_HEADER: self.request.token, "Accept": "text/html,application/json;q=0.9,*/*;q=0.8"}
        return ask(self.request.door, Ask(path, headers), timeout=max(0.5, min(10.0, self._left())))

    def _note(self, what: str, answer: Answer, verdict: str) -> None:
        self.asked.append(Asked(what, answer.ask.path, verdict, answer.seconds))

    def _wait_until_it_answers(self, path: str) -> None:
        """Tell a server that died, never listened, or listens and hangs, from one that is merely slow."""
        answer = self._ask(path)
        while answer.status is None:
            reason = self.request.alive()
            if reason is not None:
                raise Failed(reason, where="gate: start", hint="the log lines above say why")
            if self._left() <= 0:
                raise self._never_answered(answer)
            time.sleep(POLL)
            answer = self._ask(path)
        if answer.status >= 500:
            raise self._refusal("alive", answer, f"answered {answer.status}")
        self._refuse_sick_words("alive", answer)
        self._note("alive", answer, str(answer.status))

    def _never_answered(self, answer: Answer) -> Failed:
        if answer.fault == "refused":
            what = f"nothing listens on port {self.request.door.port} after {self.request.timeout:.0f} s"
            hint = "does the app start slowly? raise health.timeout; does its own command use $PORT?"
        else:
            what = f"the server listens but does not answer: {answer.fault}"
            hint = "the app may wait for something at import: a database, a lock, standard input"
        return Failed(what, where="gate: start", hint=hint)

    def _wait_until_ready(self) -> None:
        answer = self._ask(self.request.ready)
        while answer.status is None or answer.status == 503:
            if self._left() <= 0:
                raise self._refusal("ready", answer, "was not ready in time")
            self._refuse_the_dead()
            time.sleep(POLL)
            answer = self._ask(self.request.ready)
        if answer.status >= 500:
            raise self._refusal("ready", answer, f"answered {answer.status}")
        self._note("ready", answer, str(answer.status))

    def _refuse_the_dead(self) -> None:
        reason = self.request.alive()
        if reason is not None:
            raise Failed(reason, where="gate: start", hint="the log lines above say why")

    def _ask_every_worker(self) -> dict[str, dict[str, Any]]:
        """Ask until as many different workers answered as were started; what each says of itself."""
        seen: dict[str, dict[str, Any]] = {}
        wanted = self.request.workers
        width = 1 if wanted == 1 else min(32, 4 * wanted)
        with ThreadPoolExecutor(width) as pool:
            while True:
                for answer in pool.map(self._ask, [GATE_PATH] * width):
                    if answer.status == 200 and answer.worker and answer.worker not in seen:
                        seen[answer.worker] = _json_object(answer)
                        self._note("worker", answer, f"process {answer.worker}")
                if len(seen) >= wanted:
                    break
                self._refuse_the_dead()
                self._refuse_too_few(len(seen))
                time.sleep(POLL)
        return seen

    def _ask_again(self, accounts: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """What the workers opened by now: many open their database at the first page that needs it."""
        if not accounts:
            return []
        with ThreadPoolExecutor(min(32, 4 * len(accounts))) as pool:
            answers = pool.map(self._ask, [GATE_PATH] * min(32, 4 * len(accounts)))
        return [*accounts.values(), *(_json_object(answer) for answer in answers if answer.status == 200)]

    def _refuse_too_few(self, seen: int) -> None:
        if self._left() > 0:
            return
        raise Failed(
            f"{seen} of {self.request.workers} workers answered within {self.request.timeout:.0f} s",
            where="gate: workers",
            hint="a worker may die or hang at import; set health.timeout higher if the app is merely slow",
        )

    def _compare_databases(self, accounts: list[dict[str, Any]]) -> tuple[tuple[str, str, str], ...]:
        """The release commands and the server must have opened the same databases."""
        prepared = {_database(d) for d in self.request.prepared}
        served = {_database(d) for account in accounts for d in account.get("databases", [])}
        for engine in {name for name, *_ in prepared} & {name for name, *_ in served}:
            ours, theirs = (_of(engine, group) for group in (prepared, served))
            if not ours & theirs:
                raise Failed(
                    f"the release commands prepared {_names(ours)}, but the server opened {_names(theirs)}",
                    where="gate: database",
                    hint="give both the same address: set its variable in .env",
                )
        for engine, address, name in sorted(served):
            self.asked.append(Asked("database", f"{address}/{name}" if address else name, engine, 0.0))
        return tuple(sorted(served))

    def _ask_page(self, page: str) -> None:
        for _ in range(ROUNDS):
            answer = self._follow(self._ask(page))
            if answer.status is None:
                raise self._refusal("page", answer, answer.fault)
            if answer.status >= 500:
                raise self._refusal("page", answer, f"answered {answer.status}")
            if page != "/" and answer.status in (404, 410):
                raise self._refusal("page", answer, f"answered {answer.status}")
        self._note("page", answer, f"{answer.status}, {ROUNDS} times")

    def _follow(self, answer: Answer) -> Answer:
        """Follow redirects that stay on this site; one that leaves it (a login elsewhere, https) is an answer."""
        for _ in range(MOST_REDIRECTS):
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            goal = urlsplit(urljoin(f"http://{self.request.door.host}{answer.ask.path}", answer.location))
            if goal.scheme != "http" or goal.netloc != self.request.door.host:
                return answer
            answer = self._ask(goal.path + (f"?{goal.query}" if goal.query else ""))
        raise self._refusal("page", answer, "redirects without end")

    def _refuse_debugger(self) -> None:
        """Werkzeug's debugger runs any code for whoever finds it; it serves its own files on every path."""
        answer = self._ask(f"/{DEBUGGER}")
        if answer.status == 200 and b"debugger" in answer.body and "css" in answer.headers.get("content-type", ""):
            raise Failed(
                "Werkzeug's interactive debugger is open: whoever reaches the site can run any code",
                where="gate: debugger",
                hint="take debug=True out of the code that starts the app",
            )

    def _ask_static(self, path: str) -> None:
        answer = self._ask(path)
        if answer.status != 200:
            raise self._refusal("static", answer, f"answered {answer.status or answer.fault}")
        self._note("static", answer, f"200, {len(answer.body)} bytes")

    def _refuse_sick_words(self, what: str, answer: Answer) -> None:
        """A health route that answers 200 and says in its body that it is ill."""
        status = str(_json_object(answer).get("status", "")).lower()
        if status in SICK_WORDS:
            raise self._refusal(what, answer, f'answered {answer.status}, but says "status": "{status}"')

    def _refusal(self, what: str, answer: Answer, verdict: str) -> Failed:
        shown = [f"> {answer.ask.method} {answer.ask.path}", f"> Host: {self.request.door.host}"]
        if answer.status is None:
            shown.append(f"< {answer.fault}")
        else:
            shown.append(f"< {answer.status}")
            shown.extend(
                f"< {name}: {answer.headers[name]}" for name in ("content-type", "location") if name in answer.headers
            )
            shown.extend(f"< {line}" for line in answer.text(600).splitlines()[:12] if line.strip())
        return Failed(f"{answer.ask.path} {verdict}", where=f"gate: {what}", details=tuple(shown),
                      hint="the traceback among the log lines above names the line")  # fmt: skip


def _json_object(answer: Answer) -> dict[str, Any]:
    try:
        data = json.loads(answer.body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _database(item: dict[str, Any]) -> tuple[str, str, str]:
    return (str(item.get("engine", "")), str(item.get("address", "")), str(item.get("name", "")))


def _of(engine: str, group: Iterable[tuple[str, str, str]]) -> set[tuple[str, str]]:
    return {(address, name) for kind, address, name in group if kind == engine}


def _names(group: set[tuple[str, str]]) -> str:
    return " and ".join(sorted(f"{address}/{name}" if address else name for address, name in group))


def pass_gate(request: GateRequest) -> GateReport:
    """Put a started release through the gate. Raises Failed with what was asked and answered."""
    return Gate(request).pass_()
