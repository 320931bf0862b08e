#!/usr/bin/python3
"""Wrong command lines, help, languages: what a person meets first."""
import re

from cli import contains, equal, main, matches

CJK = re.compile('[\u4e00-\u9fff]')


def names(bench):
    """Every command, as `muniment --help` lists them."""
    text = bench.run('--help').out
    rows = text.split('\nCommands\n')[1].split('\n\n')[0]
    return [m[1] for m in re.finditer(r'^  (\w+(?: \w+)?)  ', rows, re.M)]


def test_nothing_at_all_is_wrong_usage_and_shows_help(bench):
    contains(bench.run(code=2), 'Commands', where='out')


def test_unknown_commands_are_guessed(bench):
    result = bench.run('serch', code=2)
    contains(result, "unknown command 'serch'; did you mean 'search'?", 'see: muniment --help')
    contains(bench.run('custodian', 'lst', code=2), "did you mean 'custodian list'?")
    contains(bench.run('custodian', code=2), "half a command; there are: 'custodian list', 'custodian add'")
    contains(bench.run('xyzzy', code=2), "unknown command 'xyzzy'\n")


def test_wrong_options(bench):
    contains(bench.run('search', '--serie=x', 'q', code=2), "unknown option '--serie'; did you mean '--series'?",
             'muniment search [option...] QUERY...', 'see: muniment search --help')
    contains(bench.run('--achive=x', 'list', code=2), "did you mean '--archive'?")
    contains(bench.run('search', code=2), "'search' needs QUERY...")
    contains(bench.run('show', 'a', 'b', code=2), "'b' is one argument too many for 'show'")
    contains(bench.run('file', code=2), "option '--series' is missing: series, by code or title")
    contains(bench.run('list', '--limit', '10001', code=2), "option '--limit': '10001' is more than 10000")
    contains(bench.run('list', '--from', '2025-02-29', code=2), "'2025-02-29' is not a date")
    contains(bench.run('list', '--order', 'up', code=2), "'up' is not one of newest|oldest|number")
    contains(bench.run('list', '-q', '-q', '--limit', '1', '--limit', '2', code=2), "'--limit' is given twice")
    contains(bench.run('file', '-s', 'GEN', '-f', 'novalue', code=2), "takes NAME=VALUE, not 'novalue'")
    contains(bench.run('journal', 'acknowledge', 'x', code=2), "'x' is not a whole number")
    contains(bench.run('list', '--after', '{', code=2), "option '--after'")
    contains(bench.run('search', '--after', 'x', 'q', code=2), "'--after' takes the key")


def test_language_of_complaints(bench):
    contains(bench.run('serch', '--lang', 'zh', code=2), '没有命令‘serch’；是否指‘search’？')
    contains(bench.run('--lang=zh', 'list', '--limt', '1', code=2), '没有选项‘--limt’；是否指‘--limit’？')
    contains(bench.run('serch', code=2, env={'MUNIMENT_LANG': None, 'LC_ALL': None, 'LANG': 'zh_CN.UTF-8'}), '没有命令')
    contains(bench.run('serch', code=2, env={'MUNIMENT_LANG': None, 'LC_ALL': 'en_US.UTF-8'}), 'unknown command')


def test_help_of_every_command_in_both_languages(bench):
    commands = names(bench)
    assert len(commands) > 25, commands
    for command in commands:
        english = bench.run(*command.split(), '--help').out
        chinese = bench.run('--lang', 'zh', *command.split(), '--help').out
        assert english.startswith(f'muniment {command} '), english
        assert not CJK.search(re.sub(r'"[^"]*"', '', english)), english
        flags = re.compile(r'^  (?:-\w, )?--([\w-]+)', re.M)
        equal(flags.findall(english), flags.findall(chinese))
        # Each paragraph and each meaning has Chinese in it.
        for line in chinese.split('\n')[2:]:
            assert not line.strip() or CJK.search(line) or re.match(r'^ +-', line), f'{command}: {line!r}'
        equal(english, bench.run('help', *command.split()).out)


def test_help_of_a_group_of_commands(bench):
    out = bench.run('custodian', '--help').out
    equal([line.split('  ')[1] for line in out.split('\n')[:-1]],
          ['custodian list', 'custodian add', 'custodian remove', 'custodian rotate', 'custodian drill'])
    equal(bench.run('help', 'custodian').out, out)


def test_help_fits_a_page(bench):
    for command in [[]] + [c.split() for c in names(bench)]:
        for language in ('en', 'zh'):
            for line in bench.run('--lang', language, *command, '--help').out.split('\n'):
                assert len(line) + len(CJK.findall(line)) <= 104, line


def test_help_at_a_narrow_terminal_wraps(bench):
    with bench.terminal('list', '--help', columns=60) as t:
        for line in re.sub(r'\x1b\[\d+m', '', t.end()).split('\n'):
            assert len(line) <= 64, line


def test_version(bench):
    matches(bench.run('--version'), r'^muniment \d+\.\d+\.\d+$')


def test_no_archive(bench):
    contains(bench.run('list', code=4), 'there is no such file or folder')
    contains(bench.run('list', code=4, env={'MUNIMENT_ARCHIVE': None}), "there is no archive in './archive'")
    (bench.top / 'empty').mkdir()
    contains(bench.run('-a', 'empty', 'status', code=4), "there is no archive in 'empty'", 'muniment init')
    found = bench.json('-a', 'empty', 'status', code=4)
    equal((found['error']['code'], found['error']['exit']), ('notfound', 4))


def test_no_account(bench):
    bench.init()
    contains(bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'QC', code=1, env={'MUNIMENT_ACCOUNT': None}), '--as')
    contains(bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'QC', '--as', 'Nobody', code=1), 'Nobody')


def test_output_that_cannot_be_written_is_an_error(bench):
    import os
    import subprocess
    from cli import PROGRAM
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([PROGRAM, '--help'], stdout=full, stderr=subprocess.PIPE, env=bench.env, check=False)
    equal(done.returncode, 1)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([PROGRAM, '--help'], stdout=writer, stderr=subprocess.PIPE, env=bench.env, check=False)
    os.close(writer)
    equal((done.returncode, done.stderr), (1, b''))


main()
