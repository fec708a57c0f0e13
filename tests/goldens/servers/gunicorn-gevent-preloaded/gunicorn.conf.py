# Written by Carboy from carboy.toml; Gunicorn reads it as Python. It works without Carboy.

import os

# With preload_app the app is imported before a worker could patch the library.
from gevent import monkey

monkey.patch_all()

# Where it listens
# A proxy in front, or the supervisor, reaches it here.
bind = ('127.0.0.1:8000',)
# Connections that may wait to be accepted.
backlog = 2048

# Workers
# Greenlets: the standard library is patched so that waiting gives way to other requests.
worker_class = 'gevent'
# 2 workers for 2 CPU (machine).
workers = 2
# Open connections that one worker keeps, idle ones included.
worker_connections = 1000
# Requests after which a worker is replaced; 0 is never.
max_requests = 1000
# Spreads it over the workers.
max_requests_jitter = 100
# The app is imported once before the workers: what it opens then is shared by all of them.
preload_app = True

# Time
# A worker that gives no sign of life for so many seconds is replaced.
timeout = 60
# Seconds that running requests get at SIGTERM.
graceful_timeout = 30
# Seconds an idle connection is kept; sync workers keep none.
keepalive = 5

# What a client may send
# Bytes of the request line.
limit_request_line = 4094
# Header fields.
limit_request_fields = 100
# Bytes of one header field.
limit_request_field_size = 8190

# Who is believed
# Carboy's wrapper believes the configured proxies; Gunicorn nobody,
forwarded_allow_ips = ''
# not even on a Unix socket, where the list above is not asked:
secure_scheme_headers = {}
# neither the scheme nor SCRIPT_NAME is taken from a header.
forwarder_headers = ''
# X_Forwarded_For is not X-Forwarded-For: names with underscores are dropped.
header_map = 'drop'

# Logs
# Carboy's wrapper writes one line for each request, the same under every server.
accesslog = None
# Gunicorn's own words go to stderr.
errorlog = '-'
# Starts, stops and replaced workers are said.
loglevel = 'info'
# With errors on stderr, what the app prints is in the same stream already.
capture_output = False

# The process
# Shown by ps where setproctitle is installed.
proc_name = 'carboy:shop'
# The heartbeat file must be in memory: a slow disk would kill workers.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
# Gunicorn 25.1 and later opens one in the home folder otherwise.
control_socket_disable = True
# Permissions taken away from files that Gunicorn makes;
umask = 0o027

# for those that the app makes it has to be set here, because Gunicorn does so only as a daemon.
os.umask(umask)

def post_fork(server, worker):
    """Let psycopg2 wait the green way: its C code is beyond the reach of the patched library."""
    try:
        import psycopg2  # noqa: F401
    except ImportError:
        return
    try:
        from psycogreen.gevent import patch_psycopg
    except ImportError:
        server.log.warning("psycopg2 without psycogreen: each query stops all requests of its worker")
        return
    patch_psycopg()

def post_worker_init(worker):
    """With preload_app the wrapper came before the fork: this worker has to note SIGTERM for itself."""
    from flask_carboy.drain import DRAIN

    DRAIN.watch()
