#!/usr/bin/env python3
"""The command line of secsip-registrar: what is wrong is said in one line and exit code 2, it tells where it listens, warns
about a users file that others can read, and ends with 0 on SIGTERM."""
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile

import tree

sys.path.insert(0, str(tree.ROOT / 'tests/interop'))
from peers import certs  # noqa: E402

PROGRAM = tree.BUILD / 'examples/secsip-registrar'


def refused(report, what, pattern, *arguments):
    done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                          check=False)
    lines = done.stderr.splitlines()
    report.check(done.returncode == 2, '%s: exit %d instead of 2' % (what, done.returncode))
    report.check(len(lines) == 1 and re.search(pattern, done.stderr), '%s: stderr is %r' % (what, done.stderr))


def first_line(process):
    ready, _, _ = select.select([process.stdout], [], [], 20)
    return process.stdout.readline() if ready else ''


def starts_and_ends(report, what, mode, users, *arguments):
    users.chmod(mode)
    process = subprocess.Popen([PROGRAM, *arguments, '--json'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        line = first_line(process)
        event = json.loads(line) if line else {}
        report.check(event.get('event') == 'listening' and event.get('port', 0) > 0, '%s: first line %r' % (what, line))
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    report.check(process.returncode == 0, '%s: exit %d after SIGTERM\n%s' % (what, process.returncode, errors))
    report.check(rest == '', '%s: more output: %r' % (what, rest))
    warned = 'chmod 600' in errors
    report.check(warned == (mode != 0o600), '%s: mode %o, stderr %r' % (what, mode, errors))


def check_usage(report, good, users):
    def without(name):
        at = good.index(name)
        return good[:at] + good[at + 2:]
    for name in ('--listen', '--domain', '--users'):
        refused(report, 'no ' + name, 'needed', *without(name))
    for name in ('--cert', '--key'):
        refused(report, 'no ' + name, 'needed for TLS', *without(name))
    refused(report, 'an argument', 'no arguments', *good, 'stray')
    refused(report, 'a mode', 'require or request', *good, '--client-cert', 'maybe')
    refused(report, 'client certificates without a CA', '--ca', *good, '--client-cert', 'require')
    refused(report, 'a CA that is not there', 'nowhere', *good, '--ca', '/nowhere/ca.pem')
    refused(report, 'a certificate that is not there', 'nowhere', *without('--cert'), '--cert', '/nowhere/cert.pem')
    refused(report, 'a users file that is not there', 'nowhere', *without('--users'), '--users', '/nowhere/users')
    refused(report, 'no address', '--listen', *without('--listen'), '--listen', 'tls:somewhere')
    refused(report, 'an address of nobody', '--listen', *without('--listen'), '--listen', 'tls:192.0.2.1:0')
    for domain in ('a b', '', '.', 'a..b', '-a', 'a-', 'a-.b', 'a.', 'a_b', 'a@b', '[::1', '[1.2.3.4]', 'ex\u00e4mple'):
        refused(report, 'domain %r' % domain, '--domain', *without('--domain'), '--domain', domain)
    refused(report, 'an abbreviation', "'--dom' is no option", *without('--domain'), '--dom', 'example.test')
    bad = users.with_name('bad-users')
    bad.write_text('alice\n')
    bad.chmod(0o600)
    refused(report, 'a line that is no user', 'line 1', *without('--users'), '--users', bad)


def tells_nobody(report, users):
    """Registrar and phone end when what they tell is lost, the phone after it has registered."""
    clear = ('--listen', 'insecure-tcp:127.0.0.1:0', '--domain', '127.0.0.1', '--users', users, '--json')
    tree.deaf(report, PROGRAM, *clear, codes=(1, 2))
    process = subprocess.Popen([PROGRAM, *clear], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    try:
        port = json.loads(first_line(process))['port']
        phone = [PROGRAM.with_name('secsip-phone'), '--account', 'sip:alice@127.0.0.1', '--insecure-transport', '--proxy',
                 'sip:127.0.0.1:%d;transport=tcp' % port, '--register', '--wait', '20', '--duration', '0.1', '--json']
        environment = dict(os.environ, SECSIP_PASSWORD='secret')
        told = subprocess.run(phone, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=40, check=False,
                              env=environment)
        report.check(told.returncode == 0 and '"registered"' in told.stdout, 'the phone: exit %d, %r %r' %
                     (told.returncode, told.stdout, told.stderr))
        tree.deaf(report, *phone, codes=(1, 2), env=environment)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()


def main():
    if not shutil.which('certtool'):
        print('SKIPPED: certtool is not installed')
        sys.exit(tree.SKIPPED)
    report = tree.Report()
    with tempfile.TemporaryDirectory(prefix='secsip-cli-') as folder:
        made = certs.make(pathlib.Path(folder) / 'certs')
        users = pathlib.Path(folder) / 'users'
        users.write_text('alice:secret\n')
        users.chmod(0o600)
        good = ['--listen', 'tls:127.0.0.1:0', '--cert', made / 'good.crt', '--key', made / 'good.key', '--domain',
                'example.test', '--users', users]
        check_usage(report, good, users)
        tells_nobody(report, users)
        starts_and_ends(report, 'TLS', 0o600, users, *good)
        starts_and_ends(report, 'an exposed users file', 0o644, users, *good)
        starts_and_ends(report, 'client certificates', 0o600, users, *good, '--ca', made / 'ca.crt', '--client-cert', 'require')
        starts_and_ends(report, 'clear TCP', 0o600, users, '--listen', 'insecure-tcp:127.0.0.1:0', '--domain', 'example.test',
                        '--users', users)
        starts_and_ends(report, 'clear UDP', 0o600, users, '--listen', 'insecure-udp:127.0.0.1:0', '--domain', 'example.test',
                        '--users', users)
    report.done()


main()
