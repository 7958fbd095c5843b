#!/usr/bin/env python3
"""Each program has a manual page that names the options of its --help, and no others, and keeps the programs' contract:
--help and --version end with 0, wrong usage with 2 and one line on stderr."""
import re
import subprocess

import tree


def options_of(text):
    return set(re.findall(r'(?<![\w-])--[a-z][a-z-]*[a-z]', text))


def main():
    report = tree.Report()
    pages = {p.stem: p for p in (tree.ROOT / 'doc/man').glob('*.1')}
    programs = sorted(p.name for p in (tree.ROOT / 'examples').glob('secsip-*') if (p / 'main.c').exists())
    report.check(pages, 'doc/man holds no pages')
    for name in programs:
        report.check(name in pages, 'doc/man/%s.1 is not there' % name)
        program = tree.BUILD / 'examples' / name
        report.check(program.exists(), '%s is not built' % name)
        if not program.exists() or name not in pages:
            continue
        page = pages[name].read_text().replace('\\-', '-').replace('\\~', ' ')
        help_text = tree.run(program, '--help')
        report.check(help_text.returncode == 0, '%s --help: exit %d' % (name, help_text.returncode))
        for option in sorted(options_of(help_text.stdout) ^ options_of(page)):
            report.check(False, '%s: %s is in only one of --help and doc/man/%s.1' % (name, option, name))
        version = tree.run(program, '--version')
        report.check(version.returncode == 0 and re.search(r'\d+\.\d+\.\d+', version.stdout),
                     '%s --version: exit %d, %r' % (name, version.returncode, version.stdout))
        wrong = subprocess.run([program, '--no-such-option'], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               timeout=20, check=False)
        report.check(wrong.returncode == 2 and wrong.stdout == '' and wrong.stderr.count('\n') == 1,
                     '%s --no-such-option: exit %d\n%s%s' % (name, wrong.returncode, wrong.stdout, wrong.stderr))
    report.done()


main()
