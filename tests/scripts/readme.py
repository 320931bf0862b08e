#!/usr/bin/python3
"""README.md shows commands with what they print. This test types them in, in order, and compares.

A ```console block holds commands ("$ ...", further lines "> ...") and below each the output. The blocks between two
comments <!-- a new folder --> are one session: one shell, at a terminal of 100 columns, in a fresh folder that has
scripts/ and build-release/core/main/ as a source tree after scripts/demo has. Compared is what is left when ids,
hashes, keys, times, durations, sizes, the folder's place and the width of gaps are made equal; the remark of
demonstration archives, of which the README says that it is left out, is. Every command must end well.

  readme.py README.md            compare; TAP
  readme.py --write README.md    put what is printed now into README.md"""
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import fcntl
import termios

SOURCE = pathlib.Path(os.environ.get('MUNIMENT_SOURCE', pathlib.Path(__file__).resolve().parents[2]))
PROGRAM = pathlib.Path(os.environ.get('MUNIMENT_PROGRAM', SOURCE / 'build-release/core/main/muniment'))
HOME = '/srv/gu/muniment'  # where the README's reader works
COLUMNS = 100
LIMIT = 120  # seconds without a word; only a hang takes so long
NEW_FOLDER = '<!-- a new folder -->'
REMARKS = ('演示库：以人人知晓的口令启封', 'demonstration archive: unsealed by passphrases that everybody knows')

BLOCK = re.compile(r'(^```console\n)(.*?)(^```$)', re.M | re.S)
VARIES = [
    (r'(?<![-\w])(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{12})\b', 'HEX'),
    (r'SHA256:[A-Za-z0-9+/]{43}', 'KEY'),
    (r'(?:[0-9A-F]{2}:){31}[0-9A-F]{2}', 'FINGERPRINT'),
    (r'\d{4}-\d\d-\d\d \d\d:\d\d', 'TIME'),
    (r'\d+:\d\d|\d+ 秒|\d+ s\b', 'DURATION'),
    (r'\d+(?:\.\d+)? (?:B|KiB|MiB)\b', 'SIZE'),
    (r'[ ─]{2,}', ' '),
]


class Step:
    """One command of the README."""

    def __init__(self, command, shown):
        self.command, self.shown = command, shown
        self.printed, self.code = '', None


def steps_of(block):
    steps = []
    for line in block.splitlines():
        if line.startswith('$ '):
            steps.append(Step([line[2:]], []))
        elif line.startswith('> ') and steps and not steps[-1].shown:
            steps[-1].command.append(line[2:])
        elif steps:
            steps[-1].shown.append(line)
        else:
            raise SystemExit(f'a console block begins with output: {line!r}')
    return steps


def sessions_of(text):
    """Lists of steps, one for each session that has any."""
    parts = [[s for m in BLOCK.finditer(part) for s in steps_of(m[2])] for part in text.split(NEW_FOLDER)]
    return [p for p in parts if p]


# ---- typing them in


def read_terminal(fd, pid):
    """All that is written to a terminal, until the shell has gone."""
    seen = b''
    while True:
        ready, _, _ = select.select([fd], [], [], LIMIT)
        if not ready:
            os.kill(pid, 9)
            raise SystemExit(f'hangs after: {seen.decode(errors="replace")[-500:]!r}')
        try:
            piece = os.read(fd, 65536)
        except OSError:
            return seen.decode(errors='replace')
        if not piece:
            return seen.decode(errors='replace')
        seen += piece


def on_screen(text):
    """What a reader sees: lines that were written over are gone."""
    lines = []
    for line in text.replace('\r\n', '\n').split('\n'):
        rest = re.split(r'\r(?:\x1b\[K)?', line)
        rest[-1] = rest[-1].rsplit('\x1b[K', 1)[-1]
        lines.append(re.sub(r'\x1b\[[0-9;]*[A-Za-z]', '', rest[-1] or (rest[-2] if len(rest) > 1 else '')))
    while lines and not lines[-1].strip():
        lines.pop()
    return [line.rstrip() for line in lines if line.rstrip() not in REMARKS]


def shell_script(steps):
    lines = []
    for number, step in enumerate(steps):
        lines += [f"printf '\\001{number}\\n'", *step.command, "printf '\\002%d\\n' $?"]
    return '\n'.join(lines) + '\n'


def run(steps, folder):
    (folder / 'scripts').symlink_to(SOURCE / 'scripts')
    (folder / 'build-release/core').mkdir(parents=True)
    (folder / 'build-release/core/main').symlink_to(PROGRAM.parent)
    script = folder / '.session'
    script.write_text(shell_script(steps))
    env = {key: value for key, value in os.environ.items() if key in ('PATH', 'MUNIMENT_EXTRACT')}
    env.update(HOME=str(folder), LC_ALL='C.UTF-8', TERM='xterm', NO_COLOR='1', TZ='UTC', GIT_CONFIG_GLOBAL='/dev/null')
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack('HHHH', 40, COLUMNS, 0, 0))
    shell = subprocess.Popen(['bash', '--norc', script], stdin=writer, stdout=writer, stderr=writer, cwd=folder, env=env,
                             start_new_session=True)
    os.close(writer)
    text = read_terminal(reader, shell.pid)
    os.close(reader)
    shell.wait(LIMIT)
    for m in re.finditer('\x01(\\d+)\r\n(.*?)\x02(\\d+)\r\n', text, re.S):
        step = steps[int(m[1])]
        step.printed, step.code = on_screen(m[2].replace(str(folder), HOME)), int(m[3])


def run_all(sessions):
    for steps in sessions:
        folder = pathlib.Path(tempfile.mkdtemp(prefix='muniment-readme-')).resolve()
        try:
            run(steps, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


# ---- comparing


def plain(lines):
    result = []
    for line in lines:
        for pattern, word in VARIES:
            line = re.sub(pattern, word, line)
        result.append(line.rstrip())
    return result


def complaint(step, shown=None):
    """What is wrong with a step, or None."""
    if step.code is None:
        return 'the shell ended before this command'
    if step.code != 0:
        return f'exit code {step.code}\n' + '\n'.join(step.printed)
    expected, got = plain(step.shown if shown is None else shown), plain(step.printed)
    while expected and not expected[-1]:
        expected.pop()
    if expected == got:
        return None
    return '\n'.join(['-- README --', *expected, '-- printed --', *got])


def notices_lies(steps):
    """True when no line of the output could be changed, left out or invented without a complaint."""
    for step in steps:
        for i, line in enumerate(step.shown):
            if line.strip() and not (complaint(step, step.shown[:i] + [line + ' x'] + step.shown[i + 1:]) and
                                     complaint(step, step.shown[:i] + step.shown[i + 1:])):
                return False
        if not complaint(step, step.shown + ['x']):
            return False
    return True


def report(sessions):
    steps = [s for session in sessions for s in session]
    failed = 0
    print(f'1..{len(steps) + 1}')
    for number, step in enumerate(steps, 1):
        wrong = complaint(step)
        failed += wrong is not None
        print(f'{"not ok" if wrong else "ok"} {number} - $ {" ".join(step.command).replace("#", "")}')
        if wrong:
            print(re.sub('^', '# ', wrong, flags=re.M))
    good = failed > 0 or notices_lies(steps)
    print(f'{"ok" if good else "not ok"} {len(steps) + 1} - changed output would be noticed')
    return int(failed > 0 or not good)


def write(path, text, sessions):
    printed = iter([s for session in sessions for s in session])

    def block(match):
        lines = []
        for _ in steps_of(match[2]):
            step = next(printed)
            lines += ['$ ' + step.command[0], *('> ' + more for more in step.command[1:]), *step.printed]
            if step.code != 0:
                print(f'exit code {step.code}: {step.command}', file=sys.stderr)
        return match[1] + ''.join(line + '\n' for line in lines) + match[3]

    path.write_text(BLOCK.sub(block, text))


def main():
    is_write = '--write' in sys.argv
    path = pathlib.Path([a for a in sys.argv[1:] if a != '--write'][0])
    text = path.read_text()
    sessions = sessions_of(text)
    if not sessions:
        raise SystemExit(f'{path} has no console block')
    run_all(sessions)
    if is_write:
        write(path, text, sessions)
        return 0
    return report(sessions)


sys.exit(main())
