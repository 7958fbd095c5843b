#!/usr/bin/env python3
"""Installed to a folder of its own, the library is found by pkg-config and the README's program builds against the copy,
with the shared library and with the static one; every installed header compiles from there."""
import os
import pathlib
import re
import shlex
import tempfile

import tree

VERSION_PROGRAM = r'''
#include <stdio.h>
#include <string.h>
#include <secsip/secsip.h>
int main(void)
{
    uint32_t headers = SECSIP_VERSION_MAJOR << 16 | SECSIP_VERSION_MINOR << 8 | SECSIP_VERSION_PATCH;
    puts(secsip_version_string());
    return secsip_version_number() != headers || strcmp(secsip_result_name(0), "SECSIP_OK") != 0;
}
'''


def readme_program():
    blocks = re.findall(r'^```c\n(.*?)^```', (tree.ROOT / 'README.md').read_text(), re.M | re.S)
    return next((b for b in blocks if 'int main(' in b), None)


class Installed:
    def __init__(self, prefix):
        self.prefix = prefix
        done = tree.run('cmake', '--install', tree.BUILD, '--prefix', prefix)
        if done.returncode:
            raise SystemExit(done.stdout)
        pc = next(prefix.rglob('libsecsip.pc'))
        self.lib = pc.parents[1]
        self.env = dict(os.environ, PKG_CONFIG_PATH=str(pc.parent), LC_ALL='C')

    def flags(self, *what):
        return tree.run('pkg-config', *what, 'libsecsip', env=self.env)

    def build(self, source, static):
        # -Wall as its reader would say it; the callbacks of the README's program leave parameters unused.
        flags = self.flags('--cflags', '--libs', *(['--static'] if static else []))
        if flags.returncode:
            return flags, None
        words = shlex.split(flags.stdout)
        if static:
            words = ['-l:libsecsip.a' if w == '-lsecsip' else w for w in words]
        sanitize = tree.cache('SECSIP_SANITIZE')
        program = source.with_suffix('.static' if static else '.shared')
        cc = tree.cache('CMAKE_C_COMPILER') or 'cc'
        return tree.run(cc, '-std=c11', '-Wall', '-Werror', '-o', program, source, *words,
                        *(['-fsanitize=' + sanitize] if sanitize else [])), program

    def start(self, program):
        # The address sanitizer wants to be first; which of the libraries brings it does not matter here.
        env = dict(self.env, LD_LIBRARY_PATH=str(self.lib))
        return tree.run(program, env=env, timeout=20)


def check_pkgconfig(report, installed):
    text = next(installed.prefix.rglob('libsecsip.pc')).read_text()
    report.check('@' not in text, 'libsecsip.pc: something was not filled in')
    version = installed.flags('--modversion').stdout.strip()
    header = (tree.ROOT / 'include/secsip/version.h').read_text()
    of_header = '.'.join(re.findall(r'SECSIP_VERSION_(?:MAJOR|MINOR|PATCH) = (\d+)', header))
    report.check(version == of_header, 'pkg-config says version %r, the header %r' % (version, of_header))
    shared = installed.flags('--libs').stdout.split()
    report.check('-lsecsip' in shared and not any('gnutls' in w or 'osip' in w for w in shared),
                 'pkg-config --libs makes callers link what they need not: %s' % shared)
    for flag in installed.flags('--cflags', '--libs').stdout.split():
        folder = re.match(r'-[IL](/.*)', flag)
        report.check(not folder or not folder.group(1).startswith(str(tree.ROOT)),
                     'pkg-config names the source tree: %s' % flag)


def check_files(report, installed):
    there = {str(p.relative_to(installed.prefix / 'include')) for p in installed.prefix.rglob('*.h')}
    ours = {str(p.relative_to(tree.ROOT / 'include')) for p in tree.files('*.h', under=['include'])}
    report.check(there == ours, 'installed headers differ from the tree: %s' % sorted(there ^ ours))
    names = {p.name for p in installed.lib.iterdir()}
    for wanted in ('libsecsip.so', 'libsecsip.so.0', 'libsecsip.a'):
        report.check(wanted in names, '%s is not installed' % wanted)


def main():
    report = tree.Report()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        installed = Installed(folder / 'prefix')
        check_pkgconfig(report, installed)
        check_files(report, installed)

        every = ''.join('#include <%s>\n' % h.relative_to(installed.prefix / 'include')
                        for h in sorted(installed.prefix.rglob('*.h')))
        sources = {'headers': every + 'int main(void)\n{\n    return 0;\n}\n', 'version': VERSION_PROGRAM}
        program = readme_program()
        report.check(program, 'README.md shows no program')
        if program:
            sources['readme'] = program
            lines = program.count('\n')
            report.check(lines <= 60, "README.md: the program has %d lines; 60 is the promise" % lines)
        for name, text in sources.items():
            source = folder / (name + '.c')
            source.write_text(text)
            for static in (False, True):
                kind = 'static' if static else 'shared'
                done, built = installed.build(source, static)
                report.check(done.returncode == 0, '%s, %s:\n%s' % (name, kind, done.stdout))
                if done.returncode:
                    continue
                ran = installed.start(built)
                wanted = 2 if name == 'readme' else 0  # without arguments it says how it is used
                report.check(ran.returncode == wanted, '%s, %s: exit %d, not %d:\n%s'
                             % (name, kind, ran.returncode, wanted, ran.stdout))
    report.done()


main()
