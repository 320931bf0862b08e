#!/usr/bin/python3
"""Hostile and broken files from end to end: each is refused with a reason, or is a record whose text is missing with a
reason. Nothing crashes or hangs, nothing is written outside the archive, and no clear text inside it."""
import ctypes
import io
import os
import pathlib
import socket
import struct
import subprocess
import zipfile

from cli import PROGRAM, contains, equal, main

SAMPLES = pathlib.Path(os.environ['MUNIMENT_SAMPLES'])
GENERAL = ('-s', 'GEN', '-d', 'QC')
# What `show` says about the text of each.
REASONS = {
    'zero.docx': 'empty', 'blank.pdf': 'blank', 'empty.docx': 'blank', 'password.pdf': 'encrypted', 'password.docx': 'encrypted',
    'password.odt': 'encrypted', 'locked.docx': 'encrypted', 'truncated.pdf': 'damaged', 'notpdf.pdf': 'damaged',
    'truncated.docx': 'damaged', 'cutxml.docx': 'damaged', 'laughs.docx': 'bomb', 'external.docx': 'bomb', 'deep.docx': 'bomb',
    'bomb.docx': 'bomb', 'many.docx': 'bomb', 'liar.txt': 'type', 'liar.docx': 'ok', 'liar.pdf': 'ok', 'traversal.docx': 'ok',
}
# These are in the texts above, or in the names of files.
WORDS = ('穿越路径', 'billion laughs', 'password.odt', 'truncated', 'liar', '第一句秘密')


class Watch:
    """Whether anything is made in some folders, even for a moment (inotify)."""

    def __init__(self, *folders):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self.fd >= 0
        for folder in folders:
            assert libc.inotify_add_watch(self.fd, os.fsencode(folder), 0x180) >= 0  # created, moved in

    def names(self):
        try:
            seen = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return []
        at, names = 0, []
        while at < len(seen):
            n = struct.unpack_from('iIII', seen, at)[3]
            names.append(seen[at + 16:at + 16 + n].rstrip(b'\0').decode())
            at += 16 + n
        return names


def watched(bench):
    """No temporary file of ours may appear in any of the places for them."""
    folders = [bench.top / name for name in ('tmp', 'run', 'home')]
    for folder in folders:
        folder.mkdir()
    bench.env.update(TMPDIR=str(folders[0]), XDG_RUNTIME_DIR=str(folders[1]), HOME=str(folders[2]))
    return Watch(*folders)


def in_clear(bench, words):
    """The words that stand in any file of the archive, or in a name."""
    found = set()
    for folder, _, names in os.walk(bench.archive):
        for name in names:
            path = pathlib.Path(folder, name)
            data = os.fsencode(str(path.relative_to(bench.archive))) + path.read_bytes()
            found |= {w for w in words for code in ('utf-8', 'utf-16-le', 'gb18030') if w.encode(code) in data}
    return found


def numbers(bench):
    return {row['title']: row['number'] for row in bench.json('list', '-s', 'GEN', '--limit', '1000')['rows']}


def test_samples_become_records_that_say_why(bench):
    watch = watched(bench)
    bench.init()
    bench.json('config', 'extract.seconds', '5')
    for name in REASONS:
        bench.write(f'in/{name}', (SAMPLES / name).read_bytes())
    bench.write('in/secret.txt', '第一句秘密')
    bench.run('import', *GENERAL, '--allow-copies', 'in')
    bench.run('search', '--fresh', '第一句秘密')
    for row in bench.json('list', '-s', 'GEN', '--limit', '1000')['rows']:
        record = bench.json('show', row['number'])
        part = record['parts'][0]
        equal(bench.run('get', row['number'], binary=True).out, (bench.top / 'in' / part['name']).read_bytes())
        equal((part['name'], part['text']['reason']), (part['name'], REASONS.get(part['name'], 'ok')))
        assert (part['text']['reason'] == 'ok') == ('sentence' not in part['text']), part
    equal(bench.json('list', '-s', 'GEN')['count'], len(REASONS) + 1)
    bench.run('verify')
    equal(watch.names(), [])
    equal(in_clear(bench, WORDS), set())
    assert not os.path.exists('/tmp/muniment-was-here')


def test_one_by_one_they_are_the_same(bench):
    watch = watched(bench)
    bench.init()
    for name in ('laughs.docx', 'truncated.pdf', 'zero.docx', 'liar.docx', 'bomb.docx'):
        number = bench.run('-q', 'file', *GENERAL, '-t', name, SAMPLES / name).out.strip()
        bench.run('search', '--fresh', 'x')
        equal(bench.json('show', number)['parts'][0]['text']['reason'], REASONS[name])
    equal(watch.names(), [])
    equal(in_clear(bench, WORDS), set())


def zipped(pairs):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for name, content in pairs:
            z.writestr(name, content)
    return out.getvalue()


def test_archives_in_archives_are_documents(bench):
    watch = watched(bench)
    bench.init()
    inner = zipped((('../../../../up.txt', b'up'), ('zeros', bytes(50 << 20))))
    bench.write('in/outer.zip', zipped((('inner.zip', inner), ('d/self.zip', zipped((('inner.zip', inner),))), ('a.txt', b'words'))))
    contains(bench.run('import', *GENERAL, 'in'), 'Filed: 3; there already: 0; refused: 0', where='out')
    found = numbers(bench)
    equal(sorted(found), ['a', 'inner', 'self'])
    equal(bench.run('get', found['inner'], binary=True).out, inner)
    bench.run('search', '--fresh', 'words')
    for title in ('inner', 'self'):
        assert bench.json('show', found[title])['parts'][0]['text']['reason'] in ('type', 'bomb'), title
    equal(watch.names(), [])
    assert not list(bench.top.rglob('up.txt'))


def test_names_nobody_should_have(bench):
    bench.init()
    folder = os.fsencode(bench.top / 'in')
    os.mkdir(folder)
    names = (b'a\nb.txt', '\u202egpj.exe'.encode(), b'\xff\xfe.txt', b'\x1b]0;x\x07.txt', b'x.%s%n', b'-rf', b' ', '\u200b.txt'.encode(),
             b"'; rm -rf $HOME #.txt", '‮'.encode() + b'.docx', b'n' * 255)
    for i, name in enumerate(names):
        with open(folder + b'/' + name, 'w', encoding='utf-8') as f:
            f.write(f'content {i}')
    result = bench.run('import', *GENERAL, 'in', code=8)
    for bad in ('\x1b', '\x07', '\u202e', '\udcff'):
        assert bad not in result.out + result.err, result
    contains(result, 'U+000A', 'U+202E', where='out')
    for title in numbers(bench):
        assert title.isprintable(), title
    assert {'x', '-rf', 'n' * 255, "'; rm -rf $HOME #"} <= set(numbers(bench)) | {n.split('.')[0] for n in numbers(bench)}, numbers(bench)
    for name in names[:4]:
        path = os.fsdecode(folder + b'/' + name)
        done = bench.run('file', *GENERAL, '-t', 'x', path, code=1)
        assert done.err.startswith('muniment: ') and '\x1b' not in done.err and '\u202e' not in done.err, done


def test_things_that_are_no_files(bench):
    bench.init()
    top = bench.top
    (top / 'in').mkdir()
    os.mkfifo(top / 'in/pipe')
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(top / 'in/socket'))
    (top / 'in/dangling').symlink_to('nowhere')
    (top / 'in/loop').symlink_to('loop')
    (top / 'in/out').symlink_to('/etc/passwd')
    bench.write('in/sub/good.txt', 'good')
    for path in ('in/pipe', 'in/socket', 'in/dangling', 'in/loop', '/dev/zero', '/dev/null', '/dev/full', 'in/sub'):
        done = bench.run('file', *GENERAL, '-t', 'x', path, code=None)
        assert done.code in (1, 4) and path in done.err, (path, done)
    equal(numbers(bench), {})
    result = bench.run('import', *GENERAL, 'in', code=8)
    contains(result, 'Filed: 1; there already: 0; refused: 5', where='out')
    equal(list(numbers(bench)), ['good'])
    # Pipes without a name are what shells make.
    script = '"$1" -q file -s GEN -d QC -t piped <(echo words) && echo more | "$1" -q file -s GEN -d QC -t stdin /dev/stdin'
    done = subprocess.run(['bash', '-c', script, 'sh', PROGRAM], env=bench.env, capture_output=True, check=False)
    equal((done.returncode, sorted(numbers(bench))), (0, ['good', 'piped', 'stdin']))
    if os.geteuid() != 0:
        bench.write('locked.txt', 'x').chmod(0)
        contains(bench.run('file', *GENERAL, '-t', 'x', 'locked.txt', code=1), 'locked.txt')


def test_two_gigabytes_of_nothing(bench):
    bench.init()
    with open(bench.top / 'sparse.bin', 'wb') as f:
        f.truncate(2 << 30)
    bench.run('config', 'parts.max_bytes', str((2 << 30) - 1))
    contains(bench.run('file', *GENERAL, '-t', 'x', 'sparse.bin', code=1), 'sparse.bin', '2147483647')
    (bench.top / 'in').mkdir()
    os.rename(bench.top / 'sparse.bin', bench.top / 'in/sparse.bin')
    bench.write('in/good.txt', 'good')
    contains(bench.run('import', *GENERAL, 'in', code=8), 'in/sparse.bin', '2147483647', where='out')
    equal(list(numbers(bench)), ['good'])


def test_what_is_too_large_to_read_is_filed_without_text(bench):
    bench.init()
    bench.run('config', 'extract.max_bytes', '2000')
    number = bench.run('-q', 'file', *GENERAL, '-t', 'x', bench.write('large.txt', 'words ' * 500)).out.strip()
    contains(bench.run('search', '--fresh', 'words'), '0 found', where='out')
    equal(bench.json('show', number)['parts'][0]['text']['reason'], 'toolarge')


main()
