#!/usr/bin/python3
"""Clients who do harm, over real sockets: each gets a right answer or is cut off, the others notice nothing, and nothing is
left behind."""
import contextlib
import json
import pathlib
import select
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import warnings

from web import Answer, Host, equal, main, wait_until


@contextlib.contextmanager
def host(*files, **more):
    h = Host(*files, **more)
    try:
        yield h
    finally:
        h.stop()


@contextlib.contextmanager
def a_file(n):
    with tempfile.NamedTemporaryFile() as f:
        f.write(bytes(i * 7 % 251 for i in range(4096)) * (n // 4096))
        f.flush()
        yield f.name


def hello(h):
    """The first bytes of a handshake, which then stalls."""
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname='localhost').do_handshake()
    s = h.plain()
    s.sendall(out.read())
    return s


def test_keep_alive_and_pipelines():
    with host() as h:
        with h.connect() as s:
            for _ in range(3):
                equal(h.get('/api/v1/status', connection=s).status, 200)
                equal(h.get('/api/v1/nothing', connection=s).status, 404)
                equal(h.get('/api/v1/records', session='', connection=s).status, 401)
            one = b'GET /api/v1/health HTTP/1.1\r\nHost: a\r\n\r\n'
            s.sendall(one * 5)
            got = b''
            while got.count(b'HTTP/1.1 200') < 5 or not got.endswith(b'ok\n'):
                piece = s.recv(65536)
                assert piece, got
                got += piece


def test_only_new_tls():
    with host() as h:
        with h.connect() as s:
            equal(s.version(), 'TLSv1.3')
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_ciphers('ALL:@SECLEVEL=0')
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                context.minimum_version = context.maximum_version = version
            try:
                with context.wrap_socket(h.plain()) as s:
                    equal(s.version(), 'TLSv1.2')
                    assert 'GCM' in s.cipher()[0] or 'CHACHA' in s.cipher()[0] or 'CCM' in s.cipher()[0], s.cipher()
            except (ssl.SSLError, ConnectionError):
                equal(version, ssl.TLSVersion.TLSv1_1)


def test_stalled_handshakes_cost_nothing():
    with host() as h:
        stalled = [hello(h) for _ in range(20)]
        time.sleep(0.5)
        before, began = h.cpu(), time.monotonic()
        time.sleep(3)
        share = (h.cpu() - before) / (time.monotonic() - began)
        assert share < 0.05, f'{share:.0%} of a core'
        equal(h.get('/api/v1/health', session='').status, 200)
        for s in stalled:
            s.close()


def test_slowloris():
    """A byte now and then keeps no connection for long; those who work are not in the way of it."""
    with host(env={'MUNIMENT_WEB_IDLE': '1'}) as h:
        trickling = []
        for _ in range(50):
            s = h.connect()
            s.sendall(b'GET /api/v1/status HTTP/1.1\r\nHost: a\r\nX-Long: ')
            s.settimeout(0.001)
            trickling.append(s)
        began, cut = time.monotonic(), set()
        while len(cut) < len(trickling) and time.monotonic() - began < 20:
            for s in trickling:
                try:
                    s.sendall(b'y')
                    if s.recv(1) == b'':
                        cut.add(s)
                except (TimeoutError, ssl.SSLWantReadError):
                    pass
                except (OSError, ssl.SSLError):
                    cut.add(s)
            equal(h.get('/api/v1/health', session='').status, 200)
            time.sleep(0.1)
        equal(len(cut), len(trickling))
        with h.connect() as s:  # silent from the beginning
            s.settimeout(20)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                equal(s.recv(1), b'')


def test_plain_http_and_noise():
    with host() as h:
        for noise in (b'GET / HTTP/1.1\r\nHost: a\r\n\r\n', b'\0' * 100, b'\x16\x03\x01\xff\xff' + b'A' * 1000):
            with h.plain() as s:
                s.sendall(noise)
                s.settimeout(10)
                with contextlib.suppress(ConnectionError):
                    s.recv(1000)
        equal(h.get('/api/v1/health', session='').status, 200)


def test_heads_that_are_wrong():
    with host() as h:
        cases = [
            (b'GET /api/v1/status?' + b'&'.join(b'a%d=1' % i for i in range(100000)) + b' HTTP/1.1\r\nHost: a\r\n\r\n',
             (400, 414, 431)),
            (b'GET /' + b'a' * 9000 + b' HTTP/1.1\r\nHost: a\r\n\r\n', (414,)),
            (b'GET / HTTP/1.1\r\nHost: a\r\nX: ' + b'a' * 100000 + b'\r\n\r\n', (431,)),
            (b'GET / HTTP/1.1\r\nHost: a\r\n' + b''.join(b'X%d: a\r\n' % i for i in range(10000)) + b'\r\n', (431,)),
            (b'GET / HTTP/1.1\r\n\r\n', (400,)),
            (b'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', (400,)),
            (b'POST /api/v1/seal HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\norigin: https://b\r\n\r\n', (400,)),
            (b'GET / HTTP/9.9\r\nHost: a\r\n\r\n', (505, 400)),
            (b'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n', (400,)),
            (b'POST /api/v1/records HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', (400, 0)),
            (b'POST /api/v1/records HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n', (400, 0)),
            (b'POST /api/v1/seal HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
             b'Content-Length: 99999999999999999999999\r\n\r\n', (400, 413, 0)),
            (b'\r\n\r\n\r\n', (0, 400)),
            (b'\xff\xfe\xfd HTTP/1.1\r\n\r\n', (400, 0)),
        ]
        for request, wanted in cases:
            with h.connect() as s:
                s.settimeout(2 if wanted[0] == 0 else 10)
                with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                    s.sendall(request)
                try:
                    status = Answer(s).status
                except TimeoutError:
                    status = 0
                assert status in wanted, f'{request[:60]}: {status}, not {wanted}'
        equal(h.get('/api/v1/health', session='').status, 200)


def test_bodies_that_are_wrong():
    as_json = 'Content-Type: application/json'
    with host() as h:
        deep = b'{"a":' * 100000 + b'1' + b'}' * 100000
        equal(h.get('/api/v1/records', as_json, method='POST', body=deep).status, 422)
        wide = json.dumps({f'm{i}': i for i in range(100000)}).encode()
        equal(h.get('/api/v1/records', as_json, method='POST', body=wide).status, 400)
        huge = h.get('/api/v1/records', as_json, method='POST', body=b'x' * (5 << 20))
        equal((huge.status, json.loads(huge.body)['code']), (413, 'limit'))
        # Who asks before sending hears the refusal, not "go on".
        with h.connect() as s:
            s.sendall(b'POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
                      b'Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n')
            equal(Answer(s).status, 413)
        # Five gigabytes that are only announced, and an endless chunked body.
        with h.connect() as s:
            s.sendall(b'POST /api/v1/records HTTP/1.1\r\nHost: a\r\nCookie: __Host-muniment=filer\r\n'
                      b'Content-Type: application/json\r\nContent-Length: 5368709120\r\n\r\n')
            equal(Answer(s).status, 413)
        with h.connect() as s:
            s.settimeout(20)
            sent = 0
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                s.sendall(b'POST /api/v1/records HTTP/1.1\r\nHost: a\r\nCookie: __Host-muniment=filer\r\n'
                          b'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
                while sent < 200 << 20:
                    s.sendall(b'100000\r\n' + b'x' * 0x100000 + b'\r\n')
                    sent += 0x100000
            assert sent < 100 << 20, 'an endless body was read on and on'
        equal(h.get('/api/v1/health', session='').status, 200)


def test_ranges_over_the_wire():
    with a_file(5 << 20) as path, host(path) as h:
        target = f'/api/v1/records/{h.records[0]}/parts/1'
        whole = h.get(target)
        equal((whole.status, len(whole.body)), (200, 5 << 20))
        equal(whole.body, pathlib.Path(path).read_bytes())
        tag = whole.headers['etag']
        middle = h.get(target, 'Range: bytes=4194300-4194309')
        equal((middle.status, middle.body), (206, whole.body[4194300:4194310]))
        equal(h.get(target, 'Range: bytes=99999999-').status, 416)
        equal(h.get(target, 'Range: bytes=9-1').status, 416)
        equal(h.get(target, f'If-None-Match: {tag}').status, 304)
        with h.connect() as s:
            s.sendall(f'HEAD {target} HTTP/1.1\r\nHost: a\r\nCookie: __Host-muniment=reader\r\n\r\n'.encode())
            head = Answer(s, has_body=False)
            equal((head.status, head.headers['content-length'], head.body), (200, str(5 << 20), b''))
            equal(h.get('/api/v1/health', connection=s).status, 200)


def test_headers_cannot_be_injected():
    with host() as h:
        for target in ('/api/v1/numbers/a%0d%0aSet-Cookie:%20x=y', '/api/v1/records/%0d%0aX:y', '/%0d%0aX:%20y',
                       '/api/v1/search?q=%0d%0aX:%20y&lang=%0d%0aX:y'):
            got = h.get(target)
            assert got.status in (200, 400, 404), got.status
            assert b'\r\nX:' not in got.raw and b'Set-Cookie' not in got.raw, got.raw


def test_clients_who_go_away():
    with a_file(24 << 20) as path, host(path) as h:
        target = f'/api/v1/records/{h.records[0]}/parts/1'
        h.get('/api/v1/status')
        before = h.descriptors()
        for i in range(30):
            s = h.connect()
            s.sendall(f'GET {target} HTTP/1.1\r\nHost: a\r\nCookie: __Host-muniment=reader\r\n\r\n'.encode())
            s.recv(1000 * (i % 5))
            if i % 3 == 0:  # not even a goodbye
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
            s.close()
        wait_until(lambda: h.descriptors() <= before + 2)
        equal(len(h.get(target).body), 24 << 20)


def test_who_reads_slowly_holds_no_worker():
    with a_file(24 << 20) as path, host(path) as h:
        target = f'/api/v1/records/{h.records[0]}/parts/1'
        slow = []
        for _ in range(20):  # five times as many as there are workers
            s = h.connect()
            s.sendall(f'GET {target} HTTP/1.1\r\nHost: a\r\nCookie: __Host-muniment=reader\r\n\r\n'.encode())
            slow.append(s)
        began = time.monotonic()
        equal(h.get('/api/v1/records').status, 200)
        assert time.monotonic() - began < 10
        for s in slow:
            s.close()


def test_idle_connections_are_cheap():
    with host() as h:
        h.get('/api/v1/status')
        before, idle = h.memory(), []
        for _ in range(150):  # below the limit of one address; scripts/bench http has a thousand
            s = h.connect()
            idle.append(s)
        each = (h.memory() - before) / len(idle)
        assert each < 65536, f'{each:.0f} bytes for each'
        equal(h.get('/api/v1/health', connection=idle[77]).status, 200)
        for s in idle:
            s.close()


def test_too_many_from_one_address():
    with host() as h:
        many = []
        for _ in range(230):
            s = h.plain()
            many.append(s)
        # Those above the limit are closed at once, whichever they are.
        wait_until(lambda: len(select.select(many, [], [], 0)[0]) == 30)
        for s in many:
            s.close()

        def is_back():
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                return h.get('/api/v1/health', session='').status == 200
            return False

        wait_until(is_back)


def test_many_at_a_time():
    with host() as h:
        results = []

        def client(number):
            with h.connect() as s:
                for i in range(10):
                    body = json.dumps({'series': 'GEN', 'department': '运营部', 'title': f'{number}-{i}'}).encode()
                    got = h.get('/api/v1/records', 'Content-Type: application/json', method='POST', body=body,
                                connection=s)
                    results.append(got.status)
                    results.append(h.get(got.headers['location'], connection=s).status - 1)

        threads = [threading.Thread(target=client, args=(n,)) for n in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(sorted(set(results)), [199, 201])
        equal(len(results), 400)


def test_certificates_are_exchanged():
    with host() as h:
        before = h.certificate()
        tls = h.archive / 'tls'
        with h.connect() as old:
            equal(h.get('/api/v1/health', connection=old).status, 200)
            # Half of a pair is refused, and the old one stays.
            key = (tls / 'key.pem').read_bytes()
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                            '-keyout', tls / 'key.pem', '-out', tls / 'new.pem', '-days', '2', '-subj', '/CN=localhost'],
                           check=True, capture_output=True)
            assert h.reload() != 'ok'
            equal(h.certificate(), before)
            (tls / 'new.pem').rename(tls / 'certificate.pem')
            equal(h.reload(), 'ok')
            after = h.certificate()
            assert after != before
            equal(h.get('/api/v1/health', connection=old).status, 200)
            (tls / 'key.pem').write_bytes(key[:50])
            assert h.reload() != 'ok'
            equal(h.certificate(), after)


def test_stopping_in_the_midst():
    with a_file(24 << 20) as path:
        h = Host(path)
        target = f'/api/v1/records/{h.records[0]}/parts/1'
        s, idle = h.connect(), h.connect()
        s.sendall(f'GET {target} HTTP/1.1\r\nHost: a\r\nCookie: __Host-muniment=reader\r\n\r\n'.encode())
        s.recv(1000)
        began = time.monotonic()
        h.stop()
        assert time.monotonic() - began < 15
        s.close()
        idle.close()


main()
