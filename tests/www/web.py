"""What the tests of the web layer share: a host of its own for each, requests over sockets whose bytes we choose."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

HOST = os.environ.get('MUNIMENT_WEB_HOST', '')
LIMIT = 30


class Host:
    """tests/www/host with an archive in a temporary folder."""

    def __init__(self, *files, env=None):
        self.folder = tempfile.TemporaryDirectory(prefix='muniment-www-')
        self.archive = pathlib.Path(self.folder.name) / 'archive'
        self.log = open(pathlib.Path(self.folder.name) / 'log', 'w+b')
        self.process = subprocess.Popen([HOST, self.archive, '127.0.0.1:0', *files], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        env={**os.environ, **(env or {})})
        self.records = []
        self.port = 0
        for line in self.process.stdout:
            word, _, value = line.strip().partition(' ')
            if word == 'port':
                self.port = int(value)
            elif word == 'record':
                self.records.append(value)
            elif word == 'ready':
                return
        raise AssertionError(f'the host does not start: {self.text()}')

    def text(self):
        self.log.seek(0)
        return self.log.read().decode(errors='replace')

    def cpu(self):
        """Seconds of processor time so far."""
        fields = pathlib.Path(f'/proc/{self.process.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def memory(self):
        """Private bytes in memory."""
        text = pathlib.Path(f'/proc/{self.process.pid}/smaps_rollup').read_text()
        return sum(int(n) for n in re.findall(r'^Private_\w+: +(\d+) kB', text, re.M)) * 1024

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def reload(self):
        self.process.send_signal(signal.SIGHUP)
        return self.process.stdout.readline().strip().partition(' ')[2]

    def stop(self):
        if self.process.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            try:
                self.process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        text = self.text()
        assert 'Sanitizer' not in text and 'runtime error' not in text, text
        assert self.process.returncode == 0, (self.process.returncode, text)
        self.log.close()
        self.folder.cleanup()

    # ---- connections

    def plain(self, port=None):
        s = socket.create_connection(('127.0.0.1', port or self.port), LIMIT)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def connect(self, port=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(self.plain(port))

    def certificate(self):
        with self.connect() as s:
            return s.getpeercert(binary_form=True)

    def ask(self, request, connection=None):
        """Send bytes, read one answer."""
        if connection:
            connection.sendall(request)
            return Answer(connection)
        with self.connect() as s:
            s.sendall(request)
            return Answer(s)

    def get(self, target, *headers, method='GET', body=b'', session='filer', connection=None):
        head = [f'{method} {target} HTTP/1.1', f'Host: 127.0.0.1:{self.port}', *headers]
        if session:
            head.append(f'Cookie: __Host-muniment={session}')
        if body:
            head.append(f'Content-Length: {len(body)}')
        return self.ask('\r\n'.join(head).encode() + b'\r\n\r\n' + body, connection)


class Answer:
    """Status, headers and body of what stands next on a connection; status 0 when it was closed."""

    def __init__(self, connection, has_body=True):
        self.status, self.headers, self.body, self.raw = 0, {}, b'', b''
        head = b''
        try:
            while b'\r\n\r\n' not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
        except (ConnectionError, ssl.SSLError):
            return
        self.raw, _, self.body = head.partition(b'\r\n\r\n')
        lines = self.raw.decode('latin-1').split('\r\n')
        self.status = int(lines[0].split()[1])
        for line in lines[1:]:
            name, _, value = line.partition(': ')
            assert name.lower() not in self.headers, f'twice: {line}'
            self.headers[name.lower()] = value
        if has_body and self.status != 304:
            while len(self.body) < int(self.headers.get('content-length', 0)):
                piece = connection.recv(1 << 20)
                if not piece:
                    break
                self.body += piece


def wait_until(what, seconds=LIMIT):
    """Poll a condition that another process brings about."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, 'it did not happen'
        time.sleep(0.02)


def equal(got, expected):
    assert got == expected, f'\n-- expected --\n{expected}\n-- got --\n{got}'


def main():
    tests = [(name[5:], f) for name, f in sys.modules['__main__'].__dict__.items() if name.startswith('test_')]
    wanted = sys.argv[1:]
    tests = [t for t in tests if not wanted or t[0] in wanted]
    failed = 0
    print(f'1..{len(tests)}')
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f'ok {number} - {name.replace("_", " ")}', flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f'not ok {number} - {name.replace("_", " ")}')
            print(re.sub(r'^', '# ', traceback.format_exc().rstrip(), flags=re.M), flush=True)
    sys.exit(failed > 0)
