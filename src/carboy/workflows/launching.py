"""From a staged release to one that serves: start, put it through the gate, and say what failed where it did not."""

import os
import secrets
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from carboy.errors import Failed
from carboy.release.asking import Door
from carboy.release.gate import GateReport, GateRequest, pass_gate
from carboy.targets.local import contract, driver
from carboy.targets.local.logbook import read_entries
from carboy.targets.local.record import ReleaseRecord
from carboy.targets.local.specification import ProcessSpecification, Specification
from carboy.targets.local.state import StateFolder

TAIL = 15  # log lines shown with a failure
SETTLE = 3.0  # seconds that processes beside web must live


def specification(
    folder: StateFolder, record: ReleaseRecord, variables: Mapping[str, str], token: str, digest: str
) -> Specification:
    """What the supervisor runs: the web server and every other process, instance by instance."""
    environment = {**variables, contract.GATE_TOKEN: token}
    processes = [
        ProcessSpecification(
            name=item.name,
            instance=instance,
            argv=item.argv,
            folder=item.folder,
            # Only web answers the gate: no other process needs the release's token.
            variables={**(environment if item.name == "web" else dict(variables)), **item.variables},
            stop_signal=item.stop_signal,
            stop_timeout=item.stop_timeout,
        )
        for item in record.processes
        for instance in range(1, item.scale + 1)
    ]
    longest = max((item.stop_timeout for item in record.processes), default=30.0)
    return Specification(
        name=record.name,
        tier=record.tier,
        release=record.number,
        url=record.url,
        server=record.server,
        state=str(folder.running),
        log=str(folder.log),
        log_max_bytes=record.log_max_bytes,
        log_keep=record.log_keep,
        umask=record.umask,
        processes=tuple(processes),
        extra={"stop_timeout": longest, "fingerprint": record.fingerprint, "port": record.port, "digest": digest},
    )


def start_and_gate(
    folder: StateFolder, record: ReleaseRecord, variables: Mapping[str, str], *, digest: str
) -> tuple[int, GateReport]:
    """Start `record` and gate it; the supervisor's process id and what was asked.

    Raises Failed after everything was stopped again; its details end with the last lines of the log.
    """
    token = secrets.token_urlsafe(24)
    refuse_taken_port(record.host, record.port)
    begun = time.time()
    pid = driver.start(folder, specification(folder, record, variables, token, digest))
    try:
        report = pass_gate(gate_request(folder, record, token))
        refuse_data_in_release(folder, report)
        await_others(folder, record)
    except Failed as fault:
        elsewhere = other_ports(folder, record.port)
        driver.stop(folder)
        lines = last_lines(folder, since=begun)
        raise Failed(
            fault.what,
            where=fault.where,
            hint=elsewhere or _hint(fault, lines),
            details=(*fault.details, *_headed(lines)),
        ) from fault
    except BaseException:  # interrupted: nothing half-started is left behind
        driver.stop(folder)
        raise
    return pid, report


def await_others(folder: StateFolder, record: ReleaseRecord) -> None:
    """Raises Failed where a process beside web ends within its first seconds: it would crash for ever."""
    if not any(item.name != "web" and item.scale for item in record.processes):
        return
    deadline = time.monotonic() + SETTLE
    while time.monotonic() < deadline:
        for item in (driver.running_state(folder) or {}).get("processes", []):
            if item["name"] != "web" and item["exit"] is not None:
                lines = last_lines(folder, since=item["since"] - 1, process=item["name"])
                raise Failed(
                    f"process {item['name']} ended with {item['exit']}",
                    where="gate: processes",
                    details=("its last log lines:", *lines),
                    hint=f"mend processes.{item['name']}.command; scale = 0 leaves it out",
                )
        time.sleep(0.1)


def refuse_data_in_release(folder: StateFolder, report: GateReport) -> None:
    """Raises Failed where an SQLite file lies inside the release: the next one would begin without its data."""
    for engine, _, name in report.databases:
        real = Path(name).resolve()
        if engine == "sqlite" and name and real.is_relative_to(folder.releases.resolve()):
            inside = real.relative_to(folder.releases.resolve()).parts[3:]
            raise Failed(
                f"the database {real.name} lies inside the release, and the next release would begin without its data",
                where="gate: database",
                hint=f'in carboy.toml: [app] shared = ["{"/".join(inside)}"]',
            )


def gate_request(folder: StateFolder, record: ReleaseRecord, token: str) -> GateRequest:
    address = "127.0.0.1" if record.host in ("0.0.0.0", "") else record.host  # noqa: S104 - a comparison
    return GateRequest(
        door=Door(address, record.port, f"{'localhost' if address == '127.0.0.1' else address}:{record.port}"),
        token=token,
        workers=record.workers,
        live=record.live,
        ready=record.ready,
        pages=record.pages,
        static=record.static,
        timeout=record.gate_timeout,
        alive=lambda: why_dead(folder),
        prepared=tuple(record.prepared),
    )


def other_ports(folder: StateFolder, port: int) -> str:
    """A hint where the web process listens, but not on the port it was given; else empty."""
    web = [item.pids for item in driver.status_of(folder, "").processes if item.name == "web"]
    ports = sorted({number for pids in web for number in driver.listening_ports(pids)})
    if not ports or port in ports:
        return ""
    shown = ", ".join(map(str, ports))
    return f"its processes listen on port {shown}: the command must take its port from $PORT, which is {port}"


def why_dead(folder: StateFolder) -> str | None:
    """Why the web server cannot be expected to answer any more; None while it may."""
    state = driver.running_state(folder)
    if state is None:
        return "the supervisor is gone"
    for item in state["processes"]:
        if item["name"] == "web" and item["exit"] is not None and item["pid"] is None:
            return f"the server ended with {item['exit']}"
    return None


def last_lines(folder: StateFolder, *, since: float, process: str | None = "web") -> list[str]:
    """The end of the log since a moment (seconds since the epoch), of one process or of all."""
    lines = [
        str(item["line"])
        for item in read_entries(folder.log)
        if item["time"] >= since and process in (None, item["process"])
    ]
    return lines[-TAIL:]


def _hint(fault: Failed, lines: list[str]) -> str:
    if "traceback" in fault.hint and not any("Traceback" in line for line in lines):
        return "the answer above says what is missing; carboy logs shows more"
    return fault.hint


def _headed(lines: list[str]) -> list[str]:
    return ["", "last log lines:", *lines] if lines else []


def refuse_taken_port(host: str, port: int) -> None:
    """Raises Failed where something else listens there already."""
    fault = port_fault(host, port)
    if fault is not None and "in use" not in fault:
        raise Failed(
            f"{host}:{port} cannot be listened on: {fault}",
            where="start",
            hint="name an address of this machine: --host",
        )
    if fault is not None:
        raise Failed(
            f"port {port} cannot be listened on: {fault}",
            where="start",
            hint=f"end what uses it, or choose another: carboy up --port {port + 1}",
        )


def port_fault(host: str, port: int) -> str | None:
    """Why a server cannot listen on `port`, or None where it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            return fault.strerror or str(fault)
    return None


def reserve_port(host: str, first: int, most: int = 100) -> socket.socket:
    """A socket bound to `first`, or to the next port above it that is free; close it when the server is to listen.

    It does not listen itself, and it is bound without SO_REUSEADDR: two projects that start at the same time get two
    ports. Raises Failed where all are taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, first + most):
        holder = socket.socket(family, socket.SOCK_STREAM)
        try:
            holder.bind((host, port))
        except OSError:
            holder.close()
        else:
            return holder
    raise Failed(f"no free port from {first} to {first + most - 1}", where="start", hint="name one with --port")
