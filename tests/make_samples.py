#!/usr/bin/env python3
"""make_samples.py FOLDER [STAMP] - documents for the tests of text extraction: honest, odd, broken and hostile ones.

Everything is made from here, byte for byte the same each time, with the standard library only; no document of
anybody's is copied. tests/search/extract.c says what must come out of each. With --fuzz FOLDER it writes the seeds of
tests/fuzz/corpus/ instead."""
import base64
import hashlib
import io
import pathlib
import struct
import sys
import zipfile
import zlib

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
REL = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships/'


def pack(members, method=zipfile.ZIP_DEFLATED):
    """A zip of (name, text or bytes) in this order, with a fixed date."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        for name, data in members:
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name == 'mimetype' else method
            z.writestr(info, data)
    return out.getvalue()


def relations(*rows):
    """rows: (id, type, target)"""
    inner = ''.join(f'<Relationship Id="{i}" Type="{REL}{t}" Target="{x}"/>' for i, t, x in rows)
    return (HEAD + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            + inner + '</Relationships>')


CORE = (HEAD + '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
        '<dc:title>灭菌记录</dc:title><dc:creator>王五</dc:creator>'
        '<dcterms:created>2026-05-20T08:00:00Z</dcterms:created></cp:coreProperties>')


# ---- Word ----

def paragraph(*runs):
    return '<w:p>' + ''.join(f'<w:r><w:t xml:space="preserve">{t}</w:t></w:r>' for t in runs) + '</w:p>'


def docx(body, extra=(), rels=()):
    return pack([
        ('[Content_Types].xml', HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'),
        ('_rels/.rels', relations(('rId1', 'officeDocument', 'word/document.xml'))),
        ('word/document.xml', HEAD + f'<w:document {W} {MC} {A}><w:body>{body}</w:body></w:document>'),
        ('word/_rels/document.xml.rels', relations(*rels)),
        ('docProps/core.xml', CORE), *extra])


def word():
    def part(kind, inner):
        return HEAD + f'<w:{kind} {W}>{inner}</w:{kind}>'
    body = (
        paragraph('召回', '计划') + paragraph('责任到人。') +
        '<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs><w:rPr><w:del w:id="9"/></w:rPr></w:pPr>'
        '<w:r><w:t>左</w:t><w:tab/><w:t>右</w:t><w:br/><w:t>下一行</w:t></w:r></w:p>'
        '<w:tbl><w:tr><w:tc>' + paragraph('批号') + '</w:tc><w:tc>' + paragraph('B20260918') + '</w:tc></w:tr>'
        '<w:tr><w:tc>' + paragraph('温度') + '</w:tc><w:tc>' + paragraph('121℃') + paragraph('保持') +
        '</w:tc></w:tr></w:tbl>'
        '<w:p><w:del w:id="1"><w:r><w:delText>已删除的话</w:delText></w:r></w:del>'
        '<w:ins w:id="2"><w:r><w:t>新加的话</w:t></w:r></w:ins>'
        '<w:moveFrom w:id="3"><w:r><w:t>移走的话</w:t></w:r></w:moveFrom></w:p>'
        '<w:p><mc:AlternateContent><mc:Choice Requires="wps"><w:txbxContent>' + paragraph('文本框') +
        '</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>' + paragraph('文本框') +
        '</w:txbxContent></mc:Fallback></mc:AlternateContent></w:p>'
        '<w:p><w:r><w:instrText>PAGE \\* MERGEFORMAT</w:instrText></w:r></w:p>')
    return docx(body, [
        ('word/header1.xml', part('hdr', paragraph('受控文件'))),
        ('word/header2.xml', part('hdr', paragraph('受控文件'))),
        ('word/footer1.xml', part('ftr', paragraph('第一页'))),
        ('word/footnotes.xml', part('footnotes', f'<w:footnote w:id="1">{paragraph("脚注文字")}</w:footnote>')),
        ('word/comments.xml', part('comments', f'<w:comment w:id="1">{paragraph("请补签字")}</w:comment>')),
    ], [('rId1', 'header', 'header1.xml'), ('rId2', 'header', 'header2.xml'), ('rId3', 'footer', 'footer1.xml'),
        ('rId4', 'footnotes', 'footnotes.xml'), ('rId5', 'comments', '/word/comments.xml'),
        ('rId6', 'hyperlink', '../../outside.xml')])


def numbered():
    """Lists: 第一章 and 第一条 by style, 4.2.3 by paragraph, restarted, legal, and bullets."""
    def level(i, form, text, more=''):
        return f'<w:lvl w:ilvl="{i}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>{more}<w:lvlText w:val="{text}"/></w:lvl>'
    numbering = (HEAD + f'<w:numbering {W}><w:abstractNum w:abstractNumId="3">' +
                 level(0, 'chineseCountingThousand', '第%1章', '<w:pStyle w:val="H1"/>') +
                 level(1, 'chineseCountingThousand', '第%2条', '<w:pStyle w:val="H2"/>') + '</w:abstractNum>'
                 '<w:abstractNum w:abstractNumId="5">' + level(0, 'decimal', '%1') + level(1, 'lowerLetter', '%1.%2)') +
                 level(2, 'upperRoman', '%1.%2.%3', '<w:isLgl/>') + level(3, 'bullet', '') + '</w:abstractNum>'
                 '<w:num w:numId="1"><w:abstractNumId w:val="3"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="5"/></w:num>'
                 '<w:num w:numId="7"><w:abstractNumId w:val="5"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="4"/>'
                 '</w:lvlOverride></w:num></w:numbering>')
    styles = (HEAD + f'<w:styles {W}><w:style w:styleId="H1"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
              '<w:style w:styleId="H2"><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
              '<w:style w:styleId="Sub"><w:basedOn w:val="H2"/></w:style></w:styles>')

    def item(text, style='', at=None):
        inner = f'<w:pStyle w:val="{style}"/>' if style else ''
        if at:
            inner += f'<w:numPr><w:ilvl w:val="{at[1]}"/><w:numId w:val="{at[0]}"/></w:numPr>'
        return f'<w:p><w:pPr>{inner}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
    body = (item('总则', 'H1') + item('目的', 'H2') + item('范围', 'Sub') + item('不编号', 'H2', (0, 0)) + item('职责', 'H1') +
            item('部门', 'H2') + item('甲', '', (2, 0)) + item('乙', '', (2, 1)) + item('丙', '', (2, 1)) + item('丁', '', (2, 2)) +
            item('点', '', (2, 3)) + item('戊', '', (2, 0)) + item('己', '', (2, 1)) + item('庚', '', (7, 0)) + item('辛', '', (7, 0)) +
            item('没有', '', (99, 0)))
    return docx(body, [('word/numbering.xml', numbering), ('word/styles.xml', styles)],
                [('rId1', 'numbering', 'numbering.xml'), ('rId2', 'styles', 'styles.xml')])


def rules():
    """Articles that Word counts by itself, from the fifteenth on, with sub-items in brackets."""
    def level(i, start, form, text):
        return f'<w:lvl w:ilvl="{i}"><w:start w:val="{start}"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
    numbering = (HEAD + f'<w:numbering {W}><w:abstractNum w:abstractNumId="1">' +
                 level(0, 15, 'chineseCountingThousand', '第%1条') + level(1, 1, 'chineseCountingThousand', '（%2）') +
                 '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num></w:numbering>')

    def item(level, text):
        return (f'<w:p><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr></w:pPr>'
                f'<w:r><w:t>{text}</w:t></w:r></w:p>')
    body = (paragraph('库房温湿度管理细则') +
            item(0, '　冷藏柜每日上午和下午各看一次温度。') + item(0, '　超出范围的，当班人员按下列次序处理：') +
            item(1, '先把产品移到备用柜；') + item(1, '再报告质量管理部；') + item(0, '　温度计每年送检一次。') +
            item(0, '　本细则由仓储物流部解释。'))
    return docx(body, [('word/numbering.xml', numbering)], [('rId1', 'numbering', 'numbering.xml')])


# ---- Excel ----

def xlsx():
    styles = (HEAD + f'<styleSheet {S}><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;'
              'd&quot;日&quot;"/><numFmt numFmtId="165" formatCode="&quot;day&quot; 0.00"/></numFmts>'
              '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
              '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="22"/>'
              '<xf numFmtId="20"/><xf numFmtId="165"/></cellXfs></styleSheet>')
    strings = (HEAD + f'<sst {S}><si><t>设备编号</t></si><si><r><t>SB-</t></r><r><t>001</t></r>'
               '<rPh sb="0" eb="1"><t>拼音</t></rPh></si><si><t/></si></sst>')

    def cell(ref, value, kind='', style=0):
        return f'<c r="{ref}" s="{style}"' + (f' t="{kind}"' if kind else '') + f'><v>{value}</v></c>'
    one = (HEAD + f'<worksheet {S}><sheetData><row r="1">' + cell('A1', 0, 's') + cell('B1', 1, 's') +
           cell('C1', 2, 's') + cell('D1', 99, 's') + '</row><row r="2">' + cell('A2', 46327, '', 1) +
           cell('B2', 46327, '', 2) + cell('C2', '46327.604166666664', '', 3) + cell('D2', 0.5, '', 4) +
           cell('E2', '0.10000000000000001', '', 5) + cell('F2', '1E3') + cell('G2', 1, 'b') +
           cell('H2', '#REF!', 'e') + '<c r="I2" t="inlineStr"><is><t>直接</t></is></c>'
           '<c r="J2" t="str"><f>A1&amp;"x"</f><v>公式值</v></c>' + cell('K2', 60, '', 1) + cell('L2', 1, '', 1) +
           '</row></sheetData></worksheet>')
    two = HEAD + f'<worksheet {S}><sheetData><row r="1">' + cell('A1', '第二页', 'str') + '</row></sheetData></worksheet>'
    # The sheets stand before the strings, as writers that stream put them.
    return pack([
        ('_rels/.rels', relations(('rId1', 'officeDocument', 'xl/workbook.xml'))),
        ('xl/worksheets/sheet1.xml', one), ('xl/worksheets/sheet2.xml', two),
        ('xl/workbook.xml', HEAD + f'<workbook {S} {R}><sheets><sheet name="台账" sheetId="1" r:id="rId7"/>'
         '<sheet name="附表" sheetId="2" r:id="rId8"/></sheets></workbook>'),
        ('xl/_rels/workbook.xml.rels', relations(('rId7', 'worksheet', 'worksheets/sheet1.xml'),
            ('rId8', 'worksheet', 'worksheets/sheet2.xml'), ('rId9', 'styles', 'styles.xml'),
            ('rId10', 'sharedStrings', 'sharedStrings.xml'))),
        ('xl/worksheets/_rels/sheet1.xml.rels', relations(('rId1', 'comments', '../comments1.xml'))),
        ('xl/comments1.xml', HEAD + f'<comments {S}><commentList><comment ref="A1"><text><r><t>批注</t></r></text>'
         '</comment></commentList></comments>'),
        ('xl/sharedStrings.xml', strings), ('xl/styles.xml', styles), ('docProps/core.xml', CORE)])


# ---- PowerPoint ----

def pptx():
    def slide(text):
        return (HEAD + f'<p:sld {P} {A}><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p><a:p><a:fld type="slidenum">'
                '<a:t>7</a:t></a:fld></a:p></p:txBody></p:sld>')
    return pack([
        ('_rels/.rels', relations(('rId1', 'officeDocument', 'ppt/presentation.xml'))),
        ('ppt/presentation.xml', HEAD + f'<p:presentation {P} {R}><p:sldIdLst><p:sldId id="256" r:id="rId3"/>'
         '<p:sldId id="257" r:id="rId2"/></p:sldIdLst></p:presentation>'),
        ('ppt/_rels/presentation.xml.rels', relations(('rId2', 'slide', 'slides/slide1.xml'),
            ('rId3', 'slide', 'slides/slide2.xml'))),
        ('ppt/slides/slide1.xml', slide('年度总结')), ('ppt/slides/slide2.xml', slide('培训材料')),
        ('ppt/slides/_rels/slide2.xml.rels', relations(('rId1', 'notesSlide', '../notesSlides/notesSlide1.xml'))),
        ('ppt/notesSlides/notesSlide1.xml', HEAD + f'<p:notes {P} {A}><a:p><a:r><a:t>讲稿备注</a:t></a:r></a:p></p:notes>')])


# ---- OpenDocument ----

O = ('xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
     'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
     'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
     'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
     'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
     'xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0"')
MANIFEST = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">%s</manifest:manifest>'


def odf(kind, body, styles='', manifest=''):
    return pack([
        ('mimetype', 'application/vnd.oasis.opendocument.' + kind),
        ('content.xml', HEAD + f'<office:document-content {O}><office:body>{body}</office:body></office:document-content>'),
        ('styles.xml', HEAD + f'<office:document-styles {O}><office:master-styles>{styles}</office:master-styles>'
         '</office:document-styles>'),
        ('meta.xml', HEAD + f'<office:document-meta {O}><office:meta><dc:title>投诉登记</dc:title>'
         '<meta:initial-creator>赵六</meta:initial-creator><meta:creation-date>2026-03-01T10:00:00</meta:creation-date>'
         '</office:meta></office:document-meta>'),
        ('META-INF/manifest.xml', HEAD + MANIFEST % manifest)])


def odt():
    return odf('text', '<office:text><text:tracked-changes><text:changed-region><text:deletion><text:p>删掉了</text:p>'
               '</text:deletion></text:changed-region></text:tracked-changes><text:h>投诉<text:span>处理</text:span></text:h>'
               '<text:p>甲<text:s text:c="3"/>乙<text:tab/>丙<text:line-break/>丁</text:p>\n  '
               '<table:table table:name="T"><table:table-row><table:table-cell><text:p>格一</text:p></table:table-cell>'
               '<table:table-cell><text:p>格二</text:p></table:table-cell></table:table-row></table:table>'
               '<text:p>换\n行不断字</text:p></office:text>',
               '<style:master-page><style:header><text:p>页眉</text:p></style:header>'
               '<style:footer><text:p>页脚</text:p></style:footer></style:master-page>')


def ods():
    return odf('spreadsheet', '<office:spreadsheet><table:table table:name="一月"><table:table-row>'
               '<table:table-cell office:value-type="date" office:date-value="2026-01-31"><text:p>1月31日</text:p>'
               '</table:table-cell><table:table-cell office:value-type="date" office:date-value="2026-01-31T14:30:00">'
               '<text:p>x</text:p></table:table-cell><table:table-cell office:value-type="float"><text:p>12.50</text:p>'
               '</table:table-cell></table:table-row></table:table><table:table table:name="二月"><table:table-row>'
               '<table:table-cell><text:p>空表</text:p></table:table-cell></table:table-row></table:table>'
               '</office:spreadsheet>')


def odp():
    return odf('presentation', '<office:presentation><draw:page draw:name="封面"><draw:frame><text:p>一</text:p></draw:frame>'
               '</draw:page><draw:page draw:name="正文"><text:p>二</text:p></draw:page></office:presentation>')


# ---- OFD ----

def ofd(pages, extra=()):
    """pages: lists of (y, text)"""
    def content(rows):
        return (HEAD + '<ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Content><ofd:Layer>' + ''.join(
            f'<ofd:TextObject Boundary="20 {y} 100 6"><ofd:TextCode X="0" Y="5">{text}</ofd:TextCode></ofd:TextObject>'
            for y, text in rows) + '</ofd:Layer></ofd:Content></ofd:Page>')
    return pack([
        ('OFD.xml', HEAD + '<ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016"><ofd:DocBody><ofd:DocInfo><ofd:Title>电子发票</ofd:Title>'
         '<ofd:CreationDate>2026-04-02</ofd:CreationDate></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>'
         '</ofd:DocBody></ofd:OFD>'),
        ('Doc_0/Document.xml', HEAD + '<ofd:Document xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Pages>' + ''.join(
            f'<ofd:Page ID="{i}" BaseLoc="Pages/Page_{i}/Content.xml"/>' for i in range(len(pages))) +
         '</ofd:Pages></ofd:Document>'),
        *[(f'Doc_0/Pages/Page_{i}/Content.xml', content(rows)) for i, rows in enumerate(pages)], *extra])


# ---- PDF ----

def pdf(objects, trailer=''):
    out, places = bytearray(b'%PDF-1.7\n%\xe2\xe3\xcf\xd3\n'), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b'%d 0 obj\n' % number + body + b'\nendobj\n'
    start = len(out)
    out += b'xref\n0 %d\n0000000000 65535 f \n' % (len(objects) + 1)
    for place in places:
        out += b'%010d 00000 n \n' % place
    out += (b'trailer\n<</Size %d/Root 1 0 R' % (len(objects) + 1) + trailer.encode('latin-1') +
            b'>>\nstartxref\n%d\n%%%%EOF\n' % start)
    return bytes(out)


def stream(data, extra=b''):
    return b'<</Length %d%s>>\nstream\n' % (len(data), extra) + data + b'\nendstream'


def hexed(text):
    return b'<' + text.encode('gb18030').hex().encode() + b'>'


FONTS = b'<</Font<</F1 4 0 R/F2 5 0 R>>>>'


def text_pdf(pages, trailer='', more=(), change=lambda number, data: data):
    """A page for each content stream, in Helvetica (F1) and SimSun, not embedded, in GBK (F2)."""
    first = 7
    kids = b' '.join(b'%d 0 R' % (first + 2 * i) for i in range(len(pages)))
    objects = [b'<</Type/Catalog/Pages 2 0 R>>', b'<</Type/Pages/Count %d/Kids[%s]>>' % (len(pages), kids), b'null',
               b'<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
               b'<</Type/Font/Subtype/Type0/BaseFont/SimSun/Encoding/GBK-EUC-H/DescendantFonts[6 0 R]>>',
               b'<</Type/Font/Subtype/CIDFontType2/BaseFont/SimSun/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)'
               b'/Supplement 2>>/DW 1000/FontDescriptor<</Type/FontDescriptor/FontName/SimSun/Flags 6'
               b'/FontBBox[0 -120 1000 880]/ItalicAngle 0/Ascent 880/Descent -120/CapHeight 880/StemV 80>>>>']
    for content in pages:
        number = len(objects) + 2
        objects.append(b'<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources' + FONTS +
                       b'/Contents %d 0 R>>' % number)
        objects.append(stream(change(number, content)))
    return pdf(objects + list(more), trailer)


def line(y, text, font=b'F2', spacing=0, x=60):
    return b'BT /%s 12 Tf %d Tc %d %d Td %s Tj ET\n' % (font, spacing, x, y, hexed(text))


def plain_pdf():
    info = b'<</Title(\xfe\xff' + '召回报告'.encode('utf-16-be') + b')/Author(Zhao)/CreationDate(D:20260520120000+08\'00\')>>'
    return text_pdf([line(780, '第一页：召回计划') + line(760, 'Batch B20260918', b'F1'),
                     line(780, '第二页：责任到人')], '/Info 11 0 R', [info])


def rc4(key, data):
    box, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) & 255
        box[i], box[j] = box[j], box[i]
    i = j = 0
    for byte in data:
        i = (i + 1) & 255
        j = (j + box[i]) & 255
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) & 255])
    return bytes(out)


def encrypted_pdf(password):
    """The standard security handler, revision 2: old, short, and enough to need a password. Strings in the objects
    are not encrypted, so only the Latin font works."""
    pad = bytes.fromhex('28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A')
    user = (password.encode() + pad)[:32]
    owner = rc4(hashlib.md5(user).digest()[:5], user)
    ident, rights = b'0123456789abcdef', -4
    key = hashlib.md5(user + owner + struct.pack('<i', rights) + ident).digest()[:5]

    def change(number, data):
        return rc4(hashlib.md5(key + struct.pack('<I', number)[:3] + b'\0\0').digest()[:10], data)
    trailer = (f'/ID[<{ident.hex()}><{ident.hex()}>]/Encrypt<</Filter/Standard/V 1/R 2/P {rights}'
               f'/O<{owner.hex()}>/U<{rc4(key, pad).hex()}>>>')
    return text_pdf([line(780, 'Sealed words', b'F1')], trailer, (), change)


def scan_pdf():
    pixels = zlib.compress(bytes((x * y) & 255 for x in range(32) for y in range(32)), 9)
    return pdf([b'<</Type/Catalog/Pages 2 0 R>>', b'<</Type/Pages/Count 1/Kids[3 0 R]>>',
                b'<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</XObject<</I 5 0 R>>>>/Contents 4 0 R>>',
                stream(b'595 0 0 842 0 0 cm /I Do'),
                stream(pixels, b'/Type/XObject/Subtype/Image/Width 32/Height 32/ColorSpace/DeviceGray'
                       b'/BitsPerComponent 8/Filter/FlateDecode')])


# ---- mail ----

def mail(headers, body):
    return '\r\n'.join(headers).encode('latin-1') + b'\r\n\r\n' + body


def word_of(text, charset='gb2312'):
    return f'=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?='


def gb2312_mail():
    return mail(['Return-Path: <zhang@example.com>', 'Received: from a by b; Wed, 20 May 2026 09:00:00 +0800',
                 f'From: {word_of("张三")} <zhang@example.com>', 'To: li@example.com', f'Subject: {word_of("关于召回的通知")}',
                 'Date: Wed, 20 May 2026 09:02:11 +0800', 'MIME-Version: 1.0',
                 'Content-Type: text/plain; charset="gb2312"', 'Content-Transfer-Encoding: base64'],
                base64.encodebytes('请于今日停止销售该批号。镕字在国标扩展里。'.encode('gb18030')))


def long_words_mail():
    """Subject, sender and file name in several encoded words, each of which is padded."""
    def words(text):
        return '\r\n '.join(word_of(text[i:i + 5], 'utf-8') for i in range(0, len(text), 5))
    kind, body = multipart('mixed', 'w', mail(['Content-Type: text/plain'], b'body'),
                           mail(['Content-Type: application/octet-stream',
                                 f'Content-Disposition: attachment; filename="{words("召回通知书第二版.txt")}"'],
                                '附件里的字'.encode()))
    return mail([f'From: {words("质量管理部李四")} <li@example.com>', f'Subject: {words("关于变更着色母粒供应商的通知")}',
                 'Date: Wed, 20 May 2026 09:02:11 +0800', 'MIME-Version: 1.0', kind], body)


def multipart(subtype, boundary, *parts):
    body = b''.join(b'--' + boundary.encode() + b'\r\n' + part + b'\r\n' for part in parts)
    return (f'Content-Type: multipart/{subtype}; boundary="{boundary}"'), body + b'--' + boundary.encode() + b'--\r\n'


def attachment(name, data, kind='application/octet-stream'):
    return mail([f'Content-Type: {kind}; name="{word_of(name, "utf-8")}"', 'Content-Transfer-Encoding: base64',
                 f'Content-Disposition: attachment; filename="{word_of(name, "utf-8")}"'], base64.encodebytes(data))


def attached_mail():
    inner = mail(['From: a@example.com', 'Subject: inner', 'Date: Wed, 20 May 2026 09:02:11 +0800', 'MIME-Version: 1.0',
                  multipart('mixed', 'y')[0]],
                 multipart('mixed', 'y', mail(['Content-Type: text/plain; charset=utf-8'], '转发的内容'.encode()),
                           attachment('深处.docx', docx(paragraph('第二层附件'))))[1])
    alternative = multipart('alternative', 'z', mail(['Content-Type: text/plain; charset=utf-8'], '正文在此'.encode()),
                            mail(['Content-Type: text/html; charset=utf-8'], '<b>网页版正文</b>'.encode()))
    kind, body = multipart('mixed', 'x', mail([alternative[0]], alternative[1]),
                           attachment('报价\n../单.xlsx', xlsx()), attachment('说明.pdf', plain_pdf()),
                           attachment('logo.png', b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0'),
                           mail(['Content-Type: message/rfc822'], inner))
    return mail(['From: b@example.com', 'To: c@example.com', 'Subject: attached', 'Message-ID: <1@example.com>',
                 'Date: Wed, 20 May 2026 09:02:11 +0800', 'MIME-Version: 1.0', kind], body)


def html_mail():
    return mail(['From: b@example.com', 'To: c@example.com', 'Subject: only html', 'MIME-Version: 1.0',
                 'Date: Wed, 20 May 2026 09:02:11 +0800', 'Content-Type: text/html; charset=gbk'],
                '<p>网页<script>坏</script>正文</p>'.encode('gbk'))


def nested_mail(depth):
    body = mail(['From: a@example.com', 'To: b@example.com', 'Subject: level 0', 'Date: Wed, 20 May 2026 09:02:11 +0800'],
                b'the bottom')
    for level in range(1, depth + 1):
        kind, outer = multipart('mixed', f'b{level}', attachment(f'level{level - 1}.eml', body, 'message/x-mail'))
        body = mail(['From: a@example.com', 'To: b@example.com', f'Subject: level {level}', 'MIME-Version: 1.0',
                     'Date: Wed, 20 May 2026 09:02:11 +0800', kind], outer)
    return body


# ---- hostile and broken ----

LAUGHS = (HEAD + '<!DOCTYPE l [<!ENTITY a "ha">' +
          ''.join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)) + ']>')


def bomb(megabytes):
    """One paragraph that is all blanks: a thousand to one."""
    body = b'<w:p><w:r><w:t>' + b'a' * (megabytes << 20) + b'</w:t></w:r></w:p>'
    return docx('BODY').replace(b'BODY', b'') if megabytes == 0 else pack([
        ('_rels/.rels', relations(('rId1', 'officeDocument', 'word/document.xml'))),
        ('word/document.xml', f'<w:document {W}><w:body>'.encode() + b' ' * (megabytes << 20) + body[:40] +
         b'</w:t></w:r></w:p></w:body></w:document>')])


def nested_zip(depth):
    data = b'x' * 1000
    for level in range(depth):
        data = pack([(f'{level}.zip', data)])
    return data


def many_members(count):
    return pack([('_rels/.rels', relations(('rId1', 'officeDocument', 'word/document.xml')))] +
                [(f'word/{i}.xml', b'') for i in range(count)], zipfile.ZIP_STORED)


def flip_encrypted_flag(data):
    """Say of every member that it is encrypted."""
    out = bytearray(data)
    for mark, offset in ((b'PK\3\4', 6), (b'PK\1\2', 8)):
        at = out.find(mark)
        while at >= 0:
            out[at + offset] |= 1
            at = out.find(mark, at + 4)
    return bytes(out)


def encrypted_office():
    """The outside of a password-protected .docx: an OLE file with the tell-tale stream."""
    head = b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + bytes(16) + struct.pack('<HHHHH', 62, 3, 0xfffe, 9, 6)
    return head + bytes(1024 - len(head)) + 'EncryptedPackage'.encode('utf-16-le') + bytes(2048)


HTML = ('<!DOCTYPE html><html><head><meta charset="{}"><title>网页标题</title><style>p{{color:red}}</style></head>'
        '<body><h1>大标题</h1><p>第一\n段<b>加粗</b></p><script>var 坏="x";</script><table><tr><td>甲</td><td>乙</td></tr>'
        '</table>&lt;尾&gt;&nbsp;end<!-- 注释 --></body></html>')


def samples():
    whole = word()
    yield 'word.docx', whole
    yield 'numbered.docx', numbered()
    yield 'rules.docx', rules()
    yield 'sheet.xlsx', xlsx()
    yield 'slides.pptx', pptx()
    yield 'text.odt', odt()
    yield 'sheet.ods', ods()
    yield 'slides.odp', odp()
    yield 'plain.pdf', plain_pdf()
    yield 'stretched.pdf', text_pdf([line(780, '这一行字被拉开了', b'F2', 8) + line(760, '这一行字没有拉开')])
    yield 'hanging.pdf', text_pdf([line(780, '产品名称：输液延长管\u3000规格型号：一五〇\u3000注册证号：澄械注准', x=94) +
                                   line(760, '号后的字\u3000有效期：两年')])
    yield 'scan.pdf', scan_pdf()
    yield 'blank.pdf', text_pdf([b''])
    yield 'password.pdf', encrypted_pdf('secret')
    yield 'openable.pdf', encrypted_pdf('')
    yield 'truncated.pdf', plain_pdf()[:400]
    yield 'notpdf.pdf', b'%PDF-1.7\n' + b'garbage ' * 100
    yield 'gb2312.eml', gb2312_mail()
    yield 'words.eml', long_words_mail()
    yield 'attached.eml', attached_mail()
    yield 'html.eml', html_mail()
    yield 'nested.eml', nested_mail(6)
    yield 'utf8.txt', '纯文本\r\n第二行\x00'.encode()[:-1]
    yield 'mark.txt', b'\xef\xbb\xbf' + '有标记\x0b'.encode()
    yield 'utf16.txt', '宽文本，双字节'.encode('utf-16')
    yield 'utf16be.txt', '宽文本ABC abc abc'.encode('utf-16-be')
    yield 'gbk.txt', '国标文本：质量管理体系，责任到人。'.encode('gbk')
    yield 'gb18030.txt', '四字节：㐀㐁，质量管理体系文件审核批准管理'.encode('gb18030')
    yield 'latin.txt', 'Prüfung der Geräte, geänderte Fassung vom März'.encode('latin-1')
    wrapped = ['各部门在接到通知后三天之内自查一遍，记录不良事', '件监测、投诉举报和抽检的情况，由质量管理部汇总。'] * 5
    yield 'spaced.txt', '\n\n'.join(['通知', *wrapped, '\n落款']).encode()
    yield 'items.txt', '\n\n'.join(f'第{i}项' + '。' * i for i in range(1, 13)).encode()
    yield 'cut.txt', '切断在字中间的文本文件'.encode()[:-1]
    yield 'hidden.txt', ('看不见的' * 30 + 'a\u202eb\u200bc\u2066d\ufeffe\x1bf\u00adg\x07h').encode()
    yield 'note.md', '# 标题\n\n正文 *强调*\n'.encode()
    yield 'page.html', HTML.format('utf-8').encode()
    yield 'gbk.html', HTML.format('gb2312').encode('gbk')
    yield 'zero.docx', b''
    yield 'liar.docx', plain_pdf()
    yield 'liar.pdf', whole
    yield 'liar.txt', b'\x7fELF\2\1\1' + bytes(range(256)) * 8
    yield 'truncated.docx', whole[:len(whole) // 2]
    yield 'cutxml.docx', docx('<w:p>')
    yield 'laughs.docx', pack([('_rels/.rels', relations(('rId1', 'officeDocument', 'word/document.xml'))),
                               ('word/document.xml', LAUGHS + f'<w:document {W}><w:t>&j;</w:t></w:document>')])
    yield 'external.docx', pack([('_rels/.rels', relations(('rId1', 'officeDocument', 'word/document.xml'))),
                                 ('word/document.xml', HEAD + '<!DOCTYPE x [<!ENTITY p SYSTEM "file:///etc/passwd">]>'
                                  f'<w:document {W}><w:t>&p;</w:t></w:document>')])
    yield 'deep.docx', docx('<w:p>' * 300 + '</w:p>' * 300)
    yield 'bomb.docx', bomb(40)
    yield 'nested.zip', nested_zip(20)
    yield 'many.docx', many_members(10001)
    yield 'traversal.docx', docx(paragraph('穿越路径'), [('../../../tmp/muniment-was-here', 'x'), ('/etc/cron.d/evil', 'x'),
                                                     ('..\\..\\evil.exe', 'x'), ('word/a\nb\u202e.xml', 'x')])
    yield 'locked.docx', flip_encrypted_flag(whole)
    yield 'password.docx', encrypted_office()
    yield 'password.odt', odf('text', '<office:text/>', '', '<manifest:file-entry><manifest:encryption-data/>'
                              '</manifest:file-entry>')
    yield 'empty.docx', docx('')
    yield 'plain.zip', pack([('a.txt', 'text')])
    yield 'page.ofd', ofd([[(20, '购买方'), (20.4, '名称'), (30, '税额 12.00')], [(20, '第二页')]])
    yield 'scan.ofd', ofd([[]], [('Doc_0/Res/image_1.jpg', 'x')])
    yield 'rootless.ofd', pack([('OFD.xml', '<ofd/>')])
    yield 'pageless.ofd', pack([('OFD.xml', '<a><DocRoot>../../etc/passwd</DocRoot></a>')])
    yield 'picture.png', b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0'


def fuzz_seeds():
    whole, sheet = word(), xlsx()
    office = {'word': whole, 'numbered': numbered(), 'sheet': sheet, 'slides': pptx(), 'odt': odt(), 'ods': ods(), 'odp': odp(), 'ofd': ofd([[(20, '购买方')]]),
              'cut': whole[:900], 'laughs': dict(samples())['laughs.docx'], 'locked': flip_encrypted_flag(sheet)}
    html = {'utf8': HTML.format('utf-8').encode(), 'gbk': HTML.format('gb2312').encode('gbk'),
            'open': b'<html><table><td><p><b><script>', 'deep': b'<b>' * 500, 'entities': b'<p>&amp;&#x0;&#55296;&nope;&#1114112;',
            'last-byte-a0': b'A<p>&#1057056;'}
    mails = {'gb2312': gb2312_mail(), 'words': long_words_mail(), 'attached': attached_mail(), 'html': html_mail(), 'headers': b'From: a\nSubject:',
             'boundary': b'From: a\nDate: b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=""\n\n--\n\n--\n'}

    def frame(kind, data):
        return bytes([kind]) + struct.pack('>I', len(data)) + data
    page = struct.pack('>IH', 1, 2) + b'S1' + '文本\n'.encode()
    whole = (b'MXT1' + frame(1, b'text/plain') + frame(2, '题'.encode()) + frame(4, b'2026-11-21') + frame(5, page) +
             frame(6, b'\0\1ax') + frame(7, b'') + frame(8, b'\0'))
    wire = {'whole': whole, 'cut': whole[:-3], 'trailing': whole + b'x', 'long': b'MXT1\5\xff\xff\xff\xff', 'reason': b'MXT1' +
            frame(8, b'\4'), 'control': b'MXT1' + frame(5, page + b'\x1b') + frame(8, b'\0')}

    def string(data):
        return struct.pack('>I', len(data)) + data
    kept = (b'\0\3' + string(b'text/plain') + string(b'') + string(b'') + string(b'2026-11-21') + struct.pack('>III', 1, 1, 0) +
            string(b'S1') + string('文本'.encode()))
    cache = {'whole': kept, 'cut': kept[:-1], 'pages': kept[:38] + b'\xff\xff\xff\xff'}
    parts = {name: b''.join(b'== %s\n%s\n' % (info.filename.encode(), z.read(info)) for info in z.infolist())
             for name in ('word', 'numbered', 'sheet', 'slides', 'odt', 'ods', 'odp', 'ofd')
             for z in [zipfile.ZipFile(io.BytesIO(office[name]))]}
    for target, seeds in (('extract_office', office), ('extract_parts', parts), ('extract_html', html), ('extract_mail', mails),
                          ('extract_wire', wire), ('textcache', cache)):
        for name, data in seeds.items():
            yield f'{target}/{name}', data


def main():
    rows = samples()
    words = sys.argv[1:]
    if words[0] == '--fuzz':
        words, rows = words[1:], fuzz_seeds()
    for name, data in rows:
        path = pathlib.Path(words[0]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if len(words) > 1:
        pathlib.Path(words[1]).write_text('')


main()
