#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/lint/layers.py SOURCE: who includes whom, and who prints. docs/design.md has the rules."""
import pathlib
import re
import sys

# A public header includes only those before it.
ORDER = ['types', 'lock', 'csr', 'insn', 'gstage', 'guest', 'vcpu', 'event', 'cont', 'access', 'catch',
         'try', 'clone', 'snapshot', 'call', 'hart', 'hatch']

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.DOTALL)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
PRINT = re.compile(r'\b(printf|puts|putchar|fprintf|vprintf|vfprintf|fputs|fputc|putc|fwrite|perror'
                   r'|stdout|stderr)\b')


def kind_of(header):
    """The layer of a header of Hatch; None for a header of the C library."""
    if not header.startswith('hatch/'):
        return None
    name = header[len('hatch/'):].removesuffix('.h')
    if name.startswith('handlers/'):
        return 'handlers'
    return name if name in ('board', 'abi', 'agent', 'command', 'sched') else 'core'


# What the files of each folder may include of include/hatch.
MAY = {
    'include/hatch/handlers': {'core', 'abi', 'handlers'},
    'include/hatch': {'core'},
    'src/core': {'core'},
    'src/handlers': {'core', 'abi', 'handlers'},
    'src/sched': {'core', 'sched'},
    'src/board': {'core', 'board', 'handlers'},
    'src/command/library': {'command', 'agent'},
    'src/command': {'command'},
    'demos/20-command': {'command'},
    'demos': {'core', 'board', 'abi', 'handlers', 'sched'},
    'guest': {'abi', 'agent'},
}


def folder_of(path, guests):
    """The rule that a file is under; programs for the guest's side of a demo are guests."""
    if path in guests:
        return 'guest'
    return next((folder for folder in MAY if path.startswith(folder + '/')), None)


def is_in_order(path, header):
    """Whether this public header may include that one."""
    if not path.startswith('include/hatch/') or kind_of(header) != 'core':
        return True
    name = pathlib.PurePath(path).stem
    if path.count('/') > 2 or name not in ORDER:
        return True  # board, abi and handlers stand beside the order, behind all of it
    return ORDER.index(header[len('hatch/'):-2]) < ORDER.index(name)


def check_include(path, folder, mark, header):
    if mark == '"':
        if '/' in header:
            return f'reaches into another folder by "{header}"; include what is public'
        if folder.startswith('include/'):
            return f'includes "{header}"; a public header says <hatch/...>'
        return None
    kind = kind_of(header)
    if kind and kind not in MAY[folder]:
        return f'includes <{header}>; {folder} may not see it'
    if kind and not is_in_order(path, header):
        return f'includes <{header}>, which comes later in the order of the headers'
    return None


def check_text(path, folder, text):
    code = COMMENT.sub('', text)
    for mark, header in INCLUDE.findall(code):
        if problem := check_include(path, folder, mark, header):
            yield problem
    if folder == 'src/core':
        for name in sorted(set(PRINT.findall(STRING.sub('', code)))):
            yield f'uses {name}; core prints nothing, its caller does'


def c_files(source):
    for top in ('include', 'src', 'demos', 'guest'):
        for path in sorted((source / top).rglob('*')):
            if path.suffix in ('.c', '.h', '.S'):
                yield path


def main():
    source = pathlib.Path(sys.argv[1])
    guests = {f'demos/{p.parent.name}/{p.name}' for p in source.glob('demos/*/guest*.[chS]')}
    problems = files = 0
    for file in c_files(source):
        path = file.relative_to(source).as_posix()
        folder = folder_of(path, guests)
        files += 1
        if folder is None:
            print(f'{path}: layers: no rule for this folder; add one to MAY in layers.py')
            problems += 1
            continue
        for problem in check_text(path, folder, file.read_text()):
            print(f'{path}: layers: {problem}')
            problems += 1
    if not files:
        print(f'layers: no C file under {source}; give the folder of the sources')
    return 1 if problems or not files else 0


sys.exit(main())
