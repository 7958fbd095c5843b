#!/usr/bin/env python3
"""Every C file is as clang-format would write it."""
import concurrent.futures
import shutil
import sys

import tree

if not shutil.which('clang-format'):
    print('SKIPPED: clang-format is not installed (tools/setup lint)')
    sys.exit(tree.SKIPPED)


def look(path):
    return path, tree.run('clang-format', '--dry-run', '-Werror', path)


report = tree.Report()
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    for path, done in pool.map(look, tree.files('*.c', '*.h', under=['include', 'lib', 'examples', 'tests', 'bench'])):
        report.check(done.returncode == 0, '%s: not formatted: clang-format -i %s\n%s'
                     % (tree.name(path), tree.name(path), '\n'.join(done.stdout.splitlines()[:4])))
report.done()
