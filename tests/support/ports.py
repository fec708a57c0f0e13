"""A port that nobody uses."""

import socket


def unused_port(host: str = "127.0.0.1") -> int:
    """A TCP port that was free a moment ago; ask for it late and use it at once."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])
