"""The clients of databases that are recognised, and what each of them says of its database."""

import sys
from typing import Any, Callable, Iterable, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

Entry = Tuple[str, str, str]  # engine, address, name

PORTS = {
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "redis": 6379,
    "mongodb": 27017,
    "mssql": 1433,
    "oracle": 1521,
    "cockroachdb": 26257,
}
_ALIASES = {"postgres": "postgresql", "pgsql": "postgresql", "mongo": "mongodb", "rediss": "redis"}


class Client(NamedTuple):
    """A class of some library: after one of its methods `makers` an instance knows its database."""

    module: str
    name: str
    makers: Tuple[str, ...]
    describe: Callable[[Any], Iterable[Entry]]

    def kind(self) -> Optional[type]:
        """The class, where its library is loaded."""
        found = getattr(sys.modules.get(self.module), self.name, None)
        return found if isinstance(found, type) else None


def engine_name(text: str) -> str:
    """One name for each engine: `postgres` and `postgresql+psycopg` are postgresql."""
    plain = text.split("+", 1)[0].lower()
    return _ALIASES.get(plain, plain)


def address(engine: str, host: Any, port: Any) -> str:
    """Host and port as one text, with the engine's usual port where none is given; a socket's path stays alone."""
    place = str(host) if host else "localhost"
    if place.startswith("/"):
        return place
    return f"{place}:{port or PORTS.get(engine, '')}".rstrip(":")


def _sqlalchemy(engine: Any) -> Iterable[Entry]:
    url = engine.url
    kind = engine_name(url.drivername)
    if kind == "sqlite":
        yield kind, "", url.database or ":memory:"
        return
    host = url.host or url.query.get("host") or url.query.get("unix_socket")
    yield kind, address(kind, host if isinstance(host, str) else None, url.port), url.database or ""


_PEEWEE = (
    ("sqlite", "sqlite"),
    ("sqlcipher", "sqlite"),
    ("postgres", "postgresql"),
    ("psycopg", "postgresql"),
    ("mysql", "mysql"),
    ("mariadb", "mariadb"),
    ("cockroach", "cockroachdb"),
)


def _peewee(database: Any) -> Iterable[Entry]:
    if not database.database:
        return  # not told yet
    bases = [base.__name__.lower() for base in type(database).__mro__]
    kind = next((engine for base in bases for word, engine in _PEEWEE if word in base), "unknown")
    told = database.connect_params
    if kind == "sqlite":
        yield kind, "", str(database.database)
        return
    text = str(database.database)
    if "://" in text:
        whole = urlsplit(text)  # libpq takes a whole address, password and all, for a name
        yield kind, address(kind, whole.hostname, whole.port), whole.path.lstrip("/")
        return
    yield kind, address(kind, told.get("host") or told.get("unix_socket"), told.get("port")), _name_only(text)


def _name_only(text: str) -> str:
    """The database's name where libpq's "dbname=shop user=me password=..." stands in its place."""
    if "=" in text:
        return next((part[7:] for part in text.split() if part.startswith("dbname=")), "")
    return text


def _pymongo(client: Any) -> Iterable[Entry]:
    for host, port in sorted(client._topology_settings.seeds):
        yield "mongodb", address("mongodb", host, port), ""


def _redis(pool: Any) -> Iterable[Entry]:
    told = pool.connection_kwargs
    place = told.get("path") or address("redis", told.get("host"), told.get("port"))
    yield "redis", place, str(told.get("db") or 0)


def _psycopg2(connection: Any) -> Iterable[Entry]:
    told = connection.get_dsn_parameters()
    yield "postgresql", address("postgresql", told.get("host"), told.get("port")), told.get("dbname", "")


def _psycopg(connection: Any) -> Iterable[Entry]:
    told = connection.info
    yield "postgresql", address("postgresql", told.host, told.port), told.dbname


def _pymysql(connection: Any) -> Iterable[Entry]:
    name = connection.db.decode() if isinstance(connection.db, bytes) else connection.db
    yield "mysql", address("mysql", connection.unix_socket or connection.host, connection.port), name or ""


CLIENTS = (
    # Not Engine.__init__: create_engine() reads its arguments' names to sort its own.
    Client("sqlalchemy.engine.base", "Engine", ("connect", "_contextual_connect", "raw_connection"), _sqlalchemy),
    Client("peewee", "Database", ("init",), _peewee),
    Client("pymongo.mongo_client", "MongoClient", ("__init__",), _pymongo),
    Client("redis.connection", "ConnectionPool", ("__init__",), _redis),
    Client("psycopg2.extensions", "connection", ("__init__",), _psycopg2),
    Client("psycopg", "Connection", ("__init__",), _psycopg),
    Client("pymysql.connections", "Connection", ("__init__",), _pymysql),
)
