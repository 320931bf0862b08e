#!/usr/bin/python3
"""Imports: folders and archives, honest and hostile; interrupted, resumed, nothing doubled."""
import fcntl
import io
import os
import signal
import subprocess
import tarfile
import zipfile

from cli import LIMIT, PROGRAM, contains, equal, main

GENERAL = ('-s', 'GEN', '-d', 'QC')


def archive_of(pairs, kind):
    """Bytes of a .zip or .tar.gz with these (name, content)."""
    out = io.BytesIO()
    if kind == 'zip':
        with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
            for name, content in pairs:
                z.writestr(name, content)
    else:
        with tarfile.open(fileobj=out, mode='w:gz') as t:
            for name, content in pairs:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                t.addfile(info, io.BytesIO(content))
    return out.getvalue()


def counts(reply):
    return tuple(reply[k] for k in ('filed', 'existing', 'refused', 'left_out'))


def titles(bench, series='GEN'):
    return sorted(row['title'] for row in bench.json('list', '-s', series, '--limit', '10000')['rows'])


def test_a_folder_with_archives_in_it(bench):
    bench.init()
    bench.write('in/一.txt', 'one')
    bench.write('in/sub/二.txt', 'two')
    bench.write('in/.DS_Store', 'x')
    bench.write('in/z.zip', archive_of([('三.txt', b'three'), ('d/四.txt', b'four')], 'zip'))
    bench.write('in/t.tar.gz', archive_of([('五.txt', b'five')], 'tar'))
    result = bench.run('import', *GENERAL, 'in')
    contains(result, 'Filed: 5; there already: 0; refused: 0; left out: 1; time', '一般质量记录-', 'in/z.zip › d/四.txt',
             where='out')
    equal(titles(bench), ['一', '三', '二', '五', '四'])
    equal(counts(bench.json('import', *GENERAL, 'in')), (0, 5, 0, 1))
    equal(len(titles(bench)), 5)


def test_the_same_content_under_two_names(bench):
    bench.init()
    bench.write('in/a.txt', 'same')
    bench.write('in/b.txt', 'same')
    equal(counts(bench.json('import', *GENERAL, 'in')), (1, 1, 0, 0))
    equal(counts(bench.json('import', *GENERAL, '--allow-copies', 'in'))[0] > 0, True)


def test_hostile_archives_are_refused_with_reasons(bench):
    bench.init()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as t:
        for name, kind in (('../../up.txt', tarfile.REGTYPE), ('/etc/cron.d/x', tarfile.REGTYPE),
                           ('link', tarfile.SYMTYPE), ('null', tarfile.CHRTYPE), ('good.txt', tarfile.REGTYPE),
                           ('bell\x07.txt', tarfile.REGTYPE), ('gnp\u202efdp.exe', tarfile.REGTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, '/etc/passwd', 4 if kind == tarfile.REGTYPE else 0
            t.addfile(info, io.BytesIO(b'good'))
    bench.write('in/evil.tar', out.getvalue())
    bench.write('in/broken.zip', b'PK\x03\x04 this is not a zip file, whatever it says')
    bench.write('in/bomb.zip', archive_of([('zeros.bin', bytes(64 << 20))], 'zip'))
    (bench.top / 'in/loop').symlink_to('.')
    os.mkfifo(bench.top / 'in/pipe')
    result = bench.run('import', *GENERAL, 'in', code=8)
    for text in ('climbs out of the archive', 'it is a link', 'a device', 'it is a pipe', 'taken for a bomb',
                 'broken.zip', 'U+0007', 'U+202E', 'bell\\x07.txt'):
        contains(result, text, where='out')
    assert '\x07' not in result.out and '\u202e' not in result.out, result
    equal(titles(bench), ['good'])
    assert not (bench.top.parent / 'up.txt').exists()
    equal(counts(bench.json('import', *GENERAL, 'in', code=8))[:2], (0, 1))


def test_names_in_gbk(bench):
    bench.init()
    z = zipfile.ZipFile(bench.top / 'gbk.zip', 'w')
    info = zipfile.ZipInfo('x' * 12)
    z.writestr(info, b'content')
    z.close()
    raw = (bench.top / 'gbk.zip').read_bytes().replace(b'x' * 12, '召回计划.txt'.encode('gbk'))
    bench.write('gbk.zip', raw)
    contains(bench.run('import', *GENERAL, 'gbk.zip'), 'gbk.zip › 召回计划.txt', where='out')
    equal(titles(bench), ['召回计划'])


def test_files_without_content_and_large_ones(bench):
    bench.init()
    bench.write('in/empty.txt')
    bench.write('in/large.bin', os.urandom(1 << 20) * 9)
    equal(counts(bench.json('import', *GENERAL, 'in')), (2, 0, 0, 0))
    number = [r['number'] for r in bench.json('list', '-s', 'GEN')['rows'] if r['title'] == 'large'][0]
    equal(bench.run('get', number, binary=True).out, (bench.top / 'in/large.bin').read_bytes())


def test_dates_of_files_and_dry_runs(bench):
    bench.init()
    path = bench.write('in/a.txt', 'a')
    os.utime(path, (1700000000, 1700000000))
    result = bench.run('import', *GENERAL, '--dry-run', 'in')
    contains(result, 'Would be filed: 1; refused: 0; left out: 0', where='out')
    equal(titles(bench), [])
    bench.run('import', *GENERAL, '--file-dates', 'in')
    equal(bench.json('list', '-s', 'GEN')['rows'][0]['date'], '2023-11-15')


def test_errors_of_the_whole(bench):
    bench.init()
    contains(bench.run('import', *GENERAL, 'nowhere', code=4), 'nowhere')
    bench.write('in/a.txt', 'a')
    contains(bench.run('import', '-s', 'NOPE', '-d', 'QC', 'in', code=4), 'NOPE')
    contains(bench.run('import', *GENERAL, '--report', 'none/r.txt', 'in', code=4), 'none/r.txt')
    equal(titles(bench), [])


def test_the_report_names_every_document(bench):
    bench.init()
    bench.write('in/a.txt', 'a')
    bench.write('in/b.txt', 'a')
    bench.write('in/Thumbs.db', 'x')
    (bench.top / 'in/l').symlink_to('a.txt')
    bench.run('import', *GENERAL, '--report', 'r.tsv', 'in', code=8)
    rows = [line.split('\t') for line in (bench.top / 'r.tsv').read_text().split('\n')[:-1]]
    equal(sorted((r[0], r[2]) for r in rows),
          [('existing', 'in/b.txt'), ('filed', 'in/a.txt'), ('left-out', 'in/Thumbs.db'), ('refused', 'in/l')])
    assert all(len(r) == 4 for r in rows)


def interrupt(bench, extra, number, victim=None, meanwhile=None):
    """Start an import whose report is a pipe, so that it waits for us after its first batch; interrupt it (or the victim)
    there. Returns exit code, output, and what the report says was filed."""
    os.mkfifo(bench.top / 'report')
    process = subprocess.Popen([PROGRAM, 'import', *GENERAL, '--report', 'report', *extra, 'in'], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bench.env, cwd=bench.top,
                               start_new_session=True)
    try:
        with open(bench.top / 'report', 'rb') as report:
            fcntl.fcntl(report, fcntl.F_SETPIPE_SZ, 4096)
            first = report.readline()
            if meanwhile:
                meanwhile(process)
            (victim or process).send_signal(number)
            lines = [first] + report.readlines()
        out, err = process.communicate(timeout=LIMIT)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.unlink(bench.top / 'report')
    return process.returncode, out.decode(), err.decode(), [l for l in lines if l.startswith(b'filed\t')]


def many(bench, count):
    for i in range(count):
        bench.write(f'in/a rather long name of a document, so that the pipe is full soon {i:04}.txt', f'content {i}')


def test_interrupted_and_resumed(bench):
    bench.init()
    many(bench, 350)
    code, out, err, filed = interrupt(bench, (), signal.SIGINT)
    equal(code, 130)
    assert 'the same command again goes on' in err, err
    assert 100 <= len(filed) < 350 and f'Filed: {len(filed)};' in out, (len(filed), out[-300:])
    equal(len(titles(bench)), len(filed))
    equal(counts(bench.json('import', *GENERAL, 'in')), (350 - len(filed), len(filed), 0, 0))
    numbers = sorted(r['number'] for r in bench.json('list', '-s', 'GEN', '--limit', '10000')['rows'])
    equal([n[-4:] for n in numbers], [f'{i:04}' for i in range(1, 351)])


def test_interrupted_through_the_resident_process(bench):
    bench.init()
    many(bench, 350)
    server = bench.serve('--unseal-demonstration')
    code, _, _, filed = interrupt(bench, (), signal.SIGTERM)
    equal(code, 130)
    equal(len(bench.json('list', '-s', 'GEN', '--limit', '10000')['rows']), len(filed))
    equal(counts(bench.json('import', *GENERAL, 'in')), (350 - len(filed), len(filed), 0, 0))
    equal(server.stop(), 0)


def test_killed_and_resumed(bench):
    bench.init()
    many(bench, 250)
    code, _, _, _ = interrupt(bench, (), signal.SIGKILL)
    equal(code, -9)
    reply = bench.json('import', *GENERAL, 'in')
    equal(reply['filed'] + reply['existing'], 250)
    assert reply['existing'] >= 100, reply
    equal(len(titles(bench)), 250)


def test_the_client_is_killed_and_the_server_goes_on(bench):
    bench.init()
    many(bench, 250)
    server = bench.serve('--unseal-demonstration')
    equal(interrupt(bench, (), signal.SIGKILL)[0], -9)
    reply = bench.json('import', *GENERAL, 'in')
    equal((reply['filed'] + reply['existing'], reply['existing'] >= 100), (250, True))
    equal(len(titles(bench)), 250)
    bench.run('verify')
    equal(server.stop(), 0)


def test_the_server_is_killed_and_started_again(bench):
    bench.init()
    many(bench, 250)
    server = bench.serve('--unseal-demonstration')
    code, out, err, filed = interrupt(bench, (), signal.SIGKILL, server.process)
    assert code == 1 and f'Filed: {len(filed)};' in out and 'the same command again goes on' in err, (code, out[-300:], err)
    server.stop()
    server = bench.serve('--unseal-demonstration')
    reply = bench.json('import', *GENERAL, 'in')
    # A batch whose answer did not come may have been filed all the same; none is filed twice.
    equal((reply['filed'] + reply['existing'], reply['existing'] >= len(filed)), (250, True))
    numbers = sorted(r['number'] for r in bench.json('list', '-s', 'GEN', '--limit', '10000')['rows'])
    equal([n[-4:] for n in numbers], [f'{i:04}' for i in range(1, 251)])
    bench.run('verify')
    equal(server.stop(), 0)


def test_others_are_told_who_holds_the_lock(bench):
    bench.init()
    many(bench, 250)

    def meanwhile(process):
        for args in (('file', *GENERAL, '-t', 'x'), ('serve',), ('import', *GENERAL, 'in')):
            contains(bench.run(*args, code=7), f'pid {process.pid}')
        assert len(titles(bench)) >= 0  # who only reads needs no lock

    equal(interrupt(bench, (), signal.SIGINT, meanwhile=meanwhile)[0], 130)


def test_making_it_searchable_can_be_left_for_later(bench):
    bench.init()
    many(bench, 120)
    with bench.terminal('import', *GENERAL, 'in', columns=100) as t:
        t.wait_for('making it searchable')
        t.type('\x03')
        t.end()
    contains(bench.run('search', '--fresh', 'content'), '120 found', where='out')


def test_progress_in_a_log_and_at_a_terminal(bench):
    bench.init()
    many(bench, 120)
    result = bench.run('import', *GENERAL, 'in')
    contains(result, 'import  ', 'documents  100%')
    bench.write('in/one more.txt', 'more')
    with bench.terminal('import', *GENERAL, 'in', columns=70) as t:
        shown = t.end()
        assert '\r' in shown and '\x1b[K' in shown, shown
        assert 'there already: 120' in shown, shown
    equal(bench.run('-q', 'import', *GENERAL, 'in').err, '')


main()
