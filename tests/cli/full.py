#!/usr/bin/python3
"""A full disk: a clear error, nothing acknowledged is lost, and everything goes on when there is space again. The
archive lies in a small file system in memory; where that cannot be mounted, nothing is tested."""
import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile

from cli import Bench, contains, equal, main

BYTES = 256 << 20


def enclose():
    """Become this program again in a mount namespace, root or not."""
    top = tempfile.mkdtemp(prefix='muniment-full-', dir='/tmp')
    users = [] if os.geteuid() == 0 else ['--map-root-user']
    script = 'mount -t tmpfs -o size=$1 none $2 && shift 2 && exec "$@"'
    code = subprocess.run(['unshare', '--mount', *users, 'sh', '-c', script, 'sh', str(BYTES), top, sys.executable, __file__, *sys.argv[1:]],
                          env={**os.environ, 'MUNIMENT_SMALL_DISK': top}, check=False).returncode
    os.rmdir(top)
    return code


class Disk:
    """The small disk, and how much is left on it."""

    def __init__(self, bench):
        self.top = os.environ['MUNIMENT_SMALL_DISK']
        for name in os.listdir(self.top):
            path = os.path.join(self.top, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        self.ballast = os.path.join(self.top, 'ballast')
        bench.archive = type(bench.top)(self.top) / 'archive'
        bench.env['MUNIMENT_ARCHIVE'] = str(bench.archive)
        bench.init()

    def leave(self, kib):
        """A resident process may take some between looking and filling: then again."""
        for tries_left in range(1000, -1, -1):
            self.free()
            st = os.statvfs(self.top)
            try:
                with open(self.ballast, 'wb') as f:
                    os.posix_fallocate(f.fileno(), 0, max(1, st.f_bavail * st.f_frsize - kib * 1024))
                return
            except OSError as error:
                if error.errno != errno.ENOSPC or tries_left == 0:
                    raise

    def free(self):
        if os.path.exists(self.ballast):
            os.unlink(self.ballast)


def file(bench, title, content, filed):
    """What was acknowledged is kept in mind; what was refused must have said why."""
    done = bench.run('-q', 'file', '-s', 'GEN', '-d', 'QC', '-t', title, bench.write('part.txt', content), code=None)
    if done.code == 0:
        filed[done.out.strip()] = content
    else:
        equal(done.code, 1)
        contains(done, 'disk is full')
    return done.code == 0


def check(bench, filed):
    """Every acknowledged record is there and can be found, none is there that nobody knows of, and all is well."""
    listed = [row['number'] for row in bench.json('list', '-s', 'GEN', '--limit', '10000')['rows']]
    equal(sorted(listed), sorted(filed))
    equal(sorted(n[-4:] for n in listed), [f'{i:04}' for i in range(1, len(filed) + 1)])
    for number, content in filed.items():
        equal(bench.run('get', number).out, content)
    found = bench.json('search', '--fresh', '--limit', '100', 'everywhere')
    equal(found['count'], len(filed))
    bench.run('verify')


def words(i, count):
    """Different words, so that index and text cache grow."""
    return 'everywhere ' + ' '.join(f'w{i}x{k * 7919 % 100003:05x}' for k in range(count))


def test_commands_by_themselves(bench):
    disk, filed = Disk(bench), {}
    assert file(bench, 'first', words(0, 10), filed)
    refused = 0
    for i, kib in enumerate((1500, 300, 60, 20, 0), 1):
        disk.leave(kib)
        for k in range(2):
            refused += not file(bench, f'title {i}', words(10 * i + k, 20000 * k + 100), filed)
        done = bench.run('status', code=None)
        assert done.code in (0, 1), done
    assert refused > 2, refused
    disk.free()
    assert file(bench, 'last', words(1000, 10), filed)
    check(bench, filed)


def test_the_resident_process(bench):
    disk, filed = Disk(bench), {}
    server = bench.serve('--unseal-demonstration')
    assert file(bench, 'first', words(0, 10), filed)
    refused = 0
    for i, kib in enumerate((800, 100, 0), 1):
        disk.leave(kib)
        for k in range(4):
            refused += not file(bench, f'title {i}', words(10 * i + k, 30000 * (k % 2) + 100), filed)
        # Who reads is served.
        for number in list(filed)[:2]:
            equal(bench.run('get', number).out, filed[number])
            bench.json('show', number)
        equal(bench.json('list', '-s', 'GEN', '--limit', '10000')['count'] <= len(filed), True)
    disk.free()
    assert file(bench, 'last', words(1000, 10), filed)
    check(bench, filed)
    equal(server.stop(), 0)
    check(bench, filed)


def test_an_import(bench):
    disk = Disk(bench)
    for i in range(250):
        bench.write(f'in/{i:03}.txt', words(i, 1500))
    disk.leave(2500)
    done = bench.run('--json', 'import', '-s', 'GEN', '-d', 'QC', 'in', code=None)
    assert done.code in (0, 1, 8) and (done.code == 0 or 'disk is full' in done.err), done
    disk.free()
    reply = bench.json('import', '-s', 'GEN', '-d', 'QC', 'in')
    equal(reply['filed'] + reply['existing'], 250)
    equal(bench.json('list', '-s', 'GEN')['count'], 250)
    equal(bench.json('search', '--fresh', 'everywhere')['count'], 250)
    bench.run('verify')


def test_everything_that_is_derived(bench):
    disk, filed = Disk(bench), {}
    for i in range(3):
        assert file(bench, f'title {i}', words(i, 5000), filed)
    bench.json('search', '--fresh', 'everywhere')
    for kib in (2000, 400, 40):
        for command in (('reindex',), ('reindex', '--text'), ('checkpoint', '-o', os.path.join(disk.top, 'note'))):
            disk.leave(kib)
            done = bench.run(*command, code=None)
            assert done.code == 0 or re.search('disk is full|No space left', done.err), done
            disk.free()
    check(bench, filed)


if 'MUNIMENT_SMALL_DISK' in os.environ:
    main()
elif subprocess.run(['unshare', '--mount', *([] if os.geteuid() == 0 else ['--map-root-user']), 'sh', '-c',
                     'mount -t tmpfs none /tmp'], capture_output=True, check=False).returncode:
    print('1..0 # SKIP no file system can be mounted here')
else:
    sys.exit(enclose())
