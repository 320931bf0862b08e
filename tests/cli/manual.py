#!/usr/bin/python3
"""The manual pages say what the program does: every command, option, exit code and setting is in both languages' pages,
and nothing else is; and mandoc finds nothing to complain about."""
import os
import pathlib
import re
import subprocess

from cli import equal, main

DOC = pathlib.Path(os.environ['MUNIMENT_SOURCE']) / 'doc'
FOLDERS = {'en': DOC, 'zh': DOC / 'zh_CN'}
PAGES = ('muniment.1', 'muniment.8', 'muniment.yaml.5')


def read(language, page):
    return (FOLDERS[language] / page).read_text(encoding='utf-8')


def sections(text, macro):
    """Title and text of each .Sh or .Ss."""
    parts = re.split(rf'^\.{macro} (.*)$', text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def page_options(text):
    """(letter or '', name, argument or '') of each .It Fl."""
    found = set()
    for line in re.findall(r'^\.It (Fl .*)$', text, re.M):
        m = re.fullmatch(r'(?:Fl (\w) , )?Fl -([\w-]+)(?: Ar (\S+))?', line)
        assert m, line
        found.add((m[1] or '', m[2], m[3] or ''))
    return found


def help_options(text):
    return {(m[1] or '', m[2], m[3] or '')
            for m in re.finditer(r'^  (?:-(\w), )?--([\w-]+)(?: ([A-Z]\S*|[a-z]+\|\S+))?(?:  |$)', text, re.M)}


def help_part(text, title):
    return text.split(f'\n{title}\n')[1].split('\n\n')[0] if f'\n{title}\n' in text else ''


def commands(bench):
    return re.findall(r'^  (\w+(?: \w+)?)  ', help_part(bench.run('--help').out, 'Commands'), re.M)


def test_mandoc_is_content(_):
    for folder in FOLDERS.values():
        for page in PAGES:
            done = subprocess.run(['mandoc', '-Tlint', '-W', 'warning', folder / page], capture_output=True, text=True,
                                  check=False)
            equal((done.stdout + done.stderr, done.returncode), ('', 0))


def test_every_command_and_no_other(bench):
    for language in FOLDERS:
        parts = sections(read(language, 'muniment.1'), 'Sh')
        equal(list(sections(parts['COMMANDS' if language == 'en' else '命令'], 'Ss')), commands(bench))


def test_every_option_and_no_other(bench):
    for language in FOLDERS:
        parts = sections(read(language, 'muniment.1'), 'Sh')
        glob = parts['GLOBAL OPTIONS' if language == 'en' else '共有选项']
        equal(page_options(glob), help_options(help_part(bench.run('--help').out, 'Options of every command')))
        pages = sections(parts['COMMANDS' if language == 'en' else '命令'], 'Ss')
        for command in commands(bench):
            text = help_part(bench.run(*command.split(), '--help').out, 'Options')
            equal((command, sorted(page_options(pages[command]))), (command, sorted(help_options(text))))


def test_operands_are_those_of_the_help(bench):
    for language in FOLDERS:
        parts = sections(read(language, 'muniment.1'), 'Sh')
        pages = sections(parts['COMMANDS' if language == 'en' else '命令'], 'Ss')
        for command in commands(bench):
            usage = bench.run(*command.split(), '--help').out.split('\n')[0]
            wanted = re.findall(r'[A-Z]+', re.sub(r'--\S+ \S+', '', usage).split('option...]')[-1])
            synopsis = pages[command].split('.Pp')[0]
            got = re.findall(r'^\.Ar ([A-Z]+)', synopsis, re.M)
            equal((command, got), (command, wanted))


def test_every_exit_code(bench):
    wanted = re.findall(r'^  (\d+) ', help_part(bench.run('--help').out, 'Exit codes'), re.M)
    for language, title in (('en', 'EXIT STATUS'), ('zh', '退出码')):
        for page in ('muniment.1', 'muniment.8'):
            equal(re.findall(r'^\.It (\d+)$', sections(read(language, page), 'Sh')[title], re.M), wanted)


def test_every_setting_with_its_meaning_and_default(bench):
    bench.init()
    for language, title in (('en', 'SETTINGS'), ('zh', '设置')):
        settings = bench.json('--lang', language, 'config')['settings']
        text = sections(read(language, 'muniment.yaml.5'), 'Sh')[title]
        items = re.split(r'^\.It Cm (.*)$', text, flags=re.M)
        equal(items[1::2], [s['name'] for s in settings])
        for setting, item in zip(settings, items[2::2]):
            flat = re.sub(r'\s+', ' ' if language == 'en' else '', item)
            meaning = setting['meaning'] if language == 'en' else re.sub(r'\s+', '', setting['meaning'])
            assert meaning[1:] in flat, f'{setting}: {item}'
            default = setting['default'] or ('empty' if language == 'en' else '空')
            assert default in flat, f'{setting}: {item}'


def test_the_example_of_a_series_is_accepted(bench):
    bench.init()
    for language, title in (('en', 'EXAMPLES'), ('zh', '示例')):
        text = sections(read(language, 'muniment.yaml.5'), 'Sh')[title]
        yaml = text.split('-offset indent\n')[1].split('.Ed')[0]
        path = bench.write(f'{language}.yaml', yaml)
        assert 'QR-CAL-001' in bench.run('series', 'add', path).out


main()
