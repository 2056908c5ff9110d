#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write the table that tests/unit/test_insn.c compares the instruction decoder with.

The table owes nothing to the decoder: the words are generated here, binutils assembles them, and
what each of them is comes from the text of binutils' disassembly. The transformed form (htinst)
is also made by the assembler: the instruction is written again without its immediate and with the
address offset as the number of its base register. Described here are only the encodings that this
binutils does not print (reserved ones and, before 2.42, Zcb) or prints against the specification.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

# The richest instruction set that some supported binutils knows comes first.
ARCHITECTURES = ('rv64gc_zfh_zcb_zcmop', 'rv64gc_zfh')

COLUMNS = ('raw', 'length', 'class', 'op', 'width', 'signed', 'rd', 'rs1', 'rs2', 'imm', 'csr',
           'csrimm', 'uimm', 'aq', 'rl', 'htinst', 'offset')

# Printed as c.addi16sp by 0, which the specification reserves; and the illegal instruction.
PRINTED_YET_RESERVED = (0x6101, 0x0000)

WIDTH = {'b': 1, 'h': 2, 'w': 4, 'd': 8}

# 16-bit encodings as the specification draws them; spaces are for the eye, the letters name
# fields, '-' is any bit. The first that fits counts. UNKNOWN and OTHER have no operands.
UNPRINTED = (
    ('100 000 sss ab ddd 00', 'lbu'),
    ('100 001 sss 0b ddd 00', 'lhu'),
    ('100 001 sss 1b ddd 00', 'lh'),
    ('100 010 sss ab ddd 00', 'sb'),
    ('100 011 sss 0b ddd 00', 'sh'),
    ('100 111 --- 10 --- 01', 'other'),    # c.mul
    ('100 111 --- 11 0-- 01', 'other'),    # c.zext.b, c.sext.b, c.zext.h, c.sext.h
    ('100 111 --- 11 10- 01', 'other'),    # c.zext.w, c.not
    ('011 0 0---1 00000 01', 'other'),     # c.mop.1 to c.mop.15
    ('--- ----------- --', 'unknown'),
)


class Reject(Exception):
    """A message for the user: what was wrong, with what, and what to do next."""


# ---- The words ----

def spread(index):
    """Register numbers and the like that change all their bits as index counts."""
    return (index * 0x9e3779b1 & 0xffffffff) >> 7


def walk_i(opcode, funct3):
    """Every rd with every rs1, then every value of the upper twelve bits."""
    for regs in range(1024):
        upper = spread(regs) & 0xfff
        yield upper << 20 | regs >> 5 << 15 | funct3 << 12 | (regs & 31) << 7 | opcode
    for upper in range(4096):
        regs = spread(upper)
        yield upper << 20 | (regs & 31) << 15 | funct3 << 12 | (regs >> 5 & 31) << 7 | opcode


def walk_amo(funct3):
    """Every funct7 (funct5, aq, rl) with every rs2, and, for lr's sake, often without one."""
    for funct7 in range(128):
        for index in range(96):
            rs2, regs = max(0, index - 64), spread(funct7 * 96 + index)
            rd, rs1 = regs >> 5 & 31, regs & 31
            yield funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x2f


def words():
    """All parcels, the opcodes that the decoder knows in depth, and some of every other."""
    yield from range(0x10000)
    for opcode in (0x03, 0x07, 0x23, 0x27, 0x73):
        for funct3 in range(8):
            yield from walk_i(opcode, funct3)
    for funct3 in range(8):
        yield from walk_amo(funct3)
    for opcode in range(0x03, 0x80, 4):
        for index in range(1024):
            yield spread(index) << 20 & 0xfff00000 | spread(index + 7) << 7 & 0xfff80 | opcode


def length_of(word):
    """The length encoding of the base specification, 48 bits and more being out of our reach."""
    if word & 3 != 3:
        return 2
    return 4 if word & 0x1c != 0x1c else 0


# ---- Binutils ----

class Binutils:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.march = next((a for a in ARCHITECTURES if self.accepts(a)), None)
        if not self.march:
            raise Reject(f'{options.assembler}: knows none of {", ".join(ARCHITECTURES)}; '
                         'install binutils 2.40 or newer for riscv64')

    def path(self, name):
        return os.path.join(self.folder, name)

    def accepts(self, march):
        with open(self.path('probe.s'), 'w') as source:
            source.write('nop\n')
        return subprocess.run([self.options.assembler, '-march=' + march, '-o',
                               self.path('probe.o'), self.path('probe.s')],
                              stderr=subprocess.DEVNULL).returncode == 0

    def run(self, *command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            first = done.stderr.decode(errors='replace').splitlines()[:3]
            raise Reject(f'{command[0]}: failed on generated input: {" / ".join(first)}; '
                         'run it again with --keep DIR and look at the .s file there')
        return done.stdout.decode()

    def assemble(self, name, lines):
        source, binary = self.path(name + '.s'), self.path(name + '.o')
        with open(source, 'w') as out:
            out.write('\n'.join(lines) + '\n')
        self.run(self.options.assembler, '-march=' + self.march, '-o', binary, source)
        return binary

    def encode(self, name, instructions):
        """The 32-bit words that the assembler makes of these instructions, in order."""
        instructions = list(instructions)
        binary = self.assemble(name, ['.option norvc'] + instructions)
        image = self.path(name + '.bin')
        self.run(self.options.objcopy, '-O', 'binary', '-j', '.text', binary, image)
        with open(image, 'rb') as file:
            data = file.read()
        if len(data) != 4 * len(instructions):
            raise Reject(f'{self.options.assembler}: {len(data)} bytes for {len(instructions)} '
                         'instructions; see whether one of them is a macro in this binutils')
        found = (int.from_bytes(data[i:i + 4], 'little') for i in range(0, len(data), 4))
        return dict(zip(instructions, found))

    def disassemble(self, name, values):
        """The text of each value, None where the disassembler has no name for it."""
        binary = self.assemble(name, (f'.insn {length_of(v)}, {v:#x}' for v in values))
        text = self.run(self.options.objdump, '-d', '-z', '-w', '-j', '.text', '-M',
                        'no-aliases,numeric', binary)
        shown = re.findall(r'^ *[0-9a-f]+:\t([0-9a-f]+) *\t(.*)$', text, re.M)
        if [int(raw, 16) for raw, _ in shown] != values:
            raise Reject(f'{self.options.objdump}: did not print each of the {len(values)} words '
                         'once, in order; compare its output with the .s file (--keep DIR)')
        return [None if what.startswith('.') else what.split('#')[0].split('<')[0].strip()
                for _, what in shown]


# ---- From text to rows ----

def blank(word):
    row = dict.fromkeys(COLUMNS, 0)
    row.update({'raw': word, 'length': length_of(word), 'class': 'other', 'op': 'none'})
    return row


def number(register):
    return int(register[1:])


PLAIN = re.compile(r'(?:c\.)?(f?)(l|s)([bhwd])(u?)(?:sp)?\t([xf]\d+),(-?\d+)\((x\d+)\)')
ATOMIC = re.compile(r'(lr|sc|amo[a-z]+)\.([wd])((?:\.aq)?)((?:\.?rl)?)'
                    r'\t(x\d+),(?:(x\d+),)?\((x\d+)\)')
ZICSR = re.compile(r'csr(rw|rs|rc)(i?)\t(x\d+),([^,]+),(x?\d+)')


def plain_row(row, match):
    fp, way, size, unsigned, data, imm, base = match.groups()
    load = way == 'l'
    row.update({'class': fp + ('load' if load else 'store'), 'width': WIDTH[size],
                'signed': int(load and not fp and not unsigned),
                'rd' if load else 'rs2': number(data), 'rs1': number(base), 'imm': int(imm)})
    row['transformed'] = f'{fp}{way}{size}{unsigned} {data},0(x%d)'


def atomic_row(row, match):
    name, size, aq, rl, rd, rs2, base = match.groups()
    kind, op = ('amo', name[3:]) if name.startswith('amo') else (name, 'none')
    row.update({'class': kind, 'op': op, 'width': WIDTH[size], 'signed': int(kind != 'sc'),
                'rd': number(rd), 'rs1': number(base), 'rs2': number(rs2 or 'x0'),
                'aq': int(bool(aq)), 'rl': int(bool(rl))})
    row['transformed'] = f'{name}.{size}{aq}{rl} {rd},' + (f'{rs2},' if rs2 else '') + '(x%d)'


def csr_row(row, match):
    op, immediate, rd, csr, source = match.groups()
    row.update({'class': 'csr', 'op': op, 'rd': number(rd), 'csr': csr,
                'csrimm': int(bool(immediate))})
    row['uimm' if immediate else 'rs1'] = int(source) if immediate else number(source)


def unprinted_name(word):
    """The first of UNPRINTED that fits this parcel, and the fields by letter."""
    parcel = f'{word:016b}'
    for drawing, name in UNPRINTED:
        letters = drawing.replace(' ', '')
        if all(d not in '01' or d == bit for d, bit in zip(letters, parcel)):
            fields = {}
            for letter, bit in zip(letters, parcel):
                fields[letter] = fields.get(letter, '') + bit
            return name, {letter: int(value, 2) for letter, value in fields.items()}
    raise AssertionError('the last drawing fits everything')


def unprinted_row(row):
    word = row['raw']
    if row['length'] == 2:
        name, field = unprinted_name(word)
        row['class'] = name
        if name not in ('other', 'unknown'):
            imm = field.get('b', 0) * 2 + field.get('a', 0)
            plain_row(row, PLAIN.fullmatch(f'{name}\tx{8 + field["d"]},{imm}(x{8 + field["s"]})'))
    elif row['length'] == 0 or word & 0x7f in (0x03, 0x23):
        row['class'] = 'unknown'
    elif word & 0xf800607f == 0x1000202f:
        row['class'] = 'unknown'    # lr.w and lr.d with something in rs2


def row_of(word, text):
    row = blank(word)
    if word in PRINTED_YET_RESERVED:
        row['class'] = 'unknown'
    elif text is None:
        unprinted_row(row)
    elif text == 'unimp' and row['length'] == 4:
        csr_row(row, ZICSR.fullmatch('csrrw\tx0,cycle,x0'))
    else:
        for pattern, fill in ((PLAIN, plain_row), (ATOMIC, atomic_row), (ZICSR, csr_row)):
            match = pattern.fullmatch(text)
            if match:
                fill(row, match)
                break
    return row


def resolve_csrs(rows, binutils):
    """The disassembler prints the known CSRs by name: let the assembler say their numbers."""
    names = sorted({r['csr'] for r in rows if isinstance(r['csr'], str)})
    code = binutils.encode('csr', (f'csrrw x0,{name},x0' for name in names))
    for row in rows:
        if row['csr']:
            row['csr'] = code[f'csrrw x0,{row["csr"]},x0'] >> 20


def resolve_transformed(rows, binutils):
    """Each memory access once more as htinst has it, every address offset having its turn."""
    memory = [r for r in rows if 'transformed' in r]
    for index, row in enumerate(memory):
        row['offset'] = index % 32
        row['transformed'] %= row['offset']
    code = binutils.encode('transformed', sorted({r['transformed'] for r in memory}))
    for row in memory:
        row['htinst'] = code[row['transformed']] & ~(2 if row['length'] == 2 else 0)


def write(rows, path):
    with open(path, 'w') as out:
        out.write('# ' + ' '.join(COLUMNS) + '\n')
        for row in rows:
            out.write(' '.join(hex(row[c]) if c in ('raw', 'htinst') else str(row[c])
                               for c in COLUMNS) + '\n')


def build(options, folder):
    binutils = Binutils(options, folder)
    values = sorted(set(words()))
    printable = [v for v in values if length_of(v)]
    text = dict(zip(printable, binutils.disassemble('words', printable)))
    rows = [row_of(value, text.get(value)) for value in values]
    resolve_csrs(rows, binutils)
    resolve_transformed(rows, binutils)
    write(rows, options.output)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--as', dest='assembler', default='riscv64-unknown-elf-as')
    parser.add_argument('--objdump', default='riscv64-unknown-elf-objdump')
    parser.add_argument('--objcopy', default='riscv64-unknown-elf-objcopy')
    parser.add_argument('--keep', metavar='DIR', help='leave the intermediate files in DIR')
    parser.add_argument('output', help='the table')
    return parser.parse_args()


def main():
    options = parse_arguments()
    try:
        if options.keep:
            os.makedirs(options.keep, exist_ok=True)
            build(options, options.keep)
        else:
            with tempfile.TemporaryDirectory() as folder:
                build(options, folder)
    except OSError as problem:
        sys.exit(f'insn_table: {problem.filename}: {problem.strerror}; see --help for naming '
                 'the tools and the output')
    except Reject as problem:
        sys.exit(f'insn_table: {problem}')


if __name__ == '__main__':
    main()
