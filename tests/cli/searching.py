#!/usr/bin/python3
"""Finding: snippets with pages and marks, facets, pages of hits, all in both languages; exactly as printed."""
import os
import pathlib

from cli import contains, equal, main, matches

SAMPLES = pathlib.Path(os.environ['MUNIMENT_SAMPLES'])


def fill(bench):
    bench.init()
    texts = {
        '召回通知.txt': '关于实施一级召回的通知\n\n召回计划应当在五个工作日内提交，责任到人，及时处置。',
        '培训记录.txt': '年度培训计划已经完成，参加人员四十人。',
        '函件.txt': '依据安市监函〔2023〕201 号，国械注准20203140123，文件 QMS-QC-CX-2025-V1.0 已收悉。',
    }
    for name, text in texts.items():
        bench.run('file', '-s', 'GEN', '-t', name[:-4], '-d', '质量管理部', '--date', '2025-05-20', bench.write(name, text))
    bench.run('file', '-s', 'EXT', '-t', 'Recall letter', '-d', 'Sales', '--date', '2024-01-02',
              bench.write('letter.txt', 'The recall plan is attached. Please confirm its receipt.'))


def numbers(bench, *query):
    return [hit['title'] for hit in bench.json('search', '--fresh', *query)['hits']]


def test_what_is_printed(bench):
    fill(bench)
    equal(bench.run('--lang', 'zh', '-q', 'search', '--fresh', '召回计划').out,
          '一般质量记录-20250520-0001  【召回】通知\n'
          '    一般质量记录 · 质量管理部 · 2025-05-20\n'
          '    召回通知.txt：…【召回计划】应当在五个工作日内提交，责任到人，及时处置。\n'
          '\n'
          '检索到 1 件，显示 1 件\n')
    equal(bench.run('-q', 'search', 'receipt').out,
          '外来文件-20240102-0001  Recall letter\n'
          '    External document · Sales · 2024-01-02\n'
          '    letter.txt: …Please confirm its 【receipt】.\n'
          '\n'
          '1 found, 1 shown\n')
    equal(bench.run('search', 'neverwritten').out, '0 found, 0 shown\n')
    equal(bench.run('--lang', 'zh', '-q', 'search', '召回计划提交').out,
          '没有完全相符的档案；以下几件相近：\n'
          '一般质量记录-20250520-0001  【召回】通知\n'
          '    一般质量记录 · 质量管理部 · 2025-05-20\n'
          '    召回通知.txt：关于实施一级【召回】的通知 【召回计划】应当在五个工作日内【提交】，责任到人，及时处置。\n'
          '\n'
          '检索到 0 件，相近 1 件\n')
    equal(bench.run('-q', 'search', 'recall plan rejected').out.splitlines()[0],
          'No record has all of this. These have most of it:')
    equal([hit['title'] for hit in bench.json('search', '召回计划提交')['near']], ['召回通知'])
    assert 'near' not in bench.json('search', 'neverwritten')
    contains(bench.run('search', '--series', 'NOPE', 'plan', code=4), "there is no series 'NOPE'; there are: ")


def test_colour_at_a_terminal_only_and_only_when_wanted(bench):
    fill(bench)
    with bench.terminal('search', '--fresh', 'receipt') as t:
        assert '\x1b[1;33mreceipt\x1b[0m' in t.end(), t.seen
    for env, option in (({'NO_COLOR': '1'}, ()), ({}, ('--no-color',)), ({'TERM': 'dumb'}, ())):
        with bench.terminal(*option, 'search', 'receipt', env=env) as t:
            assert '\x1b[' not in t.end().replace('\x1b[K', '') and '【receipt】' in t.seen, t.seen


def test_words_phrases_numbers_fields_dates(bench):
    fill(bench)
    equal(numbers(bench, '"责任到人"'), ['召回通知'])
    equal(numbers(bench, '"到人责任"'), [])
    equal(numbers(bench, '安市监函〔2023〕201号'), ['函件'])
    equal(numbers(bench, '国械注准20203140123'), ['函件'])
    equal(numbers(bench, 'QMS-QC*'), ['函件'])
    equal(sorted(numbers(bench, '计划 OR receipt')), ['Recall letter', '召回通知', '培训记录'])
    equal(numbers(bench, '计划', '非', '培训'), ['召回通知'])
    equal(numbers(bench, '标题:函件'), ['函件'])
    equal(numbers(bench, '日期:2024'), ['Recall letter'])
    equal(numbers(bench, '--from', '2024-01-01', '--to', '2024-12-31', '--', 'recall'), ['Recall letter'])
    equal(numbers(bench, '--', '-计划', '日期:2025-05', '类型:txt'), ['函件'])


def test_wrong_queries_say_where(bench):
    fill(bench)
    matches(bench.run('search', 'recall "plan', code=1), r'character 8', where='err')
    contains(bench.run('--lang', 'zh', 'search', '(a', code=1), '查询')


def test_filters_and_facets(bench):
    fill(bench)
    equal(numbers(bench, '-s', 'EXT', '日期:2020..'), ['Recall letter'])
    equal(len(numbers(bench, '-s', 'EXT', '-s', 'GEN', '日期:2020..')), 4)
    equal(numbers(bench, '-d', 'Sales', '--type', 'txt', '--year', '2024', 'recall'), ['Recall letter'])
    out = bench.run('-q', 'search', '--fresh', '--facets', '-s', 'GEN', '计划').out
    contains(type('R', (), {'out': out}), 'FACET       VALUE                   RECORDS\n'
             'series      General quality record        2\n'
             'department  质量管理部                    2\n', where='out')


def test_pages_of_hits(bench):
    fill(bench)
    seen, more = [], ()
    for _ in range(4):
        result = bench.run('search', '--fresh', '--order', 'newest', '--limit', '1', *more, '日期:2020..')
        seen.append(result.out.split('  ')[1].split('\n')[0])
        if len(seen) < 4:
            more = ('--after', matches(result, r'next page: --after (\S+)$', where='err')[1])
    equal(len(set(seen)), 4)
    assert 'next page' not in result.err or seen[-1], result
    result = bench.run('search', '--limit', '1', '日期:2020..')
    contains(result, 'next page: --offset 1')
    second = bench.run('search', '--limit', '1', '--offset', '1', '日期:2020..')
    assert second.out.split('  ')[0] != result.out.split('  ')[0], second


def test_pages_of_documents(bench):
    bench.init()
    pdfs = sorted(p for p in SAMPLES.rglob('*.pdf') if p.stat().st_size > 0)
    assert pdfs, SAMPLES
    bench.run('import', '-s', 'EXT', '-d', 'QC', *pdfs, code=None)
    out = bench.run('search', '--fresh', '类型:pdf').out
    assert 'page 1: ' in out or 'page 2: ' in out, out


def test_without_snippets(bench):
    fill(bench)
    equal(bench.run('-q', 'search', '--fresh', '--no-snippets', 'receipt').out.count('\n'), 4)


def test_found_text_that_holds_escapes(bench):
    bench.init()
    bench.run('file', '-s', 'GEN', '-t', 'forged', '-d', 'QC',
              bench.write('a.txt', 'before \x1b[31mred\x1b[0m \u202etxt.exe needle after'))
    result = bench.run('-q', 'search', '--fresh', 'needle')
    for bad in ('\x1b', '\u202e'):
        assert bad not in result.out, result
    contains(result, '【needle】', where='out')


main()
