# Written by Carboy from carboy.toml; Gunicorn reads it as Python. It works without Carboy.

import os
import threading
import time

# Where it listens
# A proxy in front, or the supervisor, reaches it here.
bind = ('127.0.0.1:8000',)
# Connections that may wait to be accepted.
backlog = 2048

# Workers
# One request at a time in each worker; it needs a proxy in front that buffers slow clients.
worker_class = 'sync'
# 5 workers for 2 CPU (machine).
workers = 5
# Requests after which a worker is replaced; 0 is never.
max_requests = 0
# Spreads it over the workers.
max_requests_jitter = 0
# Each worker imports the app for itself: no connection or lock is shared across a fork.
preload_app = False

# Time
# A worker that gives no sign of life for so many seconds is replaced; with sync workers that is also the longest a request may take.
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

def worker_exit(server, worker):
    """A thread that a library left running must not hold up the stop: by now the requests are answered."""

    def end():
        time.sleep(5)
        server.log.warning("worker %s ended although threads of the app still ran", worker.pid)
        os._exit(0)

    threading.Thread(target=end, daemon=True).start()
