"""One event loop for each worker, on which all coroutine views run.

Flask makes a loop for each request: a pool of asynchronous connections, bound to the loop of the first, fails from the
second on. Here the loop lives as long as the process.
"""

import asyncio
import contextvars
import os
import threading
from typing import Any, Awaitable, Callable, List, Optional

from flask_carboy.green import patched_by

View = Callable[..., Awaitable[Any]]
_MISSING = object()


class _Escape:
    """SystemExit and its like would end the loop for all; they are carried out and raised in the request."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Loop:
    """The loop and its thread, started by the first coroutine; a forked child starts its own."""

    def __init__(self) -> None:
        self._forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._thread: Optional[threading.Thread] = None

    def run(self, view: View, *arguments: Any, **named: Any) -> Any:
        """Run the coroutine function `view` to its end, in the context of this thread, and return its result."""
        if threading.current_thread() is self._thread:
            return _beside(view, arguments, named)
        loop = self._loop or self._start()
        after: List[contextvars.Context] = []
        # The task starts in a copy of this thread's context: request, session and g are the same objects there.
        future = asyncio.run_coroutine_threadsafe(_kept(view, arguments, named, after), loop)
        try:
            result = future.result()
        except BaseException:
            future.cancel()  # where this thread was interrupted, such as by the server's timeout
            raise
        finally:
            _take_over(after)
        if isinstance(result, _Escape):
            raise result.error
        return result

    def _start(self) -> asyncio.AbstractEventLoop:
        green = patched_by()
        if green:
            raise RuntimeError(f"coroutine views cannot run under {green}: use a worker with threads, such as gthread")
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_serve, args=(loop,), name="carboy-loop", daemon=True)
                self._thread.start()
                self._loop = loop
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()


async def _kept(view: View, arguments: Any, named: Any, after: List[contextvars.Context]) -> Any:
    try:
        return await view(*arguments, **named)
    except (SystemExit, KeyboardInterrupt) as error:
        return _Escape(error)
    finally:
        after.append(contextvars.copy_context())


def _take_over(after: List[contextvars.Context]) -> None:
    for context in after:
        for variable, value in context.items():
            if variable.get(_MISSING) is not value:
                variable.set(value)


def _beside(view: View, arguments: Any, named: Any) -> Any:
    # A coroutine called something synchronous that needs another coroutine (a signal, a template's hook): the loop
    # waits anyway, so a loop of its own in another thread does it, or both would wait for ever.
    outcome: List[Any] = []
    after: List[contextvars.Context] = []
    context = contextvars.copy_context()

    def work() -> None:
        try:
            outcome.append((asyncio.run(_kept(view, arguments, named, after)), None))
        except BaseException as error:  # carried to the thread that waits
            outcome.append((None, error))

    thread = threading.Thread(target=context.run, args=(work,), daemon=True)
    thread.start()
    thread.join()
    _take_over(after)
    result, error = outcome[0]
    if isinstance(result, _Escape):
        error = result.error
    if error is not None:
        raise error
    return result


LOOP = Loop()
