#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/lint/links.py SOURCE: do the relative links of all pages lead somewhere?

A link may name a file or a folder, a heading of a page (#how-it-works), or both. Links to other
hosts are not followed. Code is skipped: what looks like a link there is none.
"""
import os
import pathlib
import re
import sys
import urllib.parse

SKIP = {'.git', '__pycache__', 'build'}
CODE = re.compile(r'^```.*?^```[ \t]*$|`[^`\n]+`', re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r'(?<=\n\n)(?:(?: {4}|\t)[^\n]*\n|\n)+')
LINK = re.compile(r'!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)')
REFERENCE = re.compile(r'^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)', re.MULTILINE)
HEADING = re.compile(r'^#{1,6}\s+(.+?)\s*#*$', re.MULTILINE)
OTHER_HOST = re.compile(r'[a-zA-Z][a-zA-Z0-9+.-]*:|//')


def blank(match):
    """Nothing but the line breaks, so that line numbers stay true."""
    return '\n' * match.group().count('\n')


def slug(heading):
    """The name that a heading gets in the page, in the way of Python-Markdown's toc."""
    text = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading).replace('`', '')
    text = re.sub(r'[^\w\s-]', '', text.encode('ascii', 'ignore').decode()).strip().lower()
    return re.sub(r'[-\s]+', '-', text)


def anchors(page):
    text = re.sub(r'^```.*?^```[ \t]*$', '', page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return {slug(heading) for heading in HEADING.findall(text)}


def problem_of(page, link, source):
    path, _, anchor = urllib.parse.unquote(link).partition('#')
    target = page if not path else pathlib.Path(os.path.normpath(page.parent / path))
    if path.startswith('/'):
        return 'begins at the root of a host; say where it is from this page'
    if not target.is_relative_to(source):
        return 'leads out of the repository; name it in words'
    if not target.exists():
        return 'leads to nothing; mend the path or write the page'
    if anchor and target.suffix == '.md' and anchor not in anchors(target):
        return f'leads to no heading of {target.relative_to(source).as_posix()}; mend the part behind #'
    docs = source / 'docs'
    if page.is_relative_to(docs) and not target.is_relative_to(docs):
        return 'leads out of docs/, which the site of the book does not have; name the file instead'
    return None


def check(page, source):
    text = INDENTED.sub(blank, CODE.sub(blank, page.read_text()))
    for pattern in (LINK, REFERENCE):
        for found in pattern.finditer(text):
            link = found.group(1)
            problem = None if OTHER_HOST.match(link) else problem_of(page, link, source)
            if problem:
                yield text.count('\n', 0, found.start()) + 1, f'"{link}" {problem}'


def pages(source):
    for folder, names, files in os.walk(source):
        names[:] = sorted(n for n in names if n not in SKIP)
        if 'meson-private' in names:  # somebody's build folder
            names[:] = []
            continue
        for name in sorted(files):
            if name.endswith('.md'):
                yield pathlib.Path(folder, name)


def main():
    source = pathlib.Path(os.path.abspath(sys.argv[1]))
    problems = count = 0
    for page in pages(source):
        count += 1
        for line, problem in check(page, source):
            print(f'{page.relative_to(source).as_posix()}:{line}: {problem}')
            problems += 1
    if not count:
        print(f'links: no page under {source}; give the folder of the sources')
    return 1 if problems or not count else 0


sys.exit(main())
