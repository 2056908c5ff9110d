#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/lint/text.py SOURCE: no long source file, no path or host of one machine in any file."""
import os
import pathlib
import re
import sys

LONGEST = 400  # lines of a source file
SOURCES = {'.c', '.h', '.S', '.py', '.sh', '.ld'}
SKIP = {'.git', '__pycache__', 'build'}

RULES = [
    # A home or a workplace, at the start of a path: not below a folder, not below "$variable".
    (re.compile(r'(?<![\w.~$})"*])/(?:home|root|work|Users)/[\w.]'),
     'a path of one machine; make it relative or a setting'),
    # The first label of a host that serves packages, or of a package registry's own name.
    (re.compile(r'\b(?:deb|archive|ports|snapshot|mirrors?|registry|packages|pypi|crates|npmjs)'
                r'\.(?!h\b|c\b|md\b|sh\b|py\b)[a-z0-9-]+\.?(?:org|com|net|io|dev)\b'),
     'the host of a package registry; ask the machine which one it uses'),
    (re.compile(r'\b(?:TO' r'DO|FIX' r'ME|X' r'XX)\b'),
     'a note of unfinished work; finish it or describe the limit in the documentation'),
]


def text_files(source):
    for folder, names, files in os.walk(source):
        names[:] = sorted(n for n in names if n not in SKIP)
        if 'meson-private' in names:  # somebody's build folder
            names[:] = []
            continue
        for name in sorted(files):
            if name not in SKIP:  # a worktree's .git is a file
                yield pathlib.Path(folder, name)


def is_source(path, text):
    return path.suffix in SOURCES or text.startswith('#!')


def check(path, text):
    lines = text.splitlines()
    if is_source(path, text) and len(lines) > LONGEST:
        yield LONGEST + 1, f'{len(lines)} lines, of at most {LONGEST}; split it by purpose'
    for number, line in enumerate(lines, 1):
        for pattern, problem in RULES:
            if found := pattern.search(line):
                yield number, f'"{found.group()}" is {problem}'


def main():
    source = pathlib.Path(sys.argv[1])
    problems = files = 0
    for path in text_files(source):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        files += 1
        for number, problem in check(path, text):
            print(f'{path.relative_to(source).as_posix()}:{number}: {problem}')
            problems += 1
    if not files:
        print(f'text: no file under {source}; give the folder of the sources')
    return 1 if problems or not files else 0


sys.exit(main())
