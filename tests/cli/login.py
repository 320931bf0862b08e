#!/usr/bin/python3
"""How accounts log in, from the command line: passwords, second factors, roles, waits, sessions."""
import re

from cli import contains, equal, main, matches

GOOD = 'correct horse battery'


def ready(bench):
    bench.init()
    bench.run('config', 'login.password_mib', '8')
    bench.run('config', 'login.password_passes', '1')
    bench.run('account', 'add', 'Lin Fang')
    return bench.write('password', GOOD + '\n')


def password(bench, *more, **options):
    file = bench.top / 'password'
    file.chmod(0o600)
    return bench.run('account', 'password', 'Lin Fang', '--new-passphrase-file', file, *more, **options)


def row(bench):
    return next(a for a in bench.json('account', 'list')['accounts'] if a['name'] == 'Lin Fang')


def test_a_password_is_given(bench):
    ready(bench)
    equal((row(bench)['password'], row(bench)['roles']), (False, []))
    out = password(bench)
    contains(out, 'u-00002', where='out')
    contains(out, 'must be changed at the first log-in')
    equal((row(bench)['password'], row(bench)['must_change'], row(bench)['roles']), (True, True, ['reader']))
    password(bench, '--keep')
    equal(row(bench)['must_change'], False)


def test_a_password_is_drawn(bench):
    ready(bench)
    first, second = (bench.json('account', 'password', 'u-00002', '--draw')['password'] for _ in range(2))
    assert re.fullmatch(r'([0-9a-hjkmnp-tv-z]{4}-){4}[0-9a-hjkmnp-tv-z]{4}', first), first
    assert first != second


def test_passwords_that_will_not_do(bench):
    ready(bench)
    for text, why in (('short', '10 characters'), ('xxxxxxxxxxxxxxx', 'again and again'), ('I am Lin Fang!', 'name'),
                      ('x' * 200 + 'y' * 57, '256 bytes'), ('tab\tin the middle', 'control')):
        bench.write('password', text + '\n')
        contains(password(bench, code=1), why)
    bench.write('password', 'x' * 200 + 'y' * 56 + '\n')
    password(bench)
    bench.write('password', '一二三四五六七八九\n')
    contains(password(bench, code=1), '10 characters')
    bench.write('password', '一二三四五六七八九十\n')
    password(bench)
    contains(bench.run('account', 'password', 'Nobody', '--draw', code=1), 'no account')
    (bench.top / 'password').chmod(0o644)
    contains(bench.run('account', 'password', 'Lin Fang', '--new-passphrase-file', bench.top / 'password', code=1), 'chmod 600')


def test_a_password_is_asked_for_twice(bench):
    ready(bench)
    with bench.terminal('account', 'password', 'Lin Fang') as t:
        t.wait_for('password for the log-in: ')
        assert not t.has_echo()
        t.type(GOOD + '\n')
        t.wait_for('the same once more: ')
        t.type('something else\n')
        t.wait_for('please begin again')
        t.wait_for('password for the log-in: ')
        t.type(GOOD + '\n')
        t.wait_for('the same once more: ')
        t.type(GOOD + '\n')
        t.end()


def test_second_factors(bench):
    ready(bench)
    password(bench, '--keep')
    contains(bench.run('account', 'totp', 'Lin Fang', 'code', code=4), 'no second factor')
    out = bench.run('account', 'totp', 'Lin Fang', 'draw')
    matches(out, r'^Secret: [A-Z2-7]{32}$')
    matches(out, r'^otpauth://totp/Muniment%20[0-9a-f]{8}:Lin%20Fang\?secret=[A-Z2-7]{32}&issuer=')
    equal(row(bench)['second_factor'], True)
    matches(bench.run('account', 'totp', 'Lin Fang', 'code'), r'^\d{6}$')
    bench.run('account', 'totp', 'Lin Fang', 'reset')
    equal(row(bench)['second_factor'], False)
    contains(bench.run('account', 'totp', 'Lin Fang', 'remove', code=1), "'reset', 'draw' or 'code'")


def test_codes_are_shown_in_demonstrations_only(bench):
    two = ('first passphrase', 'second passphrase')
    bench.run('init', '--cheap-passphrases', '--operator', 'Operator', '-c', 'Chen', '-c', 'Liu', secrets=two)
    bench.run('account', 'totp', 'Operator', 'draw', secrets=two)
    contains(bench.run('account', 'totp', 'Operator', 'code', secrets=two, code=1), 'demonstration archives only')


def test_roles(bench):
    ready(bench)
    contains(bench.run('account', 'role', 'Lin Fang', 'filer', 'operator'), 'u-00002: filer operator', where='out')
    equal(row(bench)['roles'], ['filer', 'operator'])
    contains(bench.run('account', 'role', 'Lin Fang', 'boss', code=1), 'reader, filer, operator')
    contains(bench.run('account', 'role', 'Lin Fang', 'reader', 'none', code=1), 'reader, filer, operator')
    contains(bench.run('account', 'role', 'Lin Fang', 'none'), 'cannot log in', where='out')
    equal(row(bench)['roles'], [])


def test_waits_and_sessions(bench):
    ready(bench)
    contains(bench.run('account', 'unlock', 'Lin Fang', code=4), 'account password')
    password(bench)
    contains(bench.run('account', 'unlock', 'Lin Fang'), 'u-00002', where='out')
    equal(bench.json('account', 'logout', 'Lin Fang'), {'ended': 0})
    contains(bench.run('account', 'logout', '--everybody'), '0', where='out')
    contains(bench.run('account', 'logout', code=1), '--everybody')
    contains(bench.run('account', 'logout', 'Lin Fang', '--everybody', code=1), '--everybody')


def test_the_list_says_what_is_missing(bench):
    ready(bench)
    password(bench)
    matches(bench.run('account', 'list'), r'^u-00002  Lin Fang  \S+  reader  new password$')
    password(bench, '--keep')
    matches(bench.run('account', 'list'), r'no second factor$')
    bench.run('account', 'totp', 'Lin Fang', 'draw')
    matches(bench.run('account', 'list'), r'^u-00002 .*ready$')


main()
