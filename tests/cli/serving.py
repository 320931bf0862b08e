#!/usr/bin/python3
"""The resident process: everything through its socket, side by side, and stopped in good order."""
import os
import signal
import socket
import stat
import subprocess
import threading

from cli import LIMIT, PROGRAM, contains, equal, main


def start(bench):
    bench.init()
    return bench.serve('--unseal-demonstration')


def test_every_kind_of_command_goes_through_it(bench):
    server = start(bench)
    number = bench.run('file', '-s', 'GEN', '-t', 'one', '-d', 'QC', bench.write('a.txt', 'some words')).out.strip()
    equal([row['number'] for row in bench.json('list')['rows']], [number])
    bench.write('in/b.txt', 'other words')
    bench.run('import', '-s', 'GEN', '-d', 'QC', 'in')
    equal(bench.run('get', number).out, 'some words')
    contains(bench.run('search', '--fresh', 'words'), '2 found', where='out')
    bench.run('revise', number, '-t', 'two')
    contains(bench.run('show', number), 'two', where='out')
    contains(bench.run('log', number), 'version 2', where='out')
    bench.run('verify')
    bench.run('checkpoint', '-o', 'note')
    bench.run('reindex')
    status = bench.json('status')
    equal((status['resident'], status['pid'], status['records'] > 2), (True, server.process.pid, True))
    equal(server.stop(), 0)
    contains(bench.run('show', number), 'two', where='out')


def test_its_socket_is_private(bench):
    start(bench)
    mode = os.stat(bench.archive / 'socket').st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) & 0o077 == 0, oct(mode)


def test_many_clients_at_once(bench):
    start(bench)
    numbers, errors = [], []

    def client(name):
        for i in range(5):
            done = subprocess.run([PROGRAM, '-q', 'file', '-s', 'GEN', '-d', 'QC', '--date', '2025-05-20', '-t',
                                   f'{name} {i}'], capture_output=True, env=bench.env, timeout=LIMIT, check=False)
            (numbers if done.returncode == 0 else errors).append((done.stdout + done.stderr).decode().strip())

    threads = [threading.Thread(target=client, args=(f'client {n}',)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(errors, [])
    equal(sorted(n[-4:] for n in numbers), [f'{i:04}' for i in range(1, 21)])


def test_two_revisions_of_one_version(bench):
    start(bench)
    number = bench.run('file', '-s', 'GEN', '-t', 'zero', '-d', 'QC').out.strip()
    codes = []

    def client(name):
        codes.append(subprocess.run([PROGRAM, 'revise', number, '--base', '1', '-t', name], capture_output=True,
                                    env=bench.env, timeout=LIMIT, check=False).returncode)

    threads = [threading.Thread(target=client, args=(name,)) for name in 'abc']
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(sorted(codes), [0, 5, 5])
    found = bench.json('revise', number, '--base', '1', '-t', 'late', code=5)
    equal((found['detail']['base']['title'], found['detail']['head']['title'] in 'abc'), ('zero', True))
    contains(bench.run('revise', number, '--base', '1', '-t', 'late', code=5), 'you saw', 'it is now', 'zero')
    equal(bench.json('show', number)['versions'], 2)


def test_who_acts_is_said_by_the_client(bench):
    start(bench)
    bench.run('account', 'add', '王敏')
    number = bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'QC', '--as', '王敏').out.strip()
    equal(bench.json('show', number)['history'][0]['name'], '王敏')
    contains(bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'QC', env={'MUNIMENT_ACCOUNT': None}, code=1), '--as')


def test_messages_are_in_the_language_of_the_client(bench):
    start(bench)
    contains(bench.run('--lang', 'zh', 'show', 'nope', code=4), '没有')
    contains(bench.run('--lang', 'en', 'show', 'nope', code=4), 'no record')


def test_a_second_server_is_refused(bench):
    server = start(bench)
    contains(bench.run('serve', code=7), f'pid {server.process.pid}')
    equal(bench.json('status')['pid'], server.process.pid)


def test_stopping_says_so_and_cleans_up(bench):
    server = start(bench)
    server.process.send_signal(signal.SIGTERM)
    server.expect(b'STOPPING=1')
    equal(server.stop(), 0)
    assert not (bench.archive / 'socket').exists()


def test_clients_that_talk_nonsense_cost_themselves_only(bench):
    start(bench)
    for nonsense in (b'', b'GET / HTTP/1.0\r\n\r\n', bytes(64), b'\xff' * 4096, b'\x00\x00\x00\x10{"verb":'):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(LIMIT)
        s.connect(str(bench.archive / 'socket'))
        s.sendall(nonsense)
        s.shutdown(socket.SHUT_WR)
        while True:
            try:
                if not s.recv(4096):
                    break
            except ConnectionResetError:
                break
        s.close()
    bench.run('status')


def test_no_more_connections_than_allowed(bench):
    bench.init()
    bench.serve('--unseal-demonstration', '--max-connections', '1')
    bench.run('status')
    bench.run('list')


def test_a_client_that_is_killed_leaves_nothing_half_done(bench):
    start(bench)
    large = bench.write('large.bin', os.urandom(1 << 20) * 40)
    process = subprocess.Popen([PROGRAM, 'file', '-s', 'GEN', '-t', 'x', '-d', 'QC', large], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=bench.env)
    process.kill()
    process.wait()
    bench.run('verify')
    rows = bench.json('list', '-s', 'GEN')['rows']
    assert len(rows) <= 1, rows


main()
