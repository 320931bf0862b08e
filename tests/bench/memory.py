#!/usr/bin/env python3
"""memory.py BUILD [COPIES] - resident memory of the resident process: idle, and while it files and indexes a corpus many times over.

The corpus (../shared/corpus beside the source tree; without it the samples that scripts/make-samples makes) is imported in COPIES
(200) varied copies. Each document of a copy has bytes of its own, so that none counts as already there and each is read in the
jail anew: a DOCX gets one more paragraph, a text one more line, a PDF a comment behind its end. Batches of the index are of 300
documents. What is measured is the process itself, without its jailed children: VmRSS at rest, and VmHWM (the most there ever was)
from the moment when the import begins until everything is found by search. Unsealing needs 64 MiB for the moment of Argon2id; that
is told beside it. TMPDIR says on which disk."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
MIB = 1024.0  # of the kB that the kernel counts in


def row(what, ours, bar=None):
    end = f'{ours / bar:6.2f}x <= 1.00x  {"ok" if ours <= bar else "MISSED"}' if bar else ''
    print(f'{what:<54} {ours:12.4g} {bar or 0:12.4g}  {"MiB":<10} {end}'.rstrip(), flush=True)


def memory(pid):
    text = pathlib.Path(f'/proc/{pid}/status').read_text()
    return {name: int(re.search(rf'^{name}:\s+(\d+) kB', text, re.M)[1]) / MIB for name in ('VmRSS', 'VmHWM', 'RssAnon')}


def vary_docx(path, target, line):
    """The same document with one more paragraph before its last section."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == 'word/document.xml':
                at = data.rfind(b'<w:sectPr')
                at = at if at >= 0 else data.rfind(b'</w:body>')
                data = data[:at] + f'<w:p><w:r><w:t>{line}</w:t></w:r></w:p>'.encode() + data[at:]
            new.writestr(item, data)


def vary(path, target, n):
    line = f'第 {n} 份副本'
    if path.suffix == '.docx':
        vary_docx(path, target, line)
        return
    comment = f'\n% copy {n}\n' if path.suffix == '.pdf' else f'\n{line}\n'
    target.write_bytes(path.read_bytes() + comment.encode())


def copies(corpus, folder, count):
    documents = sorted(p for p in corpus.rglob('*') if p.suffix in ('.docx', '.md', '.pdf', '.txt'))
    for n in range(1, count + 1):
        for path in documents:
            target = folder / f'{n:03}' / path.relative_to(corpus)
            target.parent.mkdir(parents=True, exist_ok=True)
            vary(path, target, n)
    return len(documents) * count


class Archive:
    def __init__(self, build, path):
        self.program = build / 'core/main/muniment'
        self.environment = dict(os.environ, MUNIMENT_LANG='en', MUNIMENT_ARCHIVE=str(path), MUNIMENT_ACCOUNT='bench',
                                MUNIMENT_EXTRACT=str(build / 'core/main/muniment-extract'))
        self.path = path
        self.run('init', '--demonstration', '--operator', 'bench')
        self.run('config', 'index.documents', '300')
        self.process = subprocess.Popen([self.program, 'serve', '--unseal-demonstration'], env=self.environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while not (path / 'socket').exists():
            if self.process.poll() is not None:
                sys.exit(self.process.stderr.read().decode())
            time.sleep(0.05)
        while self.status()['sealed']:
            time.sleep(0.05)

    def run(self, *arguments, codes=(0,)):
        done = subprocess.run([self.program, *arguments], env=self.environment, capture_output=True, text=True)
        if done.returncode not in codes:
            sys.exit(f'{arguments[0]}: {done.stdout[-1000:]}{done.stderr[-1000:]}')
        return done.stdout

    def status(self):
        return json.loads(self.run('status', '--json'))

    def settled(self):
        """Everything is in packs, registry and index."""
        while True:
            status = self.status()
            if status['pending_frames'] == 0 and status['extracting'] == 0 and not any(status['lag'].values()):
                return status
            time.sleep(0.2)

    def now(self):
        return memory(self.process.pid)

    def forget_peak(self):
        pathlib.Path(f'/proc/{self.process.pid}/clear_refs').write_text('5')

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def corpus_of(folder):
    corpus = SOURCE.parent / 'shared/corpus'
    if corpus.is_dir():
        return corpus
    subprocess.run([SOURCE / 'scripts/make-samples', folder / 'samples'], check=True, stdout=subprocess.DEVNULL)
    return folder / 'samples'


def measure(build, count, folder):
    (folder / 'documents').mkdir()
    documents = copies(corpus_of(folder), folder / 'documents', count)
    archive = Archive(build, folder / 'archive')
    archive.settled()
    print(f'{"what":<54} {"ours":>12} {"bar":>12}  {"unit":<10} {"ratio":>7}  {"bar":>7}')
    row('idle, unsealed', archive.now()['VmRSS'], 64)
    row('   most, while unsealing', archive.now()['VmHWM'])
    archive.forget_peak()
    start = time.monotonic()
    archive.run('import', '--department', '质量管理部', str(folder / 'documents'), codes=(0, 8))
    filed = time.monotonic() - start
    indexed = archive.settled()['indexed']
    took = time.monotonic() - start
    now = archive.now()
    row(f'importing and indexing {documents} documents, at most', now['VmHWM'], 256)
    row('   just afterwards', now['VmRSS'])
    row('   of that the heap', now['RssAnon'])
    time.sleep(2)
    row('idle again', archive.now()['VmRSS'], 64)
    archive.stop()
    print(f'   filed in {filed:.1f} s, {indexed} found by search after {took:.1f} s')
    if indexed < documents:
        sys.exit(f'only {indexed} of {documents} documents are in the index')


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix='muniment-bench-'))
    try:
        measure(build, int(sys.argv[2]) if len(sys.argv) > 2 else 200, folder)
    finally:
        shutil.rmtree(folder)


main()
