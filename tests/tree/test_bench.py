#!/usr/bin/env python3
"""bench/run makes one table and one JSON file of what benchmarks report, and --check fails where a target is missed."""
import contextlib
import importlib.machinery
import io
import json
import pathlib
import shutil
import sys
import tempfile
import types

import tree

SOURCE = r'''
#include "common/report.h"
#include <stddef.h>
int main(int argc, char **argv)
{
    if (!report_open(argc, argv, ""))
        return 2;
    report(&(struct report_row){.what = "twice as fast", .unit = "us", .ours = 1.5, .peer = "other", .theirs = 3, .ratio = 2,
                                .op = ">=", .target = %s});
    report(&(struct report_row){.what = "small", .unit = "bytes", .ours = 2048, .op = "<=", .target = 2048});
    report(&(struct report_row){.what = "for information", .unit = "", .ours = 7});
    return report_close();
}
'''

report = tree.Report()


def load():
    """bench/run as a module, whose benchmarks are ours."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader('bench_run', str(tree.ROOT / 'bench/run'))
    module = types.ModuleType('bench_run')
    module.__file__ = loader.path
    loader.exec_module(module)
    module.build = lambda folder, wanted: None
    module.names = lambda: ['fine', 'slow']
    return module


def make(folder, name, target):
    source = folder / (name + '.c')
    source.write_text(SOURCE % target)
    program = folder / 'bench' / ('bench_' + name)
    program.parent.mkdir(exist_ok=True)
    done = tree.run('cc', '-std=c11', '-I', tree.ROOT / 'bench', source, tree.ROOT / 'bench/common/report.c', '-o', program)
    report.check(done.returncode == 0, 'report.c does not compile: %s' % done.stdout)
    return program


def run(module, *arguments):
    """Exit code and table."""
    sys.argv = ['run', *arguments]
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code = module.main()
        except SystemExit as e:
            code = e.code
    return code, out.getvalue()


if not shutil.which('cc'):
    sys.exit(tree.SKIPPED)
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    fine, slow = make(folder, 'fine', '1.9'), make(folder, 'slow', '2.1')
    module = load()
    module.os = types.SimpleNamespace(environ={'SECSIP_BENCH_BUILD': str(folder)})

    for program, code in ((fine, 0), (slow, 1)):
        report.check(tree.run(program, '--check').returncode == code, '%s --check' % program.name)
        report.check(tree.run(program).returncode == 0, '%s without --check' % program.name)
    report.check(tree.run(fine, '--odd').returncode == 2, 'an unknown argument of a benchmark')

    code, table = run(module, '--check', '--json', str(folder / 'out.json'), 'fine')
    figures = json.loads((folder / 'out.json').read_text())
    report.check(code == 0 and '2 targets, none missed' in table, 'met: %s, %s' % (code, table))
    report.check(figures['missed'] == 0 and len(figures['figures']) == 3, 'JSON: %s' % figures)
    first, second, third = figures['figures']
    report.check(first == {'bench': 'fine', 'what': 'twice as fast', 'unit': 'us', 'ours': 1.5, 'peer': 'other', 'theirs': 3,
                           'ratio': 2, 'op': '>=', 'target': 1.9, 'verdict': 'met'}, 'a figure beside a peer: %s' % first)
    report.check(second['verdict'] == 'met' and 'peer' not in second and 'ratio' not in second, 'a figure alone: %s' % second)
    report.check(third['verdict'] == '-' and 'target' not in third, 'a figure without target: %s' % third)

    code, table = run(module, '--check')
    report.check(code == 1 and '4 targets, 1 missed' in table, 'missed: %s, %s' % (code, table))
    report.check(table.count('\n') == 8 and table.count('missed') == 2, 'one table: %s' % table)
    report.check((folder / 'bench.json').exists(), 'the JSON file in the build folder')
    report.check(run(module)[0] == 0, 'a missed target without --check')
    code, table = run(module, 'none')
    report.check(code == 2 and 'no benchmark none' in table, 'an unknown name: %s, %s' % (code, table))

    module.counter = lambda: (None, None)
    with contextlib.redirect_stderr(io.StringIO()) as said:
        report.check(not list(module.instructions(folder, ['other'])) and 'not counted' in said.getvalue(),
                     'nothing can count instructions: %s' % said.getvalue())
report.done()
