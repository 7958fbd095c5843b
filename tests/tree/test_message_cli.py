#!/usr/bin/env python3
"""secsip-message: its answer to every torture message, the JSON contract, streams, and writing messages again."""
import csv
import json
import subprocess

import tree

PROGRAM = tree.BUILD / 'examples/secsip-message'
DATA = tree.ROOT / 'tests/data/torture'
KEYS = ['accepted', 'kind', 'method', 'uri', 'version', 'status', 'reason', 'via', 'from', 'to', 'call_id', 'cseq',
        'max_forwards', 'contacts', 'headers', 'body_len', 'respond', 'error']
# What an endpoint answers, where it is not the parser's 400 or nothing.
RESPOND = {'intmeth': 501, 'esc02': 501, 'badvers': 505, 'mismatch02': 501, 'badbranch': 400, 'unkscm': 416, 'novelsc': 416,
           'unksm2': 400, 'bext01': 420, 'invut': 415, 'sdp01': 406}
SMALL = (b'OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b>\r\n'
         b'Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n')


def run(*args, data=None):
    return subprocess.run([str(PROGRAM), *map(str, args)], input=data, capture_output=True, timeout=60, check=False)


def objects(done):
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def check_torture(report):
    with open(DATA / 'expected.tsv', newline='') as f:
        rows = list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))
    report.check(len(rows) == 61, 'expected.tsv has %d rows' % len(rows))
    for row in rows:
        name, expected = row['name'], row['parser_expectation']
        done = run(DATA / ('rfc' + row['rfc']) / (name + '.dat'))
        got = objects(done)
        report.check(len(got) == 1 and list(got[0]) == KEYS, '%s: keys are not those of the contract' % name)
        message = got[0]
        accepted = message['accepted']
        report.check(done.returncode == (0 if accepted else 1) and done.stderr == b'',
                     '%s: exit %d, stderr %r' % (name, done.returncode, done.stderr))
        if expected in ('ACCEPT', 'REJECT'):
            report.check(accepted == (expected == 'ACCEPT'), '%s: accepted is %s' % (name, accepted))
        report.check(accepted == (message['error'] is None), '%s: error is %s' % (name, message['error']))
        if message['error']:
            report.check(message['error']['name'].startswith('SECSIP_E_') and message['error']['text'] and
                         0 <= message['error']['offset'] <= 4096, '%s: %s' % (name, message['error']))
        is_response = 'response' in row['validity'] or name == 'bcast'
        want = None if is_response else RESPOND.get(name, None if accepted else 400)
        report.check(message['respond'] == want, '%s: respond %s, not %s' % (name, message['respond'], want))


def check_details(report):
    message = objects(run(DATA / 'rfc4475/intmeth.dat'))[0]
    report.check(message['to']['display'] == 'BEL:\x07 NUL:\0 DEL:\x7f', 'intmeth: %r' % message['to'])
    message = objects(run(DATA / 'rfc4475/wsinv.dat'))[0]
    report.check([v['branch'] for v in message['via']] == ['390skdjuw', 'z9hG4bK9ikj8', 'z9hG4bK30239'], 'wsinv: Vias')
    report.check(['NewFangledHeader', 'newfangled value continued newfangled value'] in message['headers'], 'wsinv: folds')
    message = objects(run(DATA / 'rfc4475/mpart01.dat'))[0]
    report.check(message['body_len'] == 553, 'mpart01: body of %d bytes' % message['body_len'])
    message = objects(run(data=SMALL + b'X-Y: \xff\xc3\xa4\r\n\r\n'))[0]
    report.check(message['headers'][-1] == ['X-Y', '\xff\xe4'], 'no UTF-8: %r' % message['headers'][-1])


def check_streams(report):
    ok = SMALL + b'l: 2\r\n\r\nhi'
    bad = b'SIP/2.0 99 No\r\n' + SMALL[SMALL.index(b'Via'):] + b'l: 0\r\n\r\n'
    done = run('--stream', data=b'\r\n\r\n' + ok + bad + ok)
    got = objects(done)
    report.check([m['accepted'] for m in got] == [True, False, True] and done.returncode == 1, 'stream: %s' % got)
    report.check(got[1]['respond'] is None, 'a wrong response is not answered')
    done = run('--stream', data=ok * 500)
    report.check(len(objects(done)) == 500 and done.returncode == 0, '500 messages: %d' % len(objects(done)))
    for data, name in ((SMALL + b'\r\n' + ok, 'SECSIP_E_SIP_CONTENT_LENGTH'), (ok[:-1], 'SECSIP_E_SIP_TRUNCATED'),
                       (SMALL + b'l: -1\r\n\r\n' + ok, 'SECSIP_E_SIP_CONTENT_LENGTH')):
        got = objects(run('--stream', data=data))
        report.check(len(got) == 1 and got[0]['error']['name'] == name, '%s: %s' % (name, got))
    report.check(run('--stream', data=b'').stdout == b'', 'an empty stream has no messages')


def check_roundtrip(report):
    for path in sorted(DATA.glob('rfc*/*.dat')):
        first = objects(run(path))[0]
        done = run('--roundtrip', path)
        report.check(done.returncode == (0 if first['accepted'] else 1), '%s: exit %d' % (path.name, done.returncode))
        if not first['accepted']:
            report.check(done.stdout == b'' and done.stderr.count(b'\n') == 1, '%s: refused and yet written' % path.name)
            continue
        report.check(objects(run(data=done.stdout))[0] == first, '%s: not the same when written again' % path.name)
        report.check(run('--roundtrip', data=done.stdout).stdout == done.stdout, '%s: not stable' % path.name)


def check_set_up(report):
    """What is no verdict: help and version are 0, wrong usage is 2 with one line that names it."""
    wsinv = DATA / 'rfc4475/wsinv.dat'
    for option, begins in (('--help', b'Usage: secsip-message '), ('--version', b'secsip-message ')):
        done = run(option)
        report.check(done.returncode == 0 and done.stdout.startswith(begins) and done.stderr == b'',
                     '%s: exit %d, %r' % (option, done.returncode, done.stdout[:80]))
    large = tree.BUILD / 'message-too-large.dat'
    with open(large, 'wb') as f:
        f.truncate(17 * 1024 * 1024)
    for args, named in ((['/nonexistent/file'], b'/nonexistent/file'), (["a", "b"], b"one file"), (['--round', wsinv], b"'--round'"),
                        (['--nonsense'], b"nonsense"), (['--stream=1'], b"stream"), ([DATA], b"torture"), ([large], b'16')):
        done = run(*args, data=b'')
        report.check(done.returncode == 2 and done.stdout == b'' and done.stderr.count(b'\n') == 1 and named in done.stderr,
                     '%s: exit %d, %r' % (args, done.returncode, done.stderr))
    large.unlink()
    both = run('--stream', '--roundtrip', wsinv)
    report.check(both.returncode == 0 and both.stdout == run('--roundtrip', wsinv).stdout, '--stream --roundtrip')
    report.check(objects(run('--stream', wsinv)) == objects(run(wsinv)), 'a stream of one message, from a file')
    report.check(run(data=b'').returncode == 1, 'nothing is no message')


def main():
    report = tree.Report()
    check_torture(report)
    check_details(report)
    check_streams(report)
    check_roundtrip(report)
    check_set_up(report)
    for arguments in (['--help'], [DATA / 'rfc4475/wsinv.dat'], ['--roundtrip', DATA / 'rfc4475/wsinv.dat']):
        tree.deaf(report, PROGRAM, *arguments)
    report.done()


main()
