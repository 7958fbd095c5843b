#!/usr/bin/env python3
"""What secsip-phone refuses before it sends anything: wrong usage and set-up, each with exit 2 and one line that names what
and why; and a password that is on no command line."""
import pathlib
import subprocess
import tempfile

import tree

ACCOUNT = ('--account', 'sip:alice@example.test')


def main():
    report = tree.Report()
    phone = tree.BUILD / 'examples/secsip-phone'

    def refused(options, *words, without=None):
        run = subprocess.run([phone, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                             check=False)
        report.check(run.returncode == 2 and run.stdout == '' and run.stderr.count('\n') == 1,
                     '%s: exit %d, %r %r' % (options, run.returncode, run.stdout, run.stderr))
        report.check(not without or without not in run.stderr, '%s: %r holds %r' % (options, run.stderr, without))
        for word in words:
            report.check(word in run.stderr, '%s: %r does not name %r' % (options, run.stderr, word))

    refused([], '--account')
    refused(ACCOUNT, '--register')
    refused((*ACCOUNT, '--register', 'stray'), 'stray')
    refused((*ACCOUNT, '--call', 'sip:b@example.test', '--answer'), '--call', '--answer')
    refused((*ACCOUNT, '--answer'), '--answer')
    refused((*ACCOUNT, '--register', '--cert', 'x'), '--cert', '--key')
    # In clear only by a name that says so, and with the option that says so too.
    refused((*ACCOUNT, '--answer', '--listen', 'insecure-udp:127.0.0.1:0'), 'insecure-udp', '--insecure-transport')
    refused((*ACCOUNT, '--answer', '--listen', 'udp:127.0.0.1:0', '--insecure-transport'), '--listen')
    refused((*ACCOUNT, '--answer', '--listen', 'insecure-udp:0.0.0.0:0', '--insecure-transport'), '--listen')
    refused((*ACCOUNT, '--register', '--proxy', 'sip:127.0.0.1;transport=udp'), 'security policy')
    refused((*ACCOUNT, '--register', '--instance', 'my-phone'), '--instance', 'my-phone')
    refused((*ACCOUNT, '--register', '--proxy', 'sip:h;transport=tls,sip:h;transport=tls'), '--proxy', 'sip:h;transport=tls')
    refused((*ACCOUNT, '--register', '--proxy', 'a,b,c,d,e'), '--proxy', 'a,b,c,d,e')
    refused((*ACCOUNT, '--register', '--tls-option', 'allow-everything'), 'allow-everything')
    refused((*ACCOUNT, '--register', '--media-security', 'maybe'), 'maybe')
    refused((*ACCOUNT, '--register', '--duration', 'long'), '--duration', 'long')
    refused((*ACCOUNT, '--register', '--expires', '0'), '--expires')
    refused((*ACCOUNT, '--register', '--suites', 'ROT13'), 'suite')
    refused((*ACCOUNT, '--register', '--ca', '/nowhere/ca.pem'), '--ca', '/nowhere/ca.pem')
    refused((*ACCOUNT, '--register', '--play', '/nowhere/x.wav'), '--play', '/nowhere/x.wav')
    refused((*ACCOUNT, '--register', '--record', '/nowhere/x.wav'), '--record', '/nowhere/x.wav')
    refused((*ACCOUNT, '--register', '--keylog', '/nowhere/keys'), '--keylog', '/nowhere/keys')
    # What stands behind a password option may be a password: it is not repeated.
    for option in ('--password-file', '--password', '--pass', '-p'):
        for given in ((option, 'hunter2'), (option + '=hunter2',)):
            refused((*ACCOUNT, '--register', *given), option, without='hunter2')
    refused((*ACCOUNT, '--register', '--password-file', '/'), '--password-file', 'directory')
    refused((*ACCOUNT, '--reg'), "'--reg'")
    refused((*ACCOUNT, '--register', '--json=hunter2'), '--json', 'no value', without='hunter2')
    refused((*ACCOUNT, '--register', '--ca'), '--ca', 'needs a value')
    for target in ('mailto:x', 'tel:+1', 'bob', 'sip:', 'sips:', 'sip:b@example.test?Subject=x', 'sip:b@example.test x', ''):
        refused((*ACCOUNT, '--register', '--call', target), '--call', target)
    refused(('--account', 'tel:+1', '--register'), 'tel:+1')
    with tempfile.TemporaryDirectory(prefix='secsip-phone-') as folder:
        text = pathlib.Path(folder, 'text.wav')
        text.write_text('no sound')
        refused((*ACCOUNT, '--register', '--play', text), 'text.wav', 'WAV')
        refused((*ACCOUNT, '--register', '--ca', text), 'text.wav')
        keys = pathlib.Path(folder, 'keys')
        keys.write_text('')
        keys.chmod(0o644)
        refused((*ACCOUNT, '--register', '--keylog', keys, '--ca', text), 'text.wav')
        report.check(keys.stat().st_mode & 0o777 == 0o600, 'the key log has mode %o' % keys.stat().st_mode)
    tree.deaf(report, phone, '--version')
    report.done()


main()
