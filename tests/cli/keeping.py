#!/usr/bin/python3
"""Keeping and proving: verification, checkpoints, keys for stock tools, derived data made again, settings."""
import os
import shutil
import subprocess

from cli import contains, equal, main, matches


def fill(bench, count=3):
    bench.init()
    for i in range(count):
        bench.run('file', '-s', 'GEN', '-t', f'title {i}', '-d', 'QC', '--date', '2025-05-20',
                  bench.write('a.txt', f'some words of document {i}'))


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.chmod(0o600)
    path.write_bytes(data)


def test_verified(bench):
    fill(bench)
    for level in ('sealed', 'full'):
        result = bench.run('verify', '--level', level)
        contains(result, 'Verified: nothing is wrong', 'signed by SHA256:', where='out')
        reply = bench.json('verify', '--level', level)
        equal((reply['good'], reply['findings'], reply['level']), (True, [], level))


def test_a_flipped_byte_is_found_and_named(bench):
    fill(bench)
    packs = sorted(bench.archive.glob('volumes/0001.git/objects/pack/*.pack'), key=lambda p: p.stat().st_size)
    flip(packs[-1], packs[-1].stat().st_size // 2)
    result = bench.run('verify', code=6)
    contains(result, 'NOT AS SIGNED', 'FAULT', where='out')
    reply = bench.json('verify', code=6)
    assert not reply['good'] and reply['findings'] and reply['findings'][0]['where'], reply


def test_a_damaged_part_is_never_served(bench):
    fill(bench, 1)
    number = bench.json('list', '-s', 'GEN')['rows'][0]['number']
    for pack in bench.archive.glob('volumes/0001.git/objects/pack/*.pack'):
        size = pack.stat().st_size
        data = bytearray(pack.read_bytes())
        for at in range(40, size - 20, 16):
            data[at] ^= 1
        pack.chmod(0o600)
        pack.write_bytes(data)
    result = bench.run('get', number, code=None)
    assert result.code != 0 and 'some words' not in result.out, result
    bench.run('get', number, '-o', 'out.txt', code=None)
    assert not (bench.top / 'out.txt').exists() and not (bench.top / 'out.txt.part').exists()


def test_the_commands_of_a_proof_run(bench):
    fill(bench, 2)
    number = bench.json('list', '-s', 'GEN')['rows'][0]['number']
    proof = bench.json('proof', number)
    contains(bench.run('proof', number), proof['commit'], 'verify-commit', where='out')
    source = os.environ['MUNIMENT_SOURCE']
    folder = bench.top / 'proof'
    folder.mkdir()
    env = {**bench.env, 'PATH': os.path.dirname(os.environ['MUNIMENT_PROGRAM']) + ':' + os.environ['PATH']}
    outputs = []
    for command in proof['commands']:
        command = command.replace('scripts/', source + '/scripts/')
        done = subprocess.run(['bash', '-o', 'pipefail', '-c', command], cwd=folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        outputs.append(done.stdout)
    assert '\nVERIFIED' in outputs[-1], outputs[-1]
    equal(outputs[4].split()[0], proof['slip_sha256'])
    equal(outputs[5].split()[0], proof['envelopes'][0]['sha256'])


def test_checkpoints_find_an_archive_that_was_turned_back(bench):
    fill(bench, 1)
    shutil.copytree(bench.archive, bench.top / 'old', ignore=lambda *_: ['socket'])
    bench.run('file', '-s', 'GEN', '-t', 'later', '-d', 'QC')
    contains(bench.run('checkpoint', '-o', 'note.txt'), "'note.txt' written")
    note = (bench.top / 'note.txt').read_text()
    matches(type('R', (), {'out': note}), r'^volume 1 [0-9a-f]{40} [0-9a-f]{64}$')
    bench.run('verify', '--checkpoint', 'note.txt')
    result = bench.run('-a', 'old', 'verify', '--checkpoint', 'note.txt', code=6)
    contains(result, 'NOT AS SIGNED', where='out')
    contains(bench.run('verify', '--checkpoint', 'none.txt', code=4), 'none.txt')
    bench.write('junk.txt', 'not a checkpoint\n')
    assert bench.run('verify', '--checkpoint', 'junk.txt', code=None).code in (1, 6)


def test_stock_tools_accept_the_signatures(bench):
    fill(bench, 1)
    bench.run('checkpoint', '-o', 'note.txt')
    contains(bench.run('signers', '-o', 'allowed'), 'signing key SHA256:')
    git = ['git', '-c', f'gpg.ssh.allowedSignersFile={bench.top}/allowed', '-C', f'{bench.archive}/volumes/0001.git']
    heads = subprocess.run([*git, 'log', '--format=%G?', 'main'], capture_output=True, text=True, check=True,
                           env={**bench.env, 'GIT_CONFIG_GLOBAL': '/dev/null'}).stdout.split()
    assert heads and set(heads) == {'G'}, heads
    equal(bench.run('signers').out, (bench.top / 'allowed').read_text())


def test_derived_data_are_made_again(bench):
    fill(bench)
    before = bench.run('-q', 'search', '--fresh', 'words').out, bench.run('-q', 'list').out
    shutil.rmtree(bench.archive / 'derived')
    contains(bench.run('reindex'), 'Registered', where='out')
    equal((bench.run('-q', 'search', '--fresh', 'words').out, bench.run('-q', 'list').out), before)
    shutil.rmtree(bench.archive / 'cache', ignore_errors=True)
    bench.run('reindex', '--text')
    equal(bench.run('-q', 'search', '--fresh', 'words').out, before[0])
    contains(bench.run('compact'), 'Index compacted', where='out')


def test_a_rebuild_can_be_interrupted(bench):
    fill(bench, 1)
    for i in range(120):
        bench.write(f'in/{i}.txt', f'more words, of number {i}')
    bench.run('import', '-s', 'GEN', '-d', 'QC', 'in')
    with bench.terminal('reindex', '--text') as t:
        t.wait_for('\r')  # the first it says of how far it is
        t.type('\x03')
        while t.more():
            pass
        assert os.waitstatus_to_exitcode(os.waitpid(t.pid, 0)[1]) in (0, 130), t.seen
        t.status = 0
    bench.run('reindex')
    contains(bench.run('search', '--fresh', 'words'), '121 found', where='out')


def test_settings(bench):
    fill(bench, 0)
    table = bench.run('config').out
    for word in ('SETTING', 'MEANING', 'extract.workers', 'log.level'):
        assert word in table, table
    contains(bench.run('config', 'extract.workers'), 'how many documents', where='out')
    bench.run('config', 'extract.workers', '3')
    equal(bench.json('config', 'extract.workers')['value'], '3')
    contains(bench.run('config', 'extract.workers', '1000', code=1), 'extract.workers')
    contains(bench.run('config', 'extract.wrokers', code=4), 'extract.wrokers')
    contains(bench.run('config', 'log.level', 'loud', code=1), 'log.level')
    bench.run('config', 'filing.department', '质量管理部')
    number = bench.run('file', '-s', 'GEN', '-t', 'x').out.strip()
    equal(bench.json('show', number)['department'], '质量管理部')
    (bench.archive / 'muniment.yaml').write_text('no.such: 1\n')
    matches(bench.run('list', code=1), r'muniment\.yaml:1', where='err')


def test_nothing_was_set_aside(bench):
    fill(bench, 0)
    assert bench.run('journal', 'acknowledge', '7', code=None).code in (1, 4)


main()
