#!/usr/bin/env python3
"""Sizes that keep the tree readable, calls that may not touch wire data, and no path of anybody's machine."""
import re

import tree

MAX_FUNCTION, P95_FUNCTION, MAX_FILE = 100, 60, 1200
BANNED = ('strcpy', 'strcat', 'sprintf', 'vsprintf', 'sscanf', 'vsscanf', 'atoi', 'atol', 'atof', 'strtok', 'strtok_r',
          'gets', 'alloca', 'setlocale', 'getaddrinfo', 'gethostbyname', 'atexit', 'getenv', 'signal', 'rand', 'srand')
MACHINE = re.compile(r'(?<![\w.])/(?:work|root|home/\w+|tmp/(?:wt|b|bash_jobs))/')
TEXT = {'', '.c', '.h', '.py', '.md', '.txt', '.in', '.json', '.yml', '.sh', '.def', '.map', '.cfg', '.1', '.html'}


def functions(text):
    """(name, line, lines) of each function body: by our style its braces stand alone in the first column."""
    lines = text.split('\n')
    start = None
    for i, line in enumerate(lines):
        if line == '{' and start is None:
            start = i
        elif line == '}' and start is not None:
            head = start - 1
            while head > 0 and lines[head].startswith((' ', '\t')):
                head -= 1
            found = re.search(r'(\w+)\(', lines[head])
            yield (found.group(1) if found else '?'), head + 1, i - head + 1
            start = None


def main():
    report = tree.Report()
    sizes = []
    for path in tree.files('*.c', '*.h', under=['lib', 'examples', 'tests', 'bench']):
        raw = path.read_text()
        text = tree.without_comments(raw)
        lines = raw.count('\n')
        file = tree.name(path)
        report.check(lines <= MAX_FILE, '%s: %d lines; %d is the end, 400 the aim' % (file, lines, MAX_FILE))
        for function, line, length in functions(text):
            sizes.append(length)
            report.check(length <= MAX_FUNCTION, '%s:%d: %s has %d lines; %d is the end'
                         % (file, line, function, length, MAX_FUNCTION))
        if file.startswith('lib/'):
            for found in re.finditer(r'(?<![\w.>])(%s)\s*\(' % '|'.join(BANNED), text):
                report.check(False, '%s:%d: %s() is not used in the library'
                             % (file, text.count('\n', 0, found.start()) + 1, found.group(1)))
            report.check(re.match(r'\s*/\*', raw), '%s: does not open with what it is for' % file)
    sizes.sort()
    p95 = sizes[int(len(sizes) * 0.95)] if sizes else 0
    report.check(p95 <= P95_FUNCTION, 'p95 of the functions is %d lines; %d is the end' % (p95, P95_FUNCTION))
    print('%d functions: median %d, p95 %d, longest %d lines' % (len(sizes), sizes[len(sizes) // 2], p95, sizes[-1]))

    for path in sorted(tree.tracked()):
        if path.suffix in TEXT and path.name != 'test_style.py':
            try:
                text = path.read_text()
            except UnicodeDecodeError:
                continue
            for found in MACHINE.finditer(text):
                report.check(False, '%s:%d: a path of one machine: %s'
                             % (tree.name(path), text.count('\n', 0, found.start()) + 1, found.group(0)))
            report.check(not re.search(r'[ \t]$', text, re.M) or path.suffix == '.md' or 'data' in path.parts,
                         '%s: blanks at the end of a line' % tree.name(path))
    report.done()


main()
