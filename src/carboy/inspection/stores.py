"""Tables: which names, addresses, calls and settings stand for which database, cache or broker."""

import re
from dataclasses import dataclass

SQL = frozenset({"postgresql", "mysql", "mariadb", "sqlite", "mssql", "oracle", "cockroachdb", "sql"})
_SCHEMES = {
    "postgres": "postgresql", "postgresql": "postgresql", "psql": "postgresql", "pgsql": "postgresql",
    "postgis": "postgresql", "mysql": "mysql", "mysql2": "mysql", "mariadb": "mariadb", "sqlite": "sqlite",
    "sqlite3": "sqlite", "mssql": "mssql", "oracle": "oracle", "cockroachdb": "cockroachdb", "redis": "redis",
    "rediss": "redis", "unix": "redis", "memcached": "memcached", "memcache": "memcached", "mongodb": "mongodb",
    "amqp": "rabbitmq", "amqps": "rabbitmq", "pyamqp": "rabbitmq", "mongo": "mongodb",
    "elasticsearch": "elasticsearch", "sqs": "sqs", "sqlitepool": "sqlite", "mysqlpool": "mysql",
    "postgrespool": "postgresql", "postgresext": "postgresql", "sqliteext": "sqlite", "redis-cluster": "redis",
    "redis-sentinel": "redis", "redis+sentinel": "redis", "cassandra": "cassandra", "clickhouse": "clickhouse",
    "duckdb": "duckdb",
}  # fmt: skip


@dataclass(frozen=True)
class Opener:
    """A call that opens a store. `engine` is None where its address says which."""

    engine: str | None
    library: str
    name: str = "main"
    arguments: tuple[str, ...] = ()


def engine_of_address(text: str) -> str | None:
    """The engine that an address such as `postgresql+psycopg2://...` or `db+sqlite://` names."""
    found = re.match(r"^(?:db\+)?([a-z][a-z0-9]*(?:[-][a-z]+)?)(?:\+[a-z0-9_.]+)?:/", text.strip(), re.IGNORECASE)
    return _SCHEMES.get(found[1].lower()) if found else None


_URL = ("url", "uri", "dsn", "conninfo", "database_url", "host", "bind", "conn_str")
OPENERS: dict[str, Opener] = {
    "sqlite3.connect": Opener("sqlite", "sqlite3", arguments=("database",)),
    "aiosqlite.connect": Opener("sqlite", "aiosqlite", arguments=("database",)),
    "apsw.Connection": Opener("sqlite", "apsw"),
    "sqlalchemy.create_engine": Opener(None, "sqlalchemy", arguments=_URL),
    "sqlalchemy.engine.create_engine": Opener(None, "sqlalchemy", arguments=_URL),
    "sqlmodel.create_engine": Opener(None, "sqlmodel", arguments=_URL),
    "sqlalchemy.ext.asyncio.create_async_engine": Opener(None, "sqlalchemy", arguments=_URL),
    "databases.Database": Opener(None, "databases", arguments=_URL),
    "dataset.connect": Opener(None, "dataset", arguments=_URL),
    "records.Database": Opener(None, "records", arguments=_URL),
    "cs50.SQL": Opener(None, "cs50", arguments=_URL),
    "playhouse.db_url.connect": Opener(None, "peewee", arguments=_URL),
    "peewee.SqliteDatabase": Opener("sqlite", "peewee", arguments=("database",)),
    "peewee.PostgresqlDatabase": Opener("postgresql", "peewee", arguments=("host",)),
    "peewee.MySQLDatabase": Opener("mysql", "peewee", arguments=("host",)),
    "psycopg2.connect": Opener("postgresql", "psycopg2", arguments=_URL),
    "psycopg.connect": Opener("postgresql", "psycopg", arguments=_URL),
    "psycopg.AsyncConnection.connect": Opener("postgresql", "psycopg", arguments=_URL),
    "psycopg_pool.ConnectionPool": Opener("postgresql", "psycopg", arguments=_URL),
    "asyncpg.connect": Opener("postgresql", "asyncpg", arguments=_URL),
    "asyncpg.create_pool": Opener("postgresql", "asyncpg", arguments=_URL),
    "pg8000.connect": Opener("postgresql", "pg8000", arguments=("host",)),
    "pymysql.connect": Opener("mysql", "pymysql", arguments=("host",)),
    "aiomysql.create_pool": Opener("mysql", "aiomysql", arguments=("host",)),
    "MySQLdb.connect": Opener("mysql", "mysqlclient", arguments=("host",)),
    "mysql.connector.connect": Opener("mysql", "mysql-connector-python", arguments=("host",)),
    "mysql.connector.pooling.MySQLConnectionPool": Opener("mysql", "mysql-connector-python", arguments=("host",)),
    "mariadb.connect": Opener("mariadb", "mariadb", arguments=("host",)),
    "pyodbc.connect": Opener("mssql", "pyodbc", arguments=_URL),
    "oracledb.connect": Opener("oracle", "oracledb", arguments=_URL),
    "cx_Oracle.connect": Opener("oracle", "cx_Oracle", arguments=_URL),
    "pymongo.MongoClient": Opener("mongodb", "pymongo", arguments=("host",)),
    "pymongo.mongo_client.MongoClient": Opener("mongodb", "pymongo", arguments=("host",)),
    "motor.motor_asyncio.AsyncIOMotorClient": Opener("mongodb", "motor", arguments=("host",)),
    "flask_pymongo.PyMongo": Opener("mongodb", "flask-pymongo", arguments=("uri",)),
    "mongoengine.connect": Opener("mongodb", "mongoengine", arguments=("host",)),
    "redis.Redis": Opener("redis", "redis", "redis", ("host",)),
    "redis.StrictRedis": Opener("redis", "redis", "redis", ("host",)),
    "redis.asyncio.Redis": Opener("redis", "redis", "redis", ("host",)),
    "redis.from_url": Opener("redis", "redis", "redis", _URL),
    "redis.Redis.from_url": Opener("redis", "redis", "redis", _URL),
    "redis.StrictRedis.from_url": Opener("redis", "redis", "redis", _URL),
    "redis.ConnectionPool": Opener("redis", "redis", "redis", ("host",)),
    "redis.ConnectionPool.from_url": Opener("redis", "redis", "redis", _URL),
    "redis.asyncio.from_url": Opener("redis", "redis", "redis", _URL),
    "walrus.Database": Opener("redis", "walrus", "redis", ("host",)),
    "huey.RedisHuey": Opener("redis", "huey", "broker", ("host", "url")),
    "huey.PriorityRedisHuey": Opener("redis", "huey", "broker", ("host", "url")),
    "memcache.Client": Opener("memcached", "python-memcached", "cache", ("servers",)),
    "pylibmc.Client": Opener("memcached", "pylibmc", "cache", ("servers",)),
    "pymemcache.client.base.Client": Opener("memcached", "pymemcache", "cache", ("server",)),
    "pymemcache.Client": Opener("memcached", "pymemcache", "cache", ("server",)),
    "pika.ConnectionParameters": Opener("rabbitmq", "pika", "broker", ("host",)),
    "pika.URLParameters": Opener("rabbitmq", "pika", "broker", _URL),
    "elasticsearch.Elasticsearch": Opener("elasticsearch", "elasticsearch", "search", ("hosts",)),
    "opensearchpy.OpenSearch": Opener("elasticsearch", "opensearch-py", "search", ("hosts",)),
    "meilisearch.Client": Opener("meilisearch", "meilisearch", "search", _URL),
    "neo4j.GraphDatabase.driver": Opener("neo4j", "neo4j", arguments=("uri",)),
    "influxdb_client.InfluxDBClient": Opener("influxdb", "influxdb-client", arguments=_URL),
    "tinydb.TinyDB": Opener("tinydb", "tinydb", arguments=("path",)),
    "duckdb.connect": Opener("duckdb", "duckdb", arguments=("database",)),
}  # fmt: skip
POOLED = re.compile(r"(?:Pooled|Retry|Async)?(Sqlite|CSqlite|SqliteQueue|Postgresql|MySQL)(?:Ext)?Database$")
PEEWEE = {"sqlite": "peewee.SqliteDatabase", "postgresql": "peewee.PostgresqlDatabase", "mysql": "peewee.MySQLDatabase"}

# Settings that hold an address: the store's name in the plan, the library, and the engine where the key itself says it.
ADDRESS_KEYS: dict[str, tuple[str, str | None, str | None]] = {
    "SQLALCHEMY_DATABASE_URI": ("main", "sqlalchemy", None),
    "SQLALCHEMY_DATABASE_URL": ("main", "sqlalchemy", None),
    "SQLALCHEMY_ENGINES": ("main", "sqlalchemy", None),
    "DATABASE_URI": ("main", None, None),
    "DATABASE_URL": ("main", None, None),
    "DB_URL": ("main", None, None),
    "DB_URI": ("main", None, None),
    "DATABASE": ("main", None, None),
    "DB_PATH": ("main", None, "sqlite"),
    "DB_FILE": ("main", None, "sqlite"),
    "DATABASE_PATH": ("main", None, "sqlite"),
    "PONY": ("main", "pony", None),
    "MONGO_URI": ("main", "pymongo", "mongodb"),
    "MONGO_URL": ("main", "pymongo", "mongodb"),
    "MONGODB_URI": ("main", "pymongo", "mongodb"),
    "MONGODB_HOST": ("main", "mongoengine", "mongodb"),
    "MONGODB_SETTINGS": ("main", "mongoengine", "mongodb"),
    "MYSQL_HOST": ("main", "flask-mysqldb", "mysql"),
    "MYSQL_DATABASE_HOST": ("main", "flask-mysql", "mysql"),
    "REDIS_URL": ("redis", "redis", "redis"),
    "REDIS_URI": ("redis", "redis", "redis"),
    "REDIS_HOST": ("redis", "redis", "redis"),
    "RQ_REDIS_URL": ("broker", "rq", "redis"),
    "CELERY_BROKER_URL": ("broker", "celery", None),
    "BROKER_URL": ("broker", "celery", None),
    "CELERY_RESULT_BACKEND": ("results", "celery", None),
    "RESULT_BACKEND": ("results", "celery", None),
    "CACHE_REDIS_URL": ("cache", "flask-caching", "redis"),
    "CACHE_REDIS_HOST": ("cache", "flask-caching", "redis"),
    "CACHE_MEMCACHED_SERVERS": ("cache", "flask-caching", "memcached"),
    "RATELIMIT_STORAGE_URI": ("limits", "flask-limiter", None),
    "RATELIMIT_STORAGE_URL": ("limits", "flask-limiter", None),
    "SESSION_REDIS": ("sessions", "flask-session", "redis"),
    "SOCKETIO_MESSAGE_QUEUE": ("messages", "flask-socketio", None),
    "ELASTICSEARCH_URL": ("search", "elasticsearch", "elasticsearch"),
    "AMQP_URL": ("broker", "pika", "rabbitmq"),
    "CLOUDAMQP_URL": ("broker", None, "rabbitmq"),
    "RABBITMQ_URL": ("broker", None, "rabbitmq"),
}  # fmt: skip

DRIVERS = {
    "psycopg2": "postgresql", "psycopg2-binary": "postgresql", "psycopg": "postgresql",
    "psycopg-binary": "postgresql", "psycopg2cffi": "postgresql", "pg8000": "postgresql", "asyncpg": "postgresql",
    "aiopg": "postgresql", "pymysql": "mysql", "mysqlclient": "mysql", "mysql-connector-python": "mysql",
    "mysql-connector": "mysql", "flask-mysqldb": "mysql", "flask-mysql": "mysql", "mysql-python": "mysql",
    "aiomysql": "mysql", "mariadb": "mariadb", "pyodbc": "mssql", "pymssql": "mssql", "cx-oracle": "oracle",
    "oracledb": "oracle",
}  # fmt: skip
IMAGES = {
    "postgres": "postgresql", "postgis": "postgresql", "timescaledb": "postgresql", "pgvector": "postgresql",
    "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mariadb", "percona": "mysql", "mongo": "mongodb",
    "mongodb": "mongodb", "redis": "redis", "valkey": "redis", "keydb": "redis", "memcached": "memcached",
    "rabbitmq": "rabbitmq", "elasticsearch": "elasticsearch", "opensearch": "elasticsearch", "neo4j": "neo4j",
    "mssql-server": "mssql", "cockroach": "cockroachdb", "mysql-server": "mysql", "redis-stack": "redis",
}  # fmt: skip
