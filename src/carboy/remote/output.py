"""Bounded lines out of a stream of bytes that nobody promised to be text."""

import codecs
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

HEAD_LINES = 200
TAIL_LINES = 1000
LONGEST_LINE = 4000
CHUNK = 65536


class KeptLines:
    """The first and the last lines of an output, and a sentence for what was left out between."""

    def __init__(self, head: int = HEAD_LINES, tail: int = TAIL_LINES) -> None:
        self._head: list[str] = []
        self._head_size = head
        self._tail: deque[str] = deque(maxlen=tail)
        self._seen = 0

    def add(self, line: str) -> None:
        self._seen += 1
        if len(self._head) < self._head_size:
            self._head.append(line)
        else:
            self._tail.append(line)

    def lines(self) -> tuple[str, ...]:
        left_out = self._seen - len(self._head) - len(self._tail)
        gap = (f"... {left_out} lines left out ...",) if left_out else ()
        return (*self._head, *gap, *self._tail)


class LineReader(threading.Thread):
    """Reads one pipe to its end, line by line; a line without an end is cut, so that memory stays bounded."""

    def __init__(self, stream: IO[bytes], take: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._take = take
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._cut = False

    def run(self) -> None:
        with self._stream:
            while chunk := self._read():
                self._feed(self._decoder.decode(chunk))
        self._feed(self._decoder.decode(b"", final=True))
        if self._rest:
            self._emit(self._rest)

    def _read(self) -> bytes:
        try:
            return self._stream.read1(CHUNK)  # type: ignore[attr-defined,no-any-return]
        except (OSError, ValueError):
            return b""

    def _feed(self, text: str) -> None:
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            if self._cut:
                self._cut = False
                continue
            self._emit(line)
        if len(self._rest) > LONGEST_LINE:
            if not self._cut:
                self._emit(self._rest)
            self._cut, self._rest = True, ""

    def _emit(self, line: str) -> None:
        line = line.rstrip("\r")
        # A progress bar overwrites its line: only what stood there last was seen.
        line = line.rsplit("\r", 1)[-1]
        self._take(line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + " ...")
