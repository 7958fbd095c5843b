"""What the checks of the tree share: where it is, its files, and how to say what is wrong with it."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get('SECSIP_SOURCE') or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get('SECSIP_BUILD') or ROOT / 'build/release')
SKIPPED = 77


def files(*patterns, under=('include', 'lib', 'examples', 'tests')):
    return sorted(p for top in under for pattern in patterns for p in (ROOT / top).rglob(pattern))


def name(path):
    return str(path.relative_to(ROOT))


def without_comments(text, strings=True):
    """The C text with comments (and, with strings, literals) blanked out, line for line and column for column."""
    def blank(match):
        found = match.group(0)
        if found[0] in '"\'' and (not strings or found.startswith("'")):
            return found
        return re.sub(r'[^\n]', ' ', found)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def run(*command, **options):
    return subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=options.pop('timeout', 120), **options)


def deaf(report, *command, codes=(2,), **options):
    """The program must not end well when standard output takes nothing: neither a full device, nor one that is closed."""
    command = [str(c) for c in command]
    with open('/dev/full', 'w') as full:
        runs = [('full', subprocess.run(command, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True,
                                        timeout=60, check=False, **options))]
    closed = ['sh', '-c', 'exec "$@" >&-', 'sh', *command]
    runs.append(('closed', subprocess.run(closed, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60,
                                          check=False, **options)))
    for what, run in runs:
        report.check(run.returncode in codes and run.stderr.count('\n') == 1 and 'standard output' in run.stderr,
                     '%s, stdout %s: exit %d, %r' % (command, what, run.returncode, run.stderr))


def cache(key):
    """A value of the build's CMake cache, or ''."""
    file = BUILD / 'CMakeCache.txt'
    found = re.search(r'^%s:\w+=(.*)$' % re.escape(key), file.read_text(), re.M) if file.exists() else None
    return found.group(1) if found else ''


class Report:
    """Collects what is wrong; done() prints it and ends the program."""

    def __init__(self):
        self.faults = []
        self.checked = 0

    def check(self, good, fault):
        self.checked += 1
        if not good:
            self.faults.append(fault)

    def done(self):
        for fault in self.faults:
            print(fault)
        if not self.checked:
            sys.exit('nothing was checked')
        print('%d checked, %d wrong' % (self.checked, len(self.faults)))
        sys.exit(1 if self.faults else 0)


def tracked():
    """The project's own files: what git knows, or all but build folders where there is no git."""
    listed = subprocess.run(['git', '-C', str(ROOT), 'ls-files', '-co', '--exclude-standard', '-z'],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False) if shutil.which('git') else None
    if listed and listed.returncode == 0 and listed.stdout:
        found = (ROOT / n for n in listed.stdout.decode().split('\0') if n)
    else:
        found = (p for p in ROOT.rglob('*') if p.relative_to(ROOT).parts[0] not in ('build', 'out', '.git'))
    return [p for p in found if p.is_file()]
