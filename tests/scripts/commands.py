#!/usr/bin/python3
"""Every command that the documents name exists, with the options that they give it; every script and file that they
name is there, and every link leads somewhere.

Read are fenced blocks and `inline code` of Markdown, literal displays of manual pages, and the unit for systemd. What the
program says in --help is the truth; the manual pages' tables are held against it by tests/cli/manual.py."""
import os
import pathlib
import re
import shlex
import subprocess
import sys

SOURCE = pathlib.Path(os.environ['MUNIMENT_SOURCE'])
PROGRAM = os.environ['MUNIMENT_PROGRAM']
MARKDOWN = ['README.md', 'SECURITY.md', 'NEWS.md', 'ARCHITECTURE.md', 'doc/guide/zh.md', 'doc/guide/en.md', 'doc/verbs.md']
PAGES = ['doc/muniment.1', 'doc/muniment.8', 'doc/muniment.yaml.5', 'doc/zh_CN/muniment.1', 'doc/zh_CN/muniment.8',
         'doc/zh_CN/muniment.yaml.5']
UNIT = 'scripts/muniment.service'
# What stands for a command in a sentence about all of them.
PLACEHOLDER = re.compile(r'[A-Z]+|命令')

OPTION = re.compile(r'^  (?:-(\w), )?--([\w-]+)(?: ([A-Z]\S*|[a-z]+\|\S+))?(?:  |$)', re.M)


def help_of(*words):
    return subprocess.run([PROGRAM, '--lang', 'en', *words, '--help'], capture_output=True, text=True, check=True).stdout


def options_of(text):
    """Option as it is typed -> whether it takes an argument."""
    table = {}
    for letter, name, argument in OPTION.findall(text):
        table['--' + name] = bool(argument)
        if letter:
            table['-' + letter] = bool(argument)
    return table


class Truth:
    def __init__(self):
        text = help_of()
        listed = text.split('\nCommands\n')[1].split('\n\n')[0]
        self.everywhere = options_of(text)
        names = re.findall(r'^  (\w+(?: \w+)?)  ', listed, re.M)
        self.commands = {name: options_of(help_of(*name.split())) for name in names}

    def complaint(self, words):
        """What is wrong with `muniment WORDS...`, or None."""
        plain, given, rest = [], [], list(words)
        table = dict(self.everywhere)
        name = None
        while rest:
            word = rest.pop(0)
            if word == '--':
                break
            if not word.startswith('-') or word == '-':
                plain.append(word)
                for n in (2, 1):
                    if name is None and ' '.join(plain[:n]) in self.commands and len(plain) == n:
                        name = ' '.join(plain)
                        table.update(self.commands[name])
                continue
            option, equals, _ = word.partition('=')
            if not option.startswith('--'):
                option = option[:2]
            given.append(option)
            # Options may stand before their command: what takes an argument is then looked up among all of them.
            takes = [t[option] for t in ([table] if name else [table, *self.commands.values()]) if option in t]
            if takes and takes[0] and not equals and len(word) == len(option):
                if not rest:
                    return f'{option} lacks its argument'
                rest.pop(0)
        if name is None and plain and not PLACEHOLDER.fullmatch(plain[0]) and \
                not any(c.startswith(plain[0] + ' ') and len(plain) == 1 for c in self.commands):
            return f"there is no command '{plain[0]}'"
        if name is None and plain:
            return None
        unknown = [o for o in given if o not in table]
        return f"'{name or 'muniment'}' has no option {unknown[0]}" if unknown else None


# ---- what the documents say


def logical_lines(text):
    """Lines with their continuations, without prompts."""
    text = re.sub(r'\\\n(?:> )?', ' ', text)
    for line in text.splitlines():
        yield re.sub(r'^\$ |^\t?> ', '', line)


def markdown_code(text):
    for block in re.findall(r'^```(?:sh|console)\n(.*?)^```$', text, re.M | re.S):
        yield from logical_lines(block)
    for code in re.findall(r'`([^`\n]+)`', re.sub(r'^```.*?^```$', '', text, flags=re.M | re.S)):
        yield code


def page_code(text):
    for block in re.findall(r'^\.Bd -literal.*?\n(.*?)^\.Ed$', text, re.M | re.S):
        yield from logical_lines(block.replace(r'\e', '\\').replace('\\&', ''))
    for quoted in re.findall(r'^\.Ql (.*)$', text, re.M):
        yield re.sub(r' [.,;:)]+$', '', quoted)


def unit_code(text):
    yield from (line.partition('=')[2] for line in re.findall(r'ExecStart=\S.*', text))
    yield from (line[1:] for line in re.findall(r'^#\t.*$', text, re.M))


def simple_commands(line):
    """The words of each command in a line of shell; nothing where it cannot be shell."""
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars='|&;<>()')
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return
    command = []
    for word in [*words, ';']:
        if word and set(word) <= set('|&;()'):
            if command:
                yield command
            command = []
        else:
            command.append(word)


def program_and_arguments(words):
    """Without variables, sudo and what is redirected."""
    words = list(words)
    if '>' in words:
        words = words[:words.index('>')]
    while words and (re.fullmatch(r'\w+=.*', words[0]) or words[0] in ('sudo', 'exec', '-u') or
                     words[0] == 'muniment' and words[1:2] and words[1] == 'muniment' or
                     words[0] == 'muniment' and len(words) > 2 and re.fullmatch(r'\w+=.*', words[1])):
        words.pop(0)
    return (words[0], words[1:]) if words else ('', [])


def complaints_of(path, lines, truth):
    count = 0
    for line in lines:
        for words in simple_commands(line):
            program, arguments = program_and_arguments(words)
            if pathlib.PurePath(program).name == 'muniment':
                count += 1
                wrong = truth.complaint(arguments)
                if wrong:
                    yield f'{path}: {line.strip()!r}: {wrong}'
            elif re.match(r'(\.\./)?scripts/', program):
                count += 1
                if not os.access(SOURCE / program.replace('../', ''), os.R_OK):
                    yield f'{path}: {line.strip()!r}: there is no {program}'
    if count == 0 and 'verbs' not in str(path) and 'yaml' not in str(path):
        yield f'{path}: no command was found in it; is it still read rightly?'


def broken_links(path, text):
    for link in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', text):
        if not (SOURCE / path).parent.joinpath(link).exists():
            yield f'{path}: nothing at {link}'


def missing_files(path, text):
    """Paths in inline code, where * and <name> stand for anything."""
    for code in re.findall(r'`((?:core|store|search|scripts|tests|doc)/[\w./*<>-]+)`', text):
        if not list(SOURCE.glob(re.sub(r'<\w+>', '*', code))):
            yield f'{path}: there is no {code}'


def test_the_parser(truth):
    cases = {'search -l 3 x': True, 'search --limit=3 x': True, 'search --limt 3 x': False, 'serch x': False,
             'custodian add -a x Chen': True, '--lang en custodian list': True, 'custodian list --reason x': False,
             'file -s GEN -t x -f a=b': True, 'file -s GEN -Z': False, '-a DIR status': True, '--version': True,
             'COMMAND --help': True, 'search -- -x': True, 'get N 1 -o': False, 'config a b': True, 'custodian': True}
    for line, good in cases.items():
        if (truth.complaint(shlex.split(line)) is None) != good:
            yield f'{line!r} is taken for {"bad" if good else "good"}'
    shells = {'sudo -u muniment MUNIMENT_ARCHIVE=/x muniment unseal': ['unseal'], 'A=b muniment seal && x': ['seal'],
              'muniment status | sed -n 1p': ['status'], 'sudo -u muniment muniment status': ['status']}
    for line, arguments in shells.items():
        found = program_and_arguments(next(simple_commands(line)))
        if found != ('muniment', arguments):
            yield f'{line!r} is read as {found}'


def main():
    truth = Truth()
    tests = [('the parser knows good from bad', list(test_the_parser(truth)))]
    for path in MARKDOWN + PAGES + [UNIT]:
        text = (SOURCE / path).read_text(encoding='utf-8')
        code = markdown_code if path in MARKDOWN else unit_code if path == UNIT else page_code
        tests.append((path, [*complaints_of(path, code(text), truth), *broken_links(path, text if path in MARKDOWN else ''),
                             *missing_files(path, text)]))
    print(f'1..{len(tests)}')
    for number, (name, complaints) in enumerate(tests, 1):
        print(f'{"not ok" if complaints else "ok"} {number} - {name}')
        for complaint in complaints:
            print(f'# {complaint}')
    return any(complaints for _, complaints in tests)


sys.exit(main())
