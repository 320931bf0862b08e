#!/usr/bin/env python3
"""po2c.py OUT.c IN.po... - turn the message files of all layers into the sorted table behind tr().

Reads the plain subset of gettext's .po that we write: msgid and msgstr, each one or more quoted lines,
comments and blank lines between. Refuses an entry without a translation, one that stands in two files with
different translations, and one whose two sides take different printf arguments."""
import re
import sys

DIRECTIVE = re.compile(r'%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j|t)?[diouxXeEfgGcsp%]')


def entries(path):
    key, texts = None, {}
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            line = line.strip()
            if not line or line.startswith('#'):
                continue
            match = re.fullmatch(r'(?:(msgid|msgstr)\s+)?"(.*)"', line)
            if not match:
                sys.exit(f'{path}:{number}: neither msgid, msgstr nor a quoted line')
            if match[1] == 'msgid':
                if texts:
                    yield path, number, texts
                texts = {}
            if match[1]:
                key = match[1]
                texts[key] = ''
            texts[key] += match[2]
    if texts:
        yield path, 0, texts


def main():
    out, table = sys.argv[1], {}
    for path in sys.argv[2:]:
        for where, number, texts in entries(path):
            en, zh = texts.get('msgid', ''), texts.get('msgstr', '')
            if not en or not zh:
                sys.exit(f'{where}: before line {number}: an entry lacks one of its sides: {en!r}')
            if DIRECTIVE.findall(en) != DIRECTIVE.findall(zh):
                sys.exit(f'{where}: {en!r} and {zh!r} take different arguments')
            if table.setdefault(en, zh) != zh:
                sys.exit(f'{where}: {en!r} is translated twice, differently')
    def raw(text):
        return text.encode().decode('unicode_escape').encode('latin-1')
    rows = sorted(table.items(), key=lambda row: raw(row[0]))
    with open(out, 'w', encoding='utf-8') as c:
        c.write('/* Made by scripts/po2c.py; do not edit. */\n#include "core/base/tr_table.h"\n\n')
        c.write('const struct tr_row tr_table[] = {\n')
        for en, zh in rows:
            c.write(f'\t{{ "{en}",\n\t  "{zh}" }},\n')
        c.write('\t{ "", "" }\n};\n\nconst size_t tr_table_length = %d;\n' % len(rows))


main()
