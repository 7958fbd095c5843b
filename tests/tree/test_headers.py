#!/usr/bin/env python3
"""The public headers keep the rules of an interface that lasts: each compiles alone as C99 and C++, nothing in them can
change its shape behind a caller's back, every function is documented, and the shared library exports them and no more."""
import concurrent.futures
import os
import re
import shutil
import tempfile

import tree

FORBIDDEN = {
    r'\b(?:_Bool|bool)\b': 'bool has no fixed width',
    r'\blong\b': 'long has no fixed width',
    r'\b(?:unsigned|short)\b': 'use the types of <stdint.h>',
    r'\benum\s+\w+': 'an enum has no fixed width as a type',
    r'\b(?:FILE|time_t|off_t|ssize_t|va_list|wchar_t)\b': 'a type whose shape the system decides',
    r'\bsockaddr|\bgnutls_|\bosip_|\bsrtp_(?!crypto)|\bares_': 'a type of somebody else',
    r'\.\.\.': 'variadic',
    r'\binline\b': 'inline code is compiled into the caller',
    r'^\s*#\s*define\s+(?!SECSIP_\w+_H$)': 'a macro',
    r'\w\s*:\s*\d+\s*;': 'a bit-field',
    r'^\s*extern\s+(?!\s*\{)': 'exported data',
    r'^\s*union\b|^\s*static\b': 'not in a public header',
}
PROTOTYPE = re.compile(r'^(?P<result>[a-z][\w \*]*?)\b(?P<name>secsip_\w+)\((?P<params>[^;{]*?)\);', re.M | re.S)


def compile_alone(compiler, options, header, suffix, folder):
    source = os.path.join(folder, header.name + suffix)
    with open(source, 'w') as f:
        f.write('#include <%s>\nint main(void);\nint main(void)\n{\n    return 0;\n}\n'
                % header.relative_to(tree.ROOT / 'include'))
    return tree.run(compiler, *options, '-Wall', '-Wextra', '-Werror', '-fsyntax-only', '-I', tree.ROOT / 'include', source)


def check_compiles(report, headers):
    cc = tree.cache('CMAKE_C_COMPILER') or 'cc'
    cxx = shutil.which('c++') or shutil.which('g++')
    ways = [(cc, ['-std=c99', '-pedantic-errors', '-Wstrict-prototypes'], '.c'), (cc, ['-std=c11', '-pedantic-errors'], '.c')]
    report.check(cxx, 'no C++ compiler is installed (tools/setup test)')
    if cxx:
        ways += [(cxx, ['-std=c++11', '-pedantic-errors'], '.cc')]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = []
        for i, way in enumerate(ways):
            os.mkdir(os.path.join(folder, str(i)))
            jobs += [(h, way, pool.submit(compile_alone, way[0], way[1], h, way[2], os.path.join(folder, str(i))))
                     for h in headers]
        for header, way, job in jobs:
            report.check(job.result().returncode == 0, '%s alone with %s %s:\n%s' % (
                tree.name(header), os.path.basename(way[0]), way[1][0], job.result().stdout))


def check_shape(report, header):
    text = header.read_text()
    code = tree.without_comments(text)
    for pattern, why in FORBIDDEN.items():
        for found in re.finditer(pattern, code, re.M):
            line = code.count('\n', 0, found.start() + len(found.group(0)) - len(found.group(0).lstrip())) + 1
            report.check(False, '%s:%d: %r: %s' % (tree.name(header), line, found.group(0).strip(), why))
    # A struct is grown at its end and told apart by its size, so it begins with the size.
    for body, struct in re.findall(r'typedef struct \w+ \{(.*?)\n\} (\w+);', code, re.S):
        report.check(re.match(r'\s*size_t size;', body), '%s: %s does not begin with size_t size' % (tree.name(header), struct))
    names = []
    for found in PROTOTYPE.finditer(code):
        names.append(found['name'])
        where = '%s:%d: %s' % (tree.name(header), code.count('\n', 0, found.start()) + 1, found['name'])
        report.check(re.search(r'\*/\s*$', text[:found.start()]), where + ' has no docstring above it')
        doc = text[text.rfind('/**', 0, found.start()):found.start()]
        report.check(re.search(r'Since \d+\.\d+', doc), where + ': the docstring does not say since when')
        by_value = re.search(r'\bsecsip_(?!result\b)\w+\s+\w+\s*[,)]', found['params'] + ')')
        report.check(not by_value, where + ' takes a struct by value')
        report.check(re.fullmatch(r'(?:const )?\w+ \*+|void |secsip_result |u?int(?:8|16|32|64)_t |size_t ', found['result']),
                     where + ' returns %r' % found['result'])
    return names


def check_exports(report, public):
    lib = tree.BUILD / 'libsecsip.so'
    report.check(lib.exists(), '%s is not built' % lib.name)
    if not lib.exists():
        return
    exported = {}
    for line in tree.run('nm', '-D', '--defined-only', lib).stdout.splitlines():
        kind, symbol = line.split()[-2:]
        if kind != 'A':
            symbol, _, node = symbol.partition('@@')
            exported[symbol] = node
    report.check(exported, 'nm shows no symbols')
    for symbol in sorted(set(exported) - set(public)):
        report.check(False, 'libsecsip.so exports %s, which no public header names' % symbol)
    for symbol in sorted(set(public) - set(exported)):
        report.check(False, '%s is in a public header, and libsecsip.so does not export it' % symbol)
    for symbol, node in sorted(exported.items()):
        report.check(node == 'LIBSECSIP_0.1', 'libsecsip.so: %s has the version %r' % (symbol, node))
    dynamic = tree.run('readelf', '-dW', lib).stdout
    report.check('[libsecsip.so.0]' in dynamic, 'libsecsip.so: the soname is not libsecsip.so.0')
    report.check('NODELETE' in dynamic, 'libsecsip.so: not linked with -z nodelete')
    needed = set(re.findall(r'NEEDED.*\[(.*)\]', dynamic))
    for wanted in ('libgnutls.so.30', 'libosip2.so.15'):
        report.check(not any(n.startswith(wanted.split('.so')[0] + '.so') for n in needed) or wanted in needed,
                     'libsecsip.so: unexpected %s' % needed)


def main():
    report = tree.Report()
    headers = tree.files('*.h', under=['include'])
    check_compiles(report, headers)
    public = [n for header in headers for n in check_shape(report, header)]
    report.check(len(public) == len(set(public)), 'a function is declared twice')
    version_map = (tree.ROOT / 'lib/libsecsip.map').read_text()
    in_map = set(re.findall(r'^\s+(secsip_\w+);', version_map, re.M))
    for symbol in sorted(in_map ^ set(public)):
        report.check(False, '%s is in only one of the public headers and lib/libsecsip.map' % symbol)
    check_exports(report, public)
    report.done()


main()
