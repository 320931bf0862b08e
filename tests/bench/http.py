#!/usr/bin/env python3
"""http.py BUILD [SECONDS] - the web layer against nginx over the same TLS, on the same machine, taking turns: what, ours, theirs,
their ratio (the median of pairs), and the ratio that we want. Needs nginx and wrk."""
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 4
PAIRS = 5 if SECONDS >= 2 else 2
os.environ['MUNIMENT_WEB_HOST'] = str(BUILD / 'tests/www/web-host')
os.environ['MUNIMENT_EXTRACT'] = str(BUILD / 'core/main/muniment-extract')
os.environ.setdefault('MUNIMENT_LANG', 'en')
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'www'))
from web import Answer, Host  # noqa: E402  pylint: disable=wrong-import-position,import-error

LARGE = 100 << 20
COOKIE = 'Cookie: __Host-muniment=filer'
CONF = '''
daemon off; worker_processes 2; pid {top}/nginx.pid; error_log {top}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 1000000; sendfile on; tcp_nopush on; types {{ application/json json; }}
  client_body_temp_path {top}/body; proxy_temp_path {top}/p; fastcgi_temp_path {top}/f; uwsgi_temp_path {top}/u; scgi_temp_path {top}/s;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {tls}/certificate.pem; ssl_certificate_key {tls}/key.pem;
    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_256_GCM_SHA384; root {top}/files;
    client_max_body_size 0; client_body_in_file_only clean;
    location /sink {{ dav_methods PUT; create_full_put_path on; client_body_temp_path {top}/body; root {top}/files; }}
  }}
}}
'''


def say(what, ours, theirs, ratio, wanted):
    print(f'{what:44} {ours:>14} {theirs:>14} {ratio:>7} {wanted:>7}', flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Nginx:
    def __init__(self, top, tls):
        self.port, self.top = free_port(), top
        (top / 'files').mkdir()
        (top / 'nginx.conf').write_text(CONF.format(top=top, tls=tls, port=self.port))
        (top / 'body').mkdir()
        self.process = subprocess.Popen([shutil.which('nginx', path='/usr/sbin:/usr/bin'), '-c', top / 'nginx.conf', '-p', top,
                                         '-g', 'user root;'], stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(('127.0.0.1', self.port)).close()
                return
            except OSError:
                time.sleep(0.02)
        raise SystemExit('nginx does not start')

    def stop(self):
        self.process.terminate()
        self.process.wait()


def wrk(port, path, *headers, connections=64):
    command = ['wrk', '-t1', f'-c{connections}', f'-d{SECONDS}s']
    for h in headers:
        command += ['-H', h]
    command += [f'https://127.0.0.1:{port}{path}']
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wrong = re.search(r'Non-2xx or 3xx responses: (\d+)', text)
    assert not wrong, text
    return float(re.search(r'Requests/sec: +([\d.]+)', text)[1])


def curl(*args):
    done = subprocess.run(['curl', '-sk', '-o', '/dev/null', '-w', '%{http_code} %{time_total}', *args],
                          capture_output=True, text=True, check=True)
    code, seconds = done.stdout.split()
    assert code in ('200', '201', '204'), done.stdout
    return float(seconds)


def pairs(ours, theirs):
    a, b = [], []
    for i in range(PAIRS):
        for side in ((a, ours), (b, theirs)) if i % 2 == 0 else ((b, theirs), (a, ours)):
            side[0].append(side[1]())
    return statistics.median(a), statistics.median(b), statistics.median(x / y for x, y in zip(a, b))


def metadata(h, nginx):
    target = f'/api/v1/records/{h.records[0]}'
    body = h.get(target).body
    (nginx.top / 'files' / 'record.json').write_bytes(body)
    a, b, ratio = pairs(lambda: wrk(h.port, target, COOKIE), lambda: wrk(nginx.port, '/record.json'))
    say(f'record as JSON ({len(body)} bytes), 64 clients, a second', f'{a:.0f}', f'{b:.0f}', f'{ratio:.2f}', '0.75')
    a, b, ratio = pairs(lambda: wrk(h.port, '/api/v1/health'), lambda: wrk(nginx.port, '/record.json'))
    say('the shortest answer', f'{a:.0f}', f'{b:.0f}', f'{ratio:.2f}', '')


def file_by_64(h):
    """Records a second over HTTPS by 64 clients that keep their connections."""
    lua = h.archive.parent / 'file.lua'
    lua.write_text('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                   f'wrk.headers["Cookie"] = "__Host-muniment=filer"\n'
                   'wrk.body = \'{"series":"GEN","department":"运营部","title":"题名 of a record"}\'\n')
    text = subprocess.run(['wrk', '-t1', '-c64', f'-d{SECONDS}s', '-s', lua, f'https://127.0.0.1:{h.port}/api/v1/records'],
                          capture_output=True, text=True, check=True).stdout
    assert 'Non-2xx' not in text, text
    return float(re.search(r'Requests/sec: +([\d.]+)', text)[1])


def core_by_64(h):
    """The same by 64 threads that call the verb in the same process."""
    done = subprocess.run([os.environ['MUNIMENT_WEB_HOST'], '--file', h.archive.parent / f'core-{time.monotonic_ns()}',
                           str(int(SECONDS))], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def filing(h):
    a, b, ratio = pairs(lambda: file_by_64(h), lambda: core_by_64(h))
    say('filing by 64 clients, a second (core)', f'{a:.0f}', f'{b:.0f}', f'{ratio:.2f}', '0.4')


def search(h):
    """What the way over HTTPS adds to what the search itself took, at a connection that is open."""
    with h.connect() as s:
        added, took = [], []
        for _ in range(200):
            began = time.monotonic()
            got = h.get('/api/v1/search?q=%E9%A2%98%E5%90%8D&limit=20', connection=s)
            spent = time.monotonic() - began
            assert got.status == 200, got.body
            took.append(json.loads(got.body)['took_us'] / 1000)
            added.append(spent * 1000 - took[-1])
    say('search: added by HTTPS, ms (the search itself)', f'{statistics.median(added):.2f}', f'{statistics.median(took):.2f}', '', '1')


def large(h, nginx, path):
    target = f'/api/v1/records/{h.records[1]}/parts/1'
    shutil.copy(path, nginx.top / 'files' / 'large.bin')
    mb = LARGE / 1e6
    a, b, ratio = pairs(lambda: mb / curl('-H', COOKIE, f'https://127.0.0.1:{h.port}{target}'),
                        lambda: mb / curl(f'https://127.0.0.1:{nginx.port}/large.bin'))
    say('100 MiB down, MB/s', f'{a:.0f}', f'{b:.0f}', f'{ratio:.2f}', '0.5')


def up(h, nginx, path):
    """The same client for both: one connection, pieces of 4 MiB; ours are requests of their own, each answered when it is sealed."""
    data, mb = path.read_bytes(), LARGE / 1e6

    def ours():
        with h.connect() as s:
            made = h.get('/api/v1/uploads', 'Content-Type: application/json', method='POST', connection=s,
                         body=json.dumps({'name': 'large.bin', 'size': LARGE}).encode())
            facts, began = json.loads(made.body), time.monotonic()
            step = facts['chunk_bytes']
            for i in range(0, LARGE, step):
                got = h.get(made.headers['location'], 'Content-Type: application/octet-stream', f'Upload-Offset: {i}',
                            method='PATCH', body=data[i:i + step], connection=s)
                assert got.status == 204, got.body
            spent = time.monotonic() - began
            h.get(f'/api/v1/uploads/{facts["upload"]}', method='DELETE', connection=s)
        return mb / spent

    def theirs():
        with h.connect(nginx.port) as s:
            began = time.monotonic()
            s.sendall(f'PUT /sink/{time.monotonic_ns()} HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE}\r\n\r\n'.encode())
            for i in range(0, LARGE, 4 << 20):
                s.sendall(data[i:i + (4 << 20)])
            assert Answer(s).status in (201, 204)
            return mb / (time.monotonic() - began)

    a, b, ratio = pairs(ours, theirs)
    say('100 MiB up, MB/s (sealed; theirs only stored)', f'{a:.0f}', f'{b:.0f}', f'{ratio:.2f}', '0.5')


def idle():
    h = Host(env={'MUNIMENT_WEB_CONNECTIONS': '2000'})
    try:
        h.get('/api/v1/status')
        before, open_ones = h.memory(), []

        def connect(n):
            for _ in range(n):
                open_ones.append(h.connect())

        threads = [threading.Thread(target=connect, args=(250,)) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        grown = h.memory() - before
        say(f'{len(open_ones)} idle connections, MiB', f'{grown / 2**20:.0f}', '', '', '64')
        cpu, began = h.cpu(), time.monotonic()
        time.sleep(2)
        say('  their processor time, % of a core', f'{(h.cpu() - cpu) / (time.monotonic() - began) * 100:.1f}', '', '', '')
        for s in open_ones:
            s.close()
    finally:
        h.stop()


def start():
    """From exec to sealed and answering over HTTPS."""
    program, times = BUILD / 'core/main/muniment', []
    with tempfile.TemporaryDirectory() as top:
        subprocess.run([program, 'init', '--demonstration', '--operator', 'O', f'{top}/a'], check=True, capture_output=True)
        for _ in range(5):
            port = free_port()
            began = time.monotonic()
            p = subprocess.Popen([program, '--archive', f'{top}/a', 'serve', '--listen', f'127.0.0.1:{port}'],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while True:
                try:
                    socket.create_connection(('127.0.0.1', port)).close()
                    break
                except OSError:
                    time.sleep(0.001)
            times.append(time.monotonic() - began)
            p.terminate()
            p.wait()
    say('start to sealed-ready, ms', f'{statistics.median(times) * 1000:.0f}', '', '', '100')


def main():
    only = sys.argv[3:]
    with tempfile.TemporaryDirectory(prefix='muniment-bench-') as top:
        top = pathlib.Path(top)
        small, large_file = top / 'small', top / 'large'
        small.write_bytes(b'x' * 5000)
        with open(large_file, 'wb') as f:
            for i in range(LARGE >> 20):
                f.write(os.urandom(4096) * 256)
        say('', 'ours', 'nginx', 'ratio', 'wanted')
        h = Host(small, large_file, env={'MUNIMENT_WEB_CONNECTIONS': '2000', 'MUNIMENT_WEB_WORKERS': '32'})
        (top / 'nginx').mkdir()
        nginx = Nginx(top / 'nginx', h.archive / 'tls')
        try:
            for name, run in (('metadata', lambda: metadata(h, nginx)), ('filing', lambda: filing(h)), ('search', lambda: search(h)),
                              ('down', lambda: large(h, nginx, large_file)), ('up', lambda: up(h, nginx, large_file))):
                if not only or name in only:
                    run()
        finally:
            nginx.stop()
            h.stop()
        for name, run in (('idle', idle), ('start', start)):
            if not only or name in only:
                run()


main()
