#!/usr/bin/python3
"""Who holds the keys: making an archive, passphrases from everywhere, unsealing here and in the resident process."""
import os
import signal

from cli import contains, equal, main, matches

A, B, C, NEW = 'first passphrase', '第二句口令很长', 'third passphrase', 'a new passphrase'


def make(bench, *more, custodians=('Chen', '刘洋', 'Zhou')):
    flags = [word for name in custodians for word in ('--custodian', name)]
    return bench.run('init', '--cheap-passphrases', '--operator', 'Operator', *flags, *more,
                     secrets=(A, B, C)[:len(custodians)])


def test_init_says_what_was_made(bench):
    out = make(bench).out
    for pattern in (r'archive id +[0-9a-f]{32}$', r'first account +u-00001$', r'signing key +SHA256:\S{43}$',
                    r'certificate +([0-9A-F]{2}:){31}[0-9A-F]{2}$', r'series +\d+$'):
        matches(make_result(out), pattern)
    equal(oct(bench.archive.stat().st_mode & 0o777), '0o700')
    contains(bench.run('init', '--demonstration', code=5), 'not empty')


def make_result(out):
    class Only:
        pass
    Only.out = out
    return Only


def test_init_refuses_weak_custody(bench):
    contains(bench.run('init', '-c', 'Chen', secrets=(A,), code=1), 'one custodian is not enough')
    contains(bench.run('init', code=1), 'two or more custodians must be named')
    contains(bench.run('init', '-c', 'Chen', '-c', 'Liu', secrets=(A, A), code=1), 'the same passphrase')
    contains(bench.run('init', '--cheap-passphrases', '-c', 'Chen', '-c', 'Liu', secrets=(A, 'short'), code=1),
             'passphrase')
    contains(bench.run('init', '--cheap-passphrases', '-c', 'Chen', '-c', 'Chen', secrets=(A, B), code=5), 'Chen')
    contains(bench.run('init', '-c', 'Chen', '-c', 'Liu', secrets=(A,), code=3), 'a passphrase is needed')
    assert not bench.archive.exists() or not list(bench.archive.iterdir())


def test_any_two_open_it_in_any_order(bench):
    make(bench)
    for two in ((A, B), (B, C), (C, A)):
        contains(bench.run('account', 'list', secrets=two), 'Operator', where='out')


def test_wrong_passphrases(bench):
    make(bench)
    contains(bench.run('account', 'list', secrets=(A, 'wrong one'), code=3), 'passphrase')
    contains(bench.run('account', 'list', secrets=('wrong one', A), code=3), 'passphrase')
    contains(bench.run('account', 'list', secrets=(A, A), code=1), 'two different')
    result = bench.run('account', 'list', code=3)
    contains(result, 'there is no terminal to ask at; give it with --passphrase-file, --passphrase-fd')
    contains(bench.run('account', 'list', secrets=(A,), code=3), 'passphrase')


def test_what_works_without_keys(bench):
    make(bench)
    contains(bench.run('status'), 'sealed', where='out')
    contains(bench.run('custodian', 'list'), '刘洋', where='out')
    contains(bench.run('config'), 'extract.workers', where='out')


def test_passphrases_from_files_and_credentials(bench):
    make(bench)
    one, two = bench.write('one', A + '\nanything\n'), bench.write('two', B)
    one.chmod(0o600)
    two.chmod(0o600)
    bench.run('account', 'list', '--passphrase-file', one, '--passphrase-file', two)
    two.chmod(0o604)
    contains(bench.run('account', 'list', '--passphrase-file', one, '--passphrase-file', two, code=1), 'chmod 600')
    folder = bench.top / 'credentials'
    folder.mkdir()
    for number, secret in enumerate((C, A), 1):
        path = folder / f'custodian-{number}'
        path.write_text(secret)
        path.chmod(0o400)
    bench.run('account', 'list', env={'CREDENTIALS_DIRECTORY': folder})


def test_asked_at_a_terminal(bench):
    make(bench)
    with bench.terminal('account', 'list') as t:
        t.wait_for('passphrase of custodian 1 of 2')
        t.wait_for('刘洋')
        t.wait_for('): ')
        assert not t.has_echo()
        t.type(C + '\n')
        t.wait_for('passphrase of custodian 2 of 2')
        t.wait_for('): ')
        t.type('mistyped\n')
        t.wait_for('try again')
        t.wait_for('): ')
        t.type(A + '\n')
        shown = t.end()
        contains(type('R', (), {'out': shown}), 'u-00001', where='out')
        assert A not in shown and C not in shown, shown


def test_ctrl_c_at_the_prompt(bench):
    make(bench)
    with bench.terminal('account', 'list') as t:
        t.wait_for('): ')
        t.type('\x03')
        t.end(code=130)


def test_init_at_a_terminal(bench):
    with bench.terminal('init', '--cheap-passphrases') as t:
        for name in ('陈静', 'Liu'):
            t.wait_for('name of custodian')
            t.wait_for(': ')
            t.type(name + '\n')
        t.wait_for('(nothing: no more): ')
        t.type('\n')
        t.wait_for('new passphrase of custodian 陈静: ')
        for typed in (A, 'another', A, A, B, B):
            t.type(typed + '\n')
            if typed == 'another':
                t.wait_for('not the same')
            t.wait_for(': ') if typed != B or t.seen.count('Liu: ') else None
            if typed == B and 'archive is made' in t.seen:
                break
        contains(type('R', (), {'out': t.end()}), 'The archive is made', where='out')
    contains(bench.run('custodian', 'list'), '陈静', where='out')


def test_keys_are_changed(bench):
    make(bench, custodians=('Chen', '刘洋'))
    first = bench.run('signers', secrets=(A, B))
    contains(bench.run('custodian', 'rotate', secrets=(A, B)), 'The root key was changed; this is number 2.', where='out')
    contains(bench.run('signer', 'rotate', secrets=(A, B)), 'valid-before=', where='out')
    second = bench.run('signers', secrets=(A, B))
    equal(len(second.out.splitlines()), 2)
    assert first.out.split()[-1] in second.out and first.err != second.err
    contains(bench.run('verify', '--level', 'full', secrets=(A, B)), 'nothing is wrong', where='out')


def test_custodians_come_and_go(bench):
    make(bench, custodians=('Chen', '刘洋'))
    reader, writer = os.pipe()
    os.write(writer, (NEW + '\n').encode())
    os.close(writer)
    result = bench.run('custodian', 'add', 'Sun', '--new-passphrase-fd', str(reader), secrets=(A, B), pass_fds=(reader,))
    os.close(reader)
    equal(result.out, 'Enrolled as custodian: Sun\n')
    bench.run('account', 'list', secrets=(NEW, B))
    contains(bench.run('custodian', 'drill', secrets=(A, NEW)), 'Drill passed; these two can unseal: ', where='out')
    contains(bench.run('custodian', 'drill', secrets=(A, 'nobody knows'), code=3), 'passphrase')
    old = (bench.archive / 'custody.json').read_bytes()
    equal(bench.run('custodian', 'remove', 'Chen', secrets=(A, B)).out, 'No longer a custodian: Chen\n')
    # What somebody kept of before opens nothing any more, though all passphrases are known.
    new = (bench.archive / 'custody.json').read_bytes()
    (bench.archive / 'custody.json').write_bytes(old)
    bench.run('account', 'list', secrets=(A, B), code=5)
    (bench.archive / 'custody.json').write_bytes(new)
    contains(bench.run('account', 'list', secrets=(B, NEW)), 'Operator', where='out')
    bench.run('account', 'list', secrets=(A, B), code=3)
    contains(bench.run('custodian', 'remove', 'Sun', secrets=(NEW, B), code=1), 'two')
    contains(bench.run('custodian', 'remove', 'Nobody', secrets=(NEW, B), code=4), 'Nobody')
    rows = bench.json('custodian', 'list')['custodians']
    equal(sorted(row['label'] for row in rows), ['Sun', '刘洋'])


def test_the_resident_process_is_unsealed_by_two(bench):
    make(bench)
    server = bench.serve()
    equal(bench.json('status')['sealed'], True)
    equal('records' in bench.json('status'), False)  # nobody knows how many: not 0
    checked = bench.json('verify')
    equal((checked['level'], checked['records']), ('sealed', checked['slips']))
    contains(bench.run('verify'), 'without keys', where='out')
    contains(bench.run('list', code=3, secrets=()), 'muniment unseal')
    contains(bench.run('unseal', secrets=(A, 'wrong one'), code=3), 'passphrase')
    contains(bench.run('unseal', secrets=(B, B), code=1), 'two different')
    contains(bench.run('unseal', secrets=(B, C)), 'The archive is unsealed by ', where='out')
    contains(bench.run('unseal'), 'unsealed already')
    status = bench.json('status')
    equal((status['sealed'], status['resident'], status['records']), (False, True, checked['records']))
    contains(bench.run('show', 'nothing', code=4), "there is no record 'nothing'")
    equal(bench.json('verify')['level'], 'full')
    equal(bench.json('verify', '--level', 'sealed')['level'], 'sealed')
    bench.run('account', 'list')
    equal(bench.run('seal').out, 'The archive is sealed.\n')
    bench.run('account', 'list', code=3)
    equal(server.stop(), 0)


def test_the_resident_process_is_unsealed_at_a_terminal(bench):
    make(bench)
    bench.serve()
    with bench.terminal('unseal') as t:
        for typed in (A, 'wrong one', A, B):
            t.wait_for('): ')
            assert not t.has_echo()
            t.type(typed + '\n')
        t.end()
        assert 'is unsealed by ' in t.seen and B not in t.seen, t.seen
    equal(bench.json('status')['sealed'], False)


def test_unseal_and_seal_need_the_resident_process(bench):
    make(bench)
    contains(bench.run('unseal', secrets=(A, B), code=4), "'muniment serve' starts one")
    contains(bench.run('seal', code=4), "'muniment serve' starts one")


def test_serve_can_be_unsealed_at_the_start(bench):
    make(bench)
    server = bench.serve('--unseal', secrets=(A, C))
    bench.run('account', 'list')
    equal(server.stop(signal.SIGINT), 0)
    contains(bench.run('serve', '--unseal', secrets=(A, 'wrong one'), code=3), 'passphrase')
    contains(bench.run('serve', '--unseal-demonstration', code=1), 'demonstration')


def test_a_demonstration_says_that_it_is_one(bench):
    bench.init()
    contains(bench.run('account', 'list'), 'demonstration archive')
    equal(bench.run('-q', 'account', 'list').err, '')
    equal(bench.json('status')['demonstration'], True)


def test_a_second_writer_is_told_who_holds_the_lock(bench):
    make(bench)
    server = bench.serve()
    result = bench.run('serve', code=7)
    contains(result, f'pid {server.process.pid}', 'muniment serve')
    server.stop(signal.SIGKILL)
    again = bench.serve()  # what a killed one left behind holds nobody up
    equal(again.stop(), 0)


main()
