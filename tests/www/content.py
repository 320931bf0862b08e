#!/usr/bin/python3
"""What the browser needs to bring records in and to look at them: uploads in pieces, differences, proofs, jobs, events."""
import contextlib
import hashlib
import io
import json
import pathlib
import subprocess
import urllib.parse
import xml.dom.minidom
import zipfile

from web import Host, equal, main, wait_until

JSON = 'Content-Type: application/json'
BYTES = 'Content-Type: application/octet-stream'
CHUNK = 4 << 20


@contextlib.contextmanager
def host():
    h = Host()
    try:
        yield h
    finally:
        h.stop()


def origin(h):
    return f'Origin: https://127.0.0.1:{h.port}'


def post(h, target, value, *headers, method='POST', status=None):
    a = h.get('/api/v1' + target, JSON, origin(h), *headers, method=method, body=json.dumps(value).encode())
    assert status is None or a.status == status, (a.status, a.raw, a.body)
    return a


def read(h, target, status=200):
    a = h.get('/api/v1' + target)
    assert a.status == status, (a.status, a.body)
    return json.loads(a.body)


def patch(h, upload, offset, body, status=204):
    a = h.get(f'/api/v1/uploads/{upload}', BYTES, origin(h), f'Upload-Offset: {offset}', method='PATCH', body=body)
    equal(a.status, status)
    return a


def upload(h, content, name='记录.txt'):
    begun = json.loads(post(h, '/uploads', {'name': name, 'size': len(content)}, status=201).body)
    for at in range(0, len(content), CHUNK):
        patch(h, begun['upload'], at, content[at:at + CHUNK])
    post(h, f'/uploads/{begun["upload"]}/finish', {'sha256': hashlib.sha256(content).hexdigest()}, status=200)
    return begun['upload']


def file(h, content):
    body = {'series': 'GEN', 'department': '质量管理部', 'title': '封口记录', 'date': '2026-10-13',
            'parts': [{'upload': upload(h, content)}]}
    return json.loads(post(h, '/records', body, status=201).body)['record']


def test_a_part_in_pieces():
    with host() as h:
        content = bytes(range(256)) * (2 * CHUNK // 256) + b'the end'
        begun = post(h, '/uploads', {'name': 'a.bin', 'size': len(content)}, status=201)
        facts = json.loads(begun.body)
        equal((facts['offset'], facts['chunk_bytes'], begun.headers['upload-offset']), (0, CHUNK, '0'))
        name = facts['upload']
        equal(begun.headers['location'], f'/api/v1/uploads/{name}')
        equal(patch(h, name, 0, content[:CHUNK]).headers['upload-offset'], str(CHUNK))
        # Cut off within a chunk, asked again, gone on with.
        equal(patch(h, name, CHUNK, content[CHUNK:CHUNK + 77]).headers['upload-offset'], str(CHUNK))
        equal(h.get(f'/api/v1/uploads/{name}').headers['upload-offset'], str(CHUNK))
        wrong = patch(h, name, 5, b'x', 409)
        equal(wrong.headers['upload-offset'], str(CHUNK))
        equal(post(h, f'/uploads/{name}/finish', {}).status, 409)
        patch(h, name, CHUNK, content[CHUNK:2 * CHUNK])
        patch(h, name, 2 * CHUNK, content[2 * CHUNK:])
        equal(h.get(f'/api/v1/uploads/{name}', BYTES, origin(h), method='PATCH', body=b'x').status, 400)
        done = json.loads(post(h, f'/uploads/{name}/finish', {'sha256': hashlib.sha256(content).hexdigest()},
                               status=200).body)
        assert done['finished']
        record = json.loads(post(h, '/records', {
            'series': 'GEN', 'department': '质量管理部', 'title': 't', 'date': '2026-10-13',
            'parts': [{'upload': name, 'name': 'b.bin'}]}, status=201).body)['record']
        equal(h.get(f'/api/v1/records/{record}/parts/b.bin').body, content)
        equal(h.get(f'/api/v1/uploads/{name}').status, 404)


def test_uploads_that_are_wrong():
    with host() as h:
        equal(post(h, '/uploads', {'name': 'a', 'size': 1 << 50}).status, 422)
        equal(post(h, '/uploads', {'name': 'a'}).status, 400)
        name = json.loads(post(h, '/uploads', {'name': 'a', 'size': 3}, status=201).body)['upload']
        equal(patch(h, name, 0, b'abcd', 422).status, 422)
        equal(post(h, f'/uploads/{name}/finish', {'sha256': '0' * 64}).status, 422)
        equal(h.get(f'/api/v1/uploads/{name}').headers['upload-offset'], '0')
        equal(h.get(f'/api/v1/uploads/{name}', session='').status, 401)
        gone = h.get(f'/api/v1/uploads/{name}', origin(h), method='DELETE')
        equal(gone.status, 204)
        equal(h.get(f'/api/v1/uploads/{name}', origin(h), method='DELETE').status, 404)


def test_versions_beside_each_other():
    with host() as h:
        record = file(h, '温度 135 度\n结论合格\n'.encode())
        equal(h.get(f'/api/v1/records/{record}/differences').status, 400)
        post(h, f'/records/{record}', {'title': '封口记录二', 'reason': '更正', 'parts': [
            {'upload': upload(h, '温度 138 度\n结论合格\n'.encode())}]}, 'If-Match: "1"', method='PATCH', status=200)
        found = read(h, f'/records/{record}/differences?from=1&to=2')
        equal([hunk['op'] for hunk in found['text'][0]['hunks']], ['removed', 'added', 'same'])
        equal(found['text'][0]['hunks'][1]['lines'], ['温度 138 度'])
        equal(found['fields'][0]['after'], '封口记录二')
        proof = read(h, f'/records/{record}/proof')
        equal((proof['version'], proof['signature']), (2, 'good'))
        assert any('verify-commit ' + proof['commit'] in line for line in proof['commands'])
        first = read(h, f'/records/{record}/proof?version=1')
        assert first['commit'] != proof['commit']


def test_a_scan_is_found_by_its_words():
    with host() as h:
        source = pathlib.Path(__file__).parents[1] / 'search' / 'files' / 'scan.pdf'
        body = {'series': 'GEN', 'department': '质量管理部', 'title': 't', 'date': '2026-10-13',
                'parts': [{'upload': upload(h, source.read_bytes(), 'scan.pdf')}]}
        record = json.loads(post(h, '/records', body, status=201).body)['record']
        query = '/search?q=' + urllib.parse.quote('"抽样二十件"')
        wait_until(lambda: read(h, query)['count'] == 1, 60)
        hit = read(h, query)['hits'][0]
        equal((hit['record'], hit['page']), (record, 1))
        text = read(h, f'/records/{record}')['parts'][0]['text']
        equal((text['recognition']['state'], text['recognition']['of']), ('done', 2))
        assert text['recognition']['sure'] > 80, text


def test_tables():
    with host() as h:
        file(h, b'=words')
        for view in ('records', 'search'):
            csv = h.get(f'/api/v1/{view}.csv?{"q=封口&fresh=1" if view == "search" else "series=GEN"}'.replace('封口', '%E5%B0%81%E5%8F%A3'))
            equal((csv.status, csv.headers['content-type']), (200, 'text/csv; charset=utf-8'))
            text = csv.body.decode('utf-8-sig')
            assert '封口记录' in text and text.count('\r\n') == 2, text
            assert csv.headers['content-disposition'].startswith('attachment'), csv.headers
        book = h.get('/api/v1/records.xlsx?series=GEN')
        with zipfile.ZipFile(io.BytesIO(book.body)) as z:
            equal(z.testzip(), None)
            assert '封口记录' in z.read('xl/worksheets/sheet2.xml').decode()
            for name in z.namelist():
                xml.dom.minidom.parseString(z.read(name))
        equal(h.get('/api/v1/records.csv?limit=3').status, 400)
        equal(h.get('/api/v1/records.csv', session='').status, 401)


def test_a_printed_page():
    with host() as h:
        record = file(h, b'words')
        page = h.get(f'/api/v1/records/{record}/sheet.pdf')
        equal((page.status, page.headers['content-type'], page.body[:5]), (200, 'application/pdf', b'%PDF-'))
        text = subprocess.run(['pdftotext', '-', '-'], input=page.body, capture_output=True, check=True).stdout.decode()
        for word in ('封口记录', '记录.txt', record, hashlib.sha256(b'words').hexdigest()[:20], '1/1'):
            assert word in text, (word, text)
        equal(h.get(f'/api/v1/records/{record}/sheet.pdf?version=2').status, 404)


def test_previews():
    with host() as h:
        source = pathlib.Path(__file__).parents[1] / 'search' / 'files' / 'maintenance.doc'
        body = {'series': 'GEN', 'department': '质量管理部', 'title': 't', 'date': '2026-10-13',
                'parts': [{'upload': upload(h, source.read_bytes(), 'a.doc')}, {'upload': upload(h, b'x', 'a.txt')},
                          {'upload': upload(h, b'\0' * 500, 'b.docx')}]}
        record = json.loads(post(h, '/records', body, status=201).body)['record']
        equal(h.get(f'/api/v1/records/{record}/parts/a.txt/preview').status, 400)
        page = h.get(f'/api/v1/records/{record}/parts/a.doc/preview')
        if not pathlib.Path('/usr/bin/soffice').exists() or not pathlib.Path('/usr/bin/bwrap').exists():
            equal(page.status, 501)
            return
        if page.status == 400 and b'bubblewrap' in page.body:
            return  # this system does not let it work
        equal((page.status, page.headers['content-type'], page.body[:5]), (200, 'application/pdf', b'%PDF-'))
        kept = list((h.archive / 'cache' / 'previews').iterdir())
        assert len(kept) == 1 and b'%PDF' not in kept[0].read_bytes()
        equal(h.get(f'/api/v1/records/{record}/parts/a.doc/preview').body, page.body)
        kept[0].write_bytes(b'\1' + b'x' * 1000)
        equal(h.get(f'/api/v1/records/{record}/parts/a.doc/preview').body[:5], b'%PDF-')


def test_jobs_are_told_of():
    with host() as h, h.connect() as events:
        events.sendall(f'GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{h.port}\r\n'
                       'Cookie: __Host-muniment=filer\r\n\r\n'.encode())
        begun = post(h, '/jobs', {'verb': 'verify'}, status=202)
        job = json.loads(begun.body)['job']
        wait_until(lambda: read(h, f'/jobs/{job}')['state'] == 'done')
        equal(read(h, '/jobs')['jobs'][0]['job'], job)
        assert read(h, '/verification')['result']['good']
        equal(post(h, '/jobs', {'verb': 'file'}).status, 404)
        said = b''
        while b'"state":"done"' not in said:
            piece = events.recv(65536)
            assert piece, said
            said += piece
        assert b'Content-Type: text/event-stream' in said and b'event: job' in said, said


main()
