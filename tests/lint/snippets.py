#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/lint/snippets.py SOURCE COMPILER...: does the C code in the documentation compile?

Every block that begins with ```c counts. The blocks of a page are one program in pieces: each
may use what those above it declare. Blocks that only show the shape of something are plain ```.
"""
import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r'^```c\n(.*?)^```$', re.DOTALL | re.MULTILINE)
PRELUDE = '#include <inttypes.h>\n#include <stdio.h>\n#include <string.h>\n' \
          '#include <hatch/hatch.h>\n#include <hatch/board.h>\n'
FLAGS = ['-std=gnu17', '-Wall', '-Wextra', '-Werror', '-Wno-unused-function',
         '-Wno-unused-parameter', '-fsyntax-only', '-x', 'c', '-']


def program_of(page):
    """The page's blocks as one file, with the page's own line numbers in the messages."""
    text, program = page.read_text(), PRELUDE
    for block in BLOCK.finditer(text):
        line = text.count('\n', 0, block.start(1)) + 1
        program += f'#line {line} "{page}"\n{block.group(1)}'
    return program if program != PRELUDE else None


def main():
    source, compiler = pathlib.Path(sys.argv[1]), sys.argv[2:]
    pages = [*sorted(source.glob('*.md')), *sorted(source.glob('docs/**/*.md'))]
    programs = {page: program_of(page) for page in pages}
    failures = 0
    for page, program in programs.items():
        if program is None:
            continue
        command = [*compiler, f'-I{source}/include', *FLAGS]
        failures += subprocess.run(command, input=program.encode(), check=False).returncode != 0
    if not any(programs.values()):
        print(f'snippets: no C code in the pages under {source}; give the folder of the sources')
    return 1 if failures or not any(programs.values()) else 0


sys.exit(main())
