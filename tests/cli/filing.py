#!/usr/bin/python3
"""Filing, revising, reading: what goes in comes out, the same bytes; conflicts show both sides; foreign text stays text."""
import hashlib
import json
import os
import re

from cli import contains, equal, main, matches

DAY = '2025-05-20'


def file(bench, title='A title', *more, series='GEN', code=0, **options):
    return bench.run('file', '-s', series, '-t', title, '-d', '质量管理部', '--date', DAY, *more, code=code,
                     **options).out.strip()


def test_filed_shown_and_read_back(bench):
    bench.init()
    pdf = bench.write('许可证 (1).pdf', b'%PDF-1.4 not really')
    empty = bench.write('empty.txt')
    number = file(bench, '42 号店铺资质', '-f', 'responsible=李雷', '-f', '内容摘要=第一行\n第二行', '-m', '年度审核', pdf, empty)
    equal(number, '一般质量记录-20250520-0001')
    record = bench.json('show', number)
    equal((record['title'], record['department'], record['date'], record['version']),
          ('42 号店铺资质', '质量管理部', DAY, 1))
    equal([p['name'] for p in record['parts']], ['许可证 (1).pdf', 'empty.txt'])
    equal(record['parts'][0]['sha256'], hashlib.sha256(pdf.read_bytes()).hexdigest())
    fields = {f['name']: f['text'] for f in record['fields']}
    equal((fields['responsible'], fields['description']), ('李雷', '第一行\n第二行'))
    out = bench.run('show', number).out
    for text in ('number', '42 号店铺资质', '李雷', '许可证 (1).pdf', '19 B', 'good', 'Operator', '年度审核'):
        contains(type('R', (), {'out': out}), text, where='out')
    equal(bench.run('get', number, '许可证 (1).pdf', binary=True).out, pdf.read_bytes())
    equal(bench.run('get', number, '2', binary=True).out, b'')


def test_fields_from_yaml_and_json(bench):
    bench.init()
    yaml = bench.write('f.yaml', 'responsible: 韩梅\nremarks: |\n  one\n  two\n')
    plain = bench.write('f.json', json.dumps({'responsible': '李雷', 'remarks': 'a "quoted" \u4e2d'}))
    one = bench.json('show', file(bench, 'one', '--fields', yaml))
    two = bench.json('show', file(bench, 'two', '--fields', plain, '-f', 'remarks=wins'))
    equal({f['name']: f['text'].strip() for f in one['fields']}, {'responsible': '韩梅', 'remarks': 'one\ntwo'})
    equal({f['name']: f['text'] for f in two['fields']}['responsible'], '李雷')
    bad = bench.write('bad.yaml', 'a: &anchor b\n')
    result = bench.run('file', '-s', 'GEN', '-t', 'x', '--fields', bad, code=2)
    matches(result, r'bad\.yaml:1:\d+', where='err')
    contains(bench.run('file', '-s', 'GEN', '-t', 'x', '--fields', bench.top / 'none', code=4), 'none')


def test_lists_in_a_fields_file_become_what_people_type(bench):
    bench.init()
    definition = bench.write('s.yaml', '''series: TRY-1
title: {zh: 试, en: Try}
number: "试-{serial:4}"
departments: any
retention: [R-GEN]
sensitivity: internal
fields:
  colours:
    label: {zh: 颜色, en: Colours}
    type: choice
    several: true
    choices: {red: {zh: 红, en: Red}, blue: {zh: 蓝, en: Blue}}
  goods:
    label: {zh: 货物, en: Goods}
    type: rows
    columns:
      name: {label: {zh: 名称, en: Name}, type: text}
      count: {label: {zh: 数量, en: Count}, type: integer}
''')
    contains(bench.run('series', 'add', definition), 'TRY-1: version 1 of the definition is in force', where='out')
    contains(bench.run('series', 'add', definition), 'the same text is in force already', where='out')
    fields = bench.write('f.yaml', 'colours: [red, 蓝]\ngoods:\n  - [口罩, 20]\n  - [手套, 5]\n')
    record = bench.json('show', file(bench, 't', '--fields', fields, series='TRY-1'))
    found = {f['name']: f['text'] for f in record['fields']}
    equal(found['goods'].split('\n'), ['口罩 | 20', '手套 | 5'])
    assert 'Red' in found['colours'] and 'Blue' in found['colours'], found
    bad = bench.write('bad.yaml', 'goods:\n  - [a|b, 1]\n')
    contains(bench.run('file', '-s', 'TRY-1', '-t', 'x', '--fields', bad, code=2), "cannot hold '|'")
    out = bench.run('series', 'show', 'TRY-1').out
    for text in ('TRY-1', 'colours', 'choice', 'Red, Blue', 'several', 'Name, Count'):
        assert text in out, out
    equal(bench.run('series', 'show', 'TRY-1', '--yaml').out, definition.read_text())


def test_refusals_say_which_rule(bench):
    bench.init()
    contains(bench.run('file', '-s', 'NOPE', '-t', 'x', code=4), "'NOPE'", 'GEN')
    contains(bench.run('file', '-s', 'QR-QC-001', '-t', 'x', '-d', '财务部', code=1), '财务部')
    contains(bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'd', '-f', 'nofield=1', code=1), 'nofield')
    contains(bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'd', bench.top, code=1), 'muniment import')
    contains(bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'd', bench.top / 'none', code=4), 'none')
    contains(bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'd', bench.write('a\nb.txt'), code=1), 'a\\nb.txt')
    # Found out on the writer's thread, said in the language of who asked.
    bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'd', '--number', 'N 1')
    contains(bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'd', '--number', 'N 1', code=5), 'is taken')
    contains(bench.run('--lang', 'zh', 'file', '-s', 'GEN', '-t', 'x', '-d', 'd', '--number', 'N 1', code=5), '已被使用')
    contains(bench.run('show', 'no-such-number', code=4), 'no-such-number')
    contains(bench.run('get', file(bench), code=4), 'part')
    equal(len(bench.json('list', '--series', 'GEN')['rows']), 2)


def test_a_request_key_files_once(bench):
    bench.init()
    one = bench.json('file', '-s', 'GEN', '-t', 'x', '-d', 'd', '--request', 'k1')
    two = bench.json('file', '-s', 'GEN', '-t', 'x', '-d', 'd', '--request', 'k1')
    equal((one['existing'], two['existing'], one['number']), (False, True, two['number']))
    contains(bench.run('file', '-s', 'GEN', '-t', 'x', '-d', 'd', '--request', 'k1'), 'nothing was written')


def test_revised_with_a_conflict(bench):
    bench.init()
    number = file(bench, 'first title', '-f', 'responsible=李雷', bench.write('a.txt', 'one'), bench.write('b.txt', 'b'))
    bench.write('a.txt', 'two')
    contains(bench.run('revise', number, '-t', 'second title', '-f', 'responsible=', '--remove', 'b.txt', '-m', 'why',
                       bench.top / 'a.txt'), f'{number}  version 2', where='out')
    equal(bench.run('get', number, 'a.txt').out, 'two')
    equal(bench.run('get', number, 'a.txt', '-v', '1').out, 'one')
    equal(bench.run('get', number, 'b.txt', '-v', '1').out, 'b')
    bench.run('get', number, 'b.txt', code=4)
    record = bench.json('show', number)
    equal((record['title'], record['fields'], len(record['parts'])), ('second title', [], 1))
    result = bench.run('revise', number, '--base', '1', '-t', 'third title', code=5)
    contains(result, 'you saw', 'first title', 'it is now', 'second title', 'Operator', '--base 2')
    found = bench.json('revise', number, '--base', '1', '-t', 'third title', code=5)
    equal((found['error']['code'], found['detail']['base']['version'], found['detail']['head']['version']),
          ('conflict', 1, 2))
    equal(bench.json('show', number)['versions'], 2)
    out = bench.run('log', number).out
    for text in ('version 2', 'revised: why', 'title: first title → second title', '~ part a.txt: 3 B → 3 B', '- part b.txt: 1 B\n',
                 '- field Person responsible: 李雷\n', 'version 1', 'filed'):
        assert text in out, out


def test_a_revision_that_changes_nothing(bench):
    bench.init()
    number = file(bench, 'title', bench.write('a.txt', 'one'))
    for more in ((), ('-t', 'title'), (bench.top / 'a.txt',), ('-m', 'looked through')):
        contains(bench.run('revise', number, *more, code=1), 'nothing would change', number)
    equal(bench.json('show', number)['versions'], 1)


def test_a_definition_with_an_error_is_named(bench):
    bench.init()
    path = bench.write('校准.yaml', 'series: X\ntitle: {zh: [}\n')
    matches(bench.run('series', 'add', path, code=1), re.escape(str(path)) + r':2:\d+: ', where='err')
    contains(bench.run('series', 'add', bench.write('long.yaml', '# x\n' * 100000), code=1), 'long.yaml: ')
    contains(bench.run('series', 'add', bench.top, code=1), str(bench.top))


def test_get_to_files(bench):
    bench.init()
    content = bytes(range(256)) * 50000  # several chunks
    number = file(bench, 'big', bench.write('big.bin', content))
    contains(bench.run('get', number, '-o', 'out.bin'), "'out.bin' written, 12.2 MiB")
    equal((bench.top / 'out.bin').read_bytes(), content)
    contains(bench.run('get', number, '-o', 'out.bin', code=5), 'exists already; --force')
    bench.run('get', number, '-o', 'out.bin', '--force')
    (bench.top / 'sub').mkdir()
    bench.run('get', number, '-o', 'sub')
    equal((bench.top / 'sub/big.bin').read_bytes(), content)
    equal(bench.run('get', number, '--from', '255', '--to', '258', binary=True).out, b'\xff\x00\x01\x02')
    bench.run('get', number, '-o', 'none/out.bin', code=4)
    bench.run('get', number, 'nopart', '-o', 'x.bin', code=4)
    equal(sorted(p.name for p in bench.top.glob('*.part')), [])
    assert not (bench.top / 'x.bin').exists()


def test_no_bytes_to_a_terminal_but_safe_text(bench):
    bench.init()
    number = file(bench, 'evil', bench.write('evil.txt', 'red \x1b[31m alert\n\u202egnp.exe 召回\n'))
    with bench.terminal('get', number) as t:
        contains(type('R', (), {'out': t.end(1)}), 'not written to a terminal', where='out')
    bench.run('search', '召回', '--fresh')
    with bench.terminal('get', number, '--text') as t:
        shown = t.end()
        assert '召回' in shown and '\x1b[31m alert' not in shown and '\u202e' not in shown, shown


def test_foreign_text_reaches_no_terminal(bench):
    bench.init()
    for title in ('a\x1b]0;owned\x07b', 'x\u202ey', 'line\nbreak'):
        done = bench.run('file', '-s', 'GEN', '-t', title, '-d', 'd', code=1)
        assert '\x1b' not in done.err and '\u202e' not in done.err, done
    with bench.terminal('show', 'a\x1b[31mb') as t:
        shown = t.end(4)
        assert '\x1b[31mb' not in shown and 'a\\x1b[31mb' in shown, shown


def test_tables_align_with_wide_characters(bench):
    bench.init()
    file(bench, '召回计划（一级）')
    bench.run('file', '-s', 'EXT', '-t', 'Letter', '-d', 'QC', '--date', '2025-01-02')
    equal(bench.run('list', '--from', '2025-01-01', '--to', '2025-12-31').out,
          'NUMBER                      DATE        SERIES                  DEPARTMENT  VER  PARTS  TITLE\n'
          '一般质量记录-20250520-0001  2025-05-20  General quality record  质量管理部    1      0  召回计划（一级）\n'
          '外来文件-20250102-0001      2025-01-02  External document       QC            1      0  Letter\n')
    equal(bench.run('--lang', 'zh', 'list', '--from', '2025-01-01', '--to', '2025-12-31').out,
          '编号                        日期        门类          部门        版本  件  题名\n'
          '一般质量记录-20250520-0001  2025-05-20  一般质量记录  质量管理部     1   0  召回计划（一级）\n'
          '外来文件-20250102-0001      2025-01-02  外来文件      QC             1   0  Letter\n')
    with bench.terminal('--no-color', '-q', 'list', '--series', 'GEN', columns=70) as t:
        equal(t.end().split('\n')[1],
              '一般质量记录-20250520-0001  2025-05-20  General…  质量管…     1      0  召回计划（一级）')


def test_pages_of_a_list(bench):
    bench.init()
    for i in range(5):
        file(bench, f'title {i}')
    args = ('list', '--series', 'GEN', '--order', 'number', '--limit', '2')
    seen, key = [], None
    while True:
        page = bench.json(*args, *(('--after', json.dumps(key)) if key else ()))
        seen += [row['title'] for row in page['rows']]
        key = page.get('next')
        if not key:
            break
    equal(seen, [f'title {i}' for i in range(5)])
    result = bench.run(*args)
    key = matches(result, r"next page: --after '(.*)'$", where='err')[1]
    assert re.fullmatch('一般质量记录-[0-9-]+', key), key
    contains(bench.run(*args, '--after', key), 'title 2', where='out')
    contains(bench.run(*args, '--after', 'nowhere', code=4), "'nowhere'")
    equal(bench.json('list')['count'], 5)
    assert bench.json('list', '--all')['count'] > 10


def test_the_log_of_the_archive(bench):
    bench.init()
    number = file(bench)
    rows = bench.json('log', '--limit', '2')['actions']
    equal(rows[0]['act'], 'file')
    equal((rows[0]['number'], rows[0]['records']), (number, 1))
    out = bench.run('log', '--limit', '1').out
    for text in ('ACTION', 'filed', 'Operator', 'good', number):
        assert text in out, out
    earlier = bench.json('log', '--before', str(rows[0]['action']))['actions']
    equal(earlier[0]['action'], rows[0]['action'] - 1)
    first = bench.json('log', '--before', '2')['actions']
    equal([(r['act'], r['records'], 'number' in r) for r in first], [('open', 0, False)])
    contains(bench.run('log', '--before', '2'), 'volume 1', where='out')


def test_the_log_of_several_filed_at_once(bench):
    bench.init()
    for i in range(3):
        bench.write(f'in/{i}.txt', f'content {i}')
    bench.run('import', '-s', 'GEN', '-d', '质量管理部', 'in')
    row = bench.json('log', '--limit', '1')['actions'][0]
    equal(row['records'], 3)
    contains(bench.run('log', '--limit', '1'), f"{row['number']} and more, 3 records", where='out')


def test_accounts(bench):
    bench.init()
    equal(bench.run('account', 'add', '王敏', '-m', 'new clerk').out, 'u-00002  王敏\n')
    bench.run('account', 'add', '王敏', code=5)
    number = file(bench, 'by Wang', '--as', '王敏')
    equal(bench.json('show', number)['history'][0]['name'], '王敏')
    out = bench.run('account', 'list').out
    assert '王敏' in out and 'Operator' in out, out


def test_standard_output_that_is_full(bench):
    import subprocess
    from cli import PROGRAM
    bench.init()
    number = file(bench, 'x', bench.write('a.txt', 'a' * 100000))
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([PROGRAM, 'get', number], stdout=full, stderr=subprocess.PIPE, env=bench.env, check=False)
    assert done.returncode == 1 and done.stderr, done
    assert os.path.exists(bench.archive)


main()
