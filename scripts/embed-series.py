#!/usr/bin/env python3
"""embed-series.py OUT.c IN.yaml... - the standard definitions as C, so that the binary carries them."""
import pathlib
import sys

rows = []
for path in map(pathlib.Path, sys.argv[2:]):
    data = path.read_bytes()
    body = ''.join(f'\n\t"{"".join(f"{chr(92)}{byte:03o}" for byte in data[i:i + 20])}"'
                   for i in range(0, len(data), 20))
    rows.append(f'\t{{ "{path.name}",{body},\n\t  {len(data)} }},\n')
with open(sys.argv[1], 'w', encoding='utf-8') as out:
    out.write('/* Made by scripts/embed-series.py; do not edit. */\n#include "core/model/series.h"\n\n'
              'const struct series_builtin series_builtins[] = {\n' + ''.join(rows) + '};\n\n'
              'const size_t series_builtin_count = ARRAY_LEN(series_builtins);\n')
