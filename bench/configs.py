"""The files that the contenders run. HAProxy and telamon get the very same one.

@DIR@ becomes the contender's own temporary directory.
"""

FRONT, BACK, SINK, STATS, SPARE = 21000, 21100, 21090, 21004, 21005

MAXCONN = 9700  # below half of the fd limit of 20000 that the recipe was made with
MAXCONN_SPLICE = 3000  # with splice the pipes count too

SEED_FRONT = f"""
frontend stats-frontend
    bind 127.0.0.1:{STATS}
    mode http
    stats enable
    stats uri /stats
    stats refresh 10s
    stats realm HAProxy\\ Statistics
    stats auth bench:bench
    stats hide-version
"""


def haproxy(mode="http", log=False, seed=False, splice=False, nbthread=1):
    """One frontend, one backend. seed: the options of seed 004 (log targets, stats page, checks) + forwardfor."""
    log = log or seed
    out = ["global", f"    maxconn {MAXCONN_SPLICE if splice else MAXCONN}", f"    nbthread {nbthread}",
           "    stats socket @DIR@/stats.sock mode 600 level admin"]
    if log:
        out.append(f"    log 127.0.0.1:{SINK} local0")
    if seed:
        out.append(f"    log 127.0.0.1:{SINK} local1 notice")
    out += ["defaults", f"    mode {mode}", "    timeout connect 10s", "    timeout client 60s",
            "    timeout server 60s"]
    if log:
        out += ["    log global", f"    option {mode}log"]
    if seed:
        out.append("    option forwardfor")
    if splice:
        out.append("    option splice-auto")
    out += ["frontend fe", f"    bind 127.0.0.1:{FRONT}", "    default_backend be", "backend be",
            "    balance roundrobin"]
    if seed:
        out.append("    option tcp-check")
    checks = " check fall 3 rise 2" if seed else ""
    out += [f"    server s{i} 127.0.0.1:{BACK}{checks}" for i in range(3 if seed else 1)]
    return "\n".join(out) + "\n" + (SEED_FRONT if seed else "")


def haproxy_many(backends, servers):
    """A large file: one host rule for each backend, every server with an address of its own."""
    out = ["global", "    maxconn 1000", "    nbthread 1", "    stats socket @DIR@/stats.sock mode 600 level admin",
           "defaults", "    mode http", "    timeout connect 5s", "    timeout client 60s", "    timeout server 60s",
           "frontend fe", f"    bind 127.0.0.1:{FRONT}"]
    out += [f"    use_backend b{b} if {{ hdr(host) -i h{b}.bench.example }}" for b in range(backends)]
    out.append("    default_backend b0")
    for b in range(backends):
        out.append(f"backend b{b}")
        for s in range(servers):
            n = b * servers + s
            out.append(f"    server s{s} 127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}:{BACK}")
    return "\n".join(out) + "\n"


NGINX_HEAD = """daemon off;
pid nginx.pid;
error_log stderr error;
worker_rlimit_nofile 20000;
"""

NGINX_HTTP = """events { worker_connections 19900; }
http {
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
    keepalive_timeout 600s; keepalive_requests 1000000000;
    log_format bench '$remote_addr:$remote_port [$time_local] $host $upstream_addr '
                     '$request_time $status $bytes_sent "$request"';
    access_log %(log)s;
    upstream be { server 127.0.0.1:%(back)d; keepalive 256; keepalive_requests 1000000000; }
    server {
        listen 127.0.0.1:%(front)d backlog=4096;
        location / {
            proxy_pass http://be;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
        }
    }
}
"""

NGINX_STREAM = """events { worker_connections 19900; }
stream {
    access_log off;
    upstream be { server 127.0.0.1:%(back)d; }
    server { listen 127.0.0.1:%(front)d backlog=4096; proxy_pass be; }
}
"""


def nginx(mode="http", log=False, nbthread=1, stream_module=None):
    head = NGINX_HEAD + (f"worker_processes {nbthread};\n" if nbthread > 1 else "master_process off;\n")
    target = f"syslog:server=127.0.0.1:{SINK},facility=local0 bench" if log else "off"
    values = {"log": target, "front": FRONT, "back": BACK}
    if mode == "tcp":
        load = f"load_module {stream_module};\n" if stream_module else ""
        return load + head + NGINX_STREAM % values
    return head + NGINX_HTTP % values
