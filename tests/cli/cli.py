"""cli.py - what the tests of the command line share: run the real program, look at what it says, print TAP.

A test file defines functions that begin with test_ and ends in main(). Each gets a Bench: a folder of its own that is
removed afterwards, and run(), which checks the exit code. Nothing sleeps: a server is awaited through its notification
socket, a prompt through the terminal it writes to, an import through the report it writes."""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import traceback

PROGRAM = os.environ['MUNIMENT_PROGRAM']
LIMIT = 60  # seconds; only a hang takes so long


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f'exit {self.code}\n-- out --\n{self.out}\n-- err --\n{self.err}'


class Bench:
    """A folder, an environment, and the program."""

    def __init__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix='muniment-test-', dir='/tmp'))
        self.archive = self.top / 'archive'
        self.servers = []
        self.env = {key: value for key, value in os.environ.items()
                    if key.startswith(('MUNIMENT_EXTRACT', 'MUNIMENT_SAMPLES', 'ASAN_', 'UBSAN_', 'LSAN_'))}
        self.env.update(PATH=os.environ['PATH'], HOME=str(self.top), LC_ALL='C.UTF-8', MUNIMENT_LANG='en',
                        MUNIMENT_ARCHIVE=str(self.archive), MUNIMENT_ACCOUNT='Operator', TERM='xterm')

    def close(self):
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.top, ignore_errors=True)

    def environment(self, changes):
        env = dict(self.env)
        for key, value in (changes or {}).items():
            if value is None:
                env.pop(key, None)
            else:
                env[key] = str(value)
        return env

    def run(self, *args, code=0, secrets=(), env=None, binary=False, stdin=b'', pass_fds=()):
        """Run to the end without a terminal. `secrets` go through a pipe, a line each."""
        args = [os.fspath(a) for a in args]
        fds = list(pass_fds)
        if secrets:
            reader, writer = os.pipe()
            os.write(writer, ''.join(s + '\n' for s in secrets).encode())
            os.close(writer)
            for _ in secrets:
                args += ['--passphrase-fd', str(reader)]
            fds.append(reader)
        done = subprocess.run([PROGRAM, *args], input=stdin, capture_output=True, timeout=LIMIT, pass_fds=fds,
                              cwd=self.top, env=self.environment(env), start_new_session=True, check=False)
        if secrets:
            os.close(reader)
        out = done.stdout if binary else done.stdout.decode()
        result = Result(done.returncode, out, done.stderr.decode())
        assert 'Sanitizer' not in result.err and 'runtime error' not in result.err, result
        assert code is None or result.code == code, f'{args}: expected exit {code}, got {result}'
        return result

    def json(self, *args, **more):
        return json.loads(self.run('--json', *args, **more).out)

    def init(self, *more):
        """A demonstration archive: it unseals by itself."""
        return self.run('init', '--demonstration', '--operator', 'Operator', *more)

    def write(self, name, content=''):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def serve(self, *more, **options):
        server = Server(self, *more, **options)
        self.servers.append(server)
        return server

    @contextlib.contextmanager
    def terminal(self, *args, columns=80, env=None):
        """The program at a terminal of its own."""
        t = Terminal(self, args, columns, env)
        try:
            yield t
        finally:
            t.close()


class Server:
    """`muniment serve`, ready when the constructor returns."""

    def __init__(self, bench, *args, secrets=(), env=None):
        path = str(bench.top / f'notify-{len(bench.servers)}')
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(path)
        notify.settimeout(LIMIT)
        args, fds, reader = list(args), [], -1
        if secrets:
            reader, writer = os.pipe()
            os.write(writer, ''.join(s + '\n' for s in secrets).encode())
            os.close(writer)
            for _ in secrets:
                args += ['--passphrase-fd', str(reader)]
            fds.append(reader)
        self.log = open(bench.top / f'serve-{len(bench.servers)}.log', 'w+b')
        self.process = subprocess.Popen([PROGRAM, 'serve', *args], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, pass_fds=fds, start_new_session=True, cwd=bench.top,
                                        env=bench.environment({**(env or {}), 'NOTIFY_SOCKET': path}))
        if reader >= 0:
            os.close(reader)
        self.notify = notify
        self.expect(b'READY=1')

    def expect(self, state):
        """Wait for a notification, or the end of the process, which is an error."""
        ended = os.pidfd_open(self.process.pid)
        try:
            ready, _, _ = select.select([self.notify, ended], [], [], LIMIT)
            assert self.notify in ready, f'the server ended or hangs: {self.text()}'
            got = self.notify.recv(4096)
            assert got == state, got
        finally:
            os.close(ended)

    def text(self):
        self.log.seek(0)
        return self.log.read().decode()

    def stop(self, number=signal.SIGTERM):
        """Its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.notify.close()
        if not self.log.closed:
            text = self.text()
            assert 'Sanitizer' not in text and 'runtime error' not in text, text
            self.log.close()
        return code


class Terminal:
    def __init__(self, bench, args, columns, env):
        self.seen = ''
        self.at = 0
        pid, self.fd = pty.fork()
        if pid == 0:
            try:
                os.chdir(bench.top)
                os.execve(PROGRAM, [PROGRAM, *map(os.fspath, args)], bench.environment(env))
            finally:
                os._exit(127)
        self.pid = pid
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
        self.status = None

    def more(self):
        """Something more that it wrote; False at the end."""
        ready, _, _ = select.select([self.fd], [], [], LIMIT)
        assert ready, f'hangs after: {self.seen!r}'
        try:
            piece = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += piece.decode(errors='replace')
        return bool(piece)

    def wait_for(self, text):
        while text not in self.seen[self.at:]:
            assert self.more(), f'ended without {text!r}: {self.seen!r}'
        self.at = self.seen.index(text, self.at) + len(text)

    def type(self, text):
        os.write(self.fd, text.encode())

    def has_echo(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self, code=0):
        """Read to the end; what it showed."""
        while self.more():
            pass
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        assert self.status == code, f'expected exit {code}, got {self.status}: {self.seen!r}'
        return self.seen.replace('\r\n', '\n')

    def close(self):
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def contains(result, *texts, where='err'):
    for text in texts:
        assert text in getattr(result, where), f'{text!r} is not in: {result}'


def matches(result, pattern, where='out'):
    found = re.search(pattern, getattr(result, where), re.M)
    assert found, f'{pattern!r} does not match: {result}'
    return found


def equal(got, expected):
    assert got == expected, f'\n-- expected --\n{expected}\n-- got --\n{got}'


def main():
    tests = [(name[5:], f) for name, f in sys.modules['__main__'].__dict__.items() if name.startswith('test_')]
    wanted = sys.argv[1:]
    tests = [t for t in tests if not wanted or t[0] in wanted]
    failed = 0
    print(f'1..{len(tests)}')
    for number, (name, test) in enumerate(tests, 1):
        bench = Bench()
        try:
            test(bench)
            print(f'ok {number} - {name.replace("_", " ")}', flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f'not ok {number} - {name.replace("_", " ")}')
            print(re.sub(r'^', '# ', traceback.format_exc().rstrip(), flags=re.M), flush=True)
        finally:
            bench.close()
    sys.exit(failed > 0)
