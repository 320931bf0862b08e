#!/usr/bin/env python3
"""soak.py SECONDS - the web layer under everything at once, for a long time: people who file, revise, read, search and send
large parts; clients who break off, trickle, send noise; certificates that are read again. Nothing may grow: descriptors are
counted all the while, and the host's sanitizers say at the end what was lost. scripts/soak runs it."""
import contextlib
import json
import os
import random
import socket
import ssl
import sys
import tempfile
import threading
import time

from web import Host

WORDS = ('召回计划', '责任到人', '灭菌', '接头渗液', 'YG-150', '质量例会')
AS_JSON = 'Content-Type: application/json'
BROKEN = (OSError, ssl.SSLError, ConnectionError, TimeoutError)


class Soak:
    def __init__(self, host, seconds):
        self.host, self.end = host, time.monotonic() + seconds
        self.records, self.lock, self.counts, self.wrong = list(host.records), threading.Lock(), {}, []

    def note(self, what, status, wanted):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1
            if status not in wanted:
                self.wrong.append((what, status))

    def a_record(self, rng):
        with self.lock:
            return rng.choice(self.records)

    # ---- people

    def file(self, rng, s):
        body = {'series': 'GEN', 'department': '运营部', 'title': f'{rng.choice(WORDS)} {rng.randrange(10**6)}'}
        got = self.host.get('/api/v1/records', AS_JSON, method='POST', body=json.dumps(body).encode(), connection=s)
        self.note('file', got.status, (201,))
        if got.status == 201:
            with self.lock:
                self.records = self.records[-500:] + [json.loads(got.body)['record']]

    def revise(self, rng, s):
        target = f'/api/v1/records/{self.a_record(rng)}'
        tag = self.host.get(target, connection=s).headers.get('etag', '"1"')
        got = self.host.get(target, AS_JSON, f'If-Match: {tag}', method='PATCH', connection=s,
                            body=json.dumps({'title': f'{rng.choice(WORDS)} {rng.randrange(10**6)}', 'reason': 'soak'}).encode())
        self.note('revise', got.status, (200, 412))

    def read(self, rng, s):
        record = self.a_record(rng)
        for path, wanted in (('', (200,)), ('/log', (200,)), ('/proof', (200,)), ('/parts/1', (200, 404))):
            self.note('read' + path, self.host.get(f'/api/v1/records/{record}{path}', connection=s).status, wanted)

    def search(self, rng, s):
        with self.lock:
            word = rng.choice(WORDS)
        q = ''.join(f'%{b:02X}' for b in word.encode())
        self.note('search', self.host.get(f'/api/v1/search?q={q}&facets=1', connection=s).status, (200,))
        self.note('list', self.host.get('/api/v1/records?limit=20', connection=s).status, (200,))

    def upload(self, rng, s):
        size = rng.choice((1000, 5 << 20, 9 << 20))
        made = self.host.get('/api/v1/uploads', AS_JSON, method='POST', body=json.dumps({'name': 'p', 'size': size}).encode(),
                             connection=s)
        self.note('upload', made.status, (201,))
        if made.status != 201:
            return
        facts, offset = json.loads(made.body), 0
        target = f'/api/v1/uploads/{facts["upload"]}'
        while offset < size:
            piece = os.urandom(1000) * (min(facts['chunk_bytes'], size - offset) // 1000 + 1)
            piece = piece[:min(facts['chunk_bytes'], size - offset)]
            if rng.random() < 0.1:  # cut in the middle, and asked how far it is
                with contextlib.suppress(*BROKEN), self.host.connect() as cut:
                    cut.sendall(f'PATCH {target} HTTP/1.1\r\nHost: a\r\nCookie: __Host-muniment=filer\r\nUpload-Offset: {offset}\r\n'
                                f'Content-Type: application/octet-stream\r\nContent-Length: {len(piece)}\r\n\r\n'.encode() + piece[:999])
            got = self.host.get(target, 'Content-Type: application/octet-stream', f'Upload-Offset: {offset}', method='PATCH',
                                body=piece, connection=s)
            self.note('piece', got.status, (204, 409, 503))
            offset = int(got.headers.get('upload-offset', offset))
        got = self.host.get(target + '/finish', AS_JSON, method='POST', body=b'{}', connection=s)
        self.note('finish', got.status, (200,))
        body = {'series': 'GEN', 'department': '运营部', 'title': 'with a part', 'parts': [{'upload': facts['upload']}]}
        got = self.host.get('/api/v1/records', AS_JSON, method='POST', body=json.dumps(body).encode(), connection=s)
        self.note('file part', got.status, (201,))

    # ---- the others

    def break_off(self, rng, _):
        with contextlib.suppress(*BROKEN), self.host.connect() as s:
            s.sendall(f'GET /api/v1/records/{self.host.records[0]}/parts/1 HTTP/1.1\r\nHost: a\r\n'
                      'Cookie: __Host-muniment=reader\r\n\r\n'.encode())
            s.recv(rng.randrange(1, 100000))
            if rng.random() < 0.5:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        self.note('break off', 0, (0,))

    def noise(self, rng, _):
        with contextlib.suppress(*BROKEN):
            if rng.random() < 0.5:
                with self.host.plain() as s:
                    s.sendall(os.urandom(rng.randrange(1, 2000)))
            else:
                with self.host.connect() as s:
                    s.settimeout(5)
                    s.sendall(b'GET /' + os.urandom(rng.randrange(1, 3000)) + b'\r\n\r\n')
                    s.recv(1000)
        self.note('noise', 0, (0,))

    def trickle(self, rng, _):
        with contextlib.suppress(*BROKEN), self.host.connect() as s:
            for c in b'GET /api/v1/status HTTP/1.1\r\nHost: a\r\nX: ' + b'y' * rng.randrange(50):
                s.sendall(bytes([c]))
                time.sleep(0.01)
        self.note('trickle', 0, (0,))

    # ---- all of them

    def one(self, number):
        rng = random.Random(number)
        todo = [self.file, self.revise, self.read, self.read, self.search, self.search, self.upload, self.break_off, self.noise,
                self.trickle]
        while time.monotonic() < self.end and self.host.process.poll() is None:
            try:
                with self.host.connect() as s:
                    for _ in range(rng.randrange(1, 20)):
                        rng.choice(todo)(rng, s)
            except BROKEN as e:
                with self.lock:
                    self.wrong.append(('connection', repr(e)))

    def run(self):
        threads = [threading.Thread(target=self.one, args=(n,)) for n in range(12)]
        for t in threads:
            t.start()
        began, told = time.monotonic(), 0
        while time.monotonic() < self.end and self.host.process.poll() is None:
            time.sleep(min(5, max(0, self.end - time.monotonic())))
            self.note('reload', self.host.reload(), ('ok',))
            if time.monotonic() - told > 60:
                told = time.monotonic()
                print(f'{told - began:6.0f} s  {sum(self.counts.values())} requests, {self.host.descriptors()} descriptors, '
                      f'{self.host.memory() >> 20} MiB', flush=True)
        for t in threads:
            t.join()


def main():
    with tempfile.NamedTemporaryFile() as f:
        f.write(os.urandom(1 << 20) * 12)
        f.flush()
        host = Host(f.name)
        host.get('/api/v1/status')
        before = host.descriptors()
        soak = Soak(host, float(sys.argv[1]))
        soak.run()
        time.sleep(2)
        if host.process.poll() is not None:
            sys.exit(f'NOT OK: the host ended with {host.process.returncode}\n{host.text()}')
        after = host.descriptors()
        health = host.get('/api/v1/health').status
        host.stop()  # and the sanitizers have their say
    for what, n in sorted(soak.counts.items()):
        print(f'{n:8} {what}')
    # Volumes, packs and index shards come to be open; connections must not stay.
    ok = not soak.wrong and health == 200 and after < before + 60
    print(f'{"ok" if ok else "NOT OK"}: {len(soak.wrong)} wrong answers {soak.wrong[:5]}, descriptors {before} and {after}')
    sys.exit(not ok)


main()
