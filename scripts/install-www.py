#!/usr/bin/env python3
"""install-www.py SOURCE DATADIR - copy what the web layer serves (www/ui/manifest says what) to DATADIR/muniment/www, below DESTDIR
where that is set. Called by `meson install`."""
import os
import pathlib
import shutil
import sys


def files(ui):
    """(place below www/, its file) of everything that the manifest names."""
    yield 'ui/manifest', ui / 'manifest'
    yield 'ui/package-lock.json', ui / 'package-lock.json'
    for line in (ui / 'manifest').read_text(encoding='utf-8').splitlines():
        words = line.split()
        if not words or words[0].startswith('#'):
            continue
        top = {'ui': ui, 'vendor': ui / 'node_modules'}[words[0]]
        found = sorted(top.glob(words[1]))
        if not found:
            sys.exit(f'install-www: {words[1]} is not there; run scripts/install first')
        for path in found:
            yield f'ui/{path.relative_to(ui)}', path


def main():
    source, data = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    top = pathlib.Path(os.environ.get('DESTDIR', '') + str(data)) / 'muniment/www'
    for name, path in [*files(source / 'www/ui'), ('openapi.json', source / 'www/openapi.json')]:
        target = top / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o644)


main()
