#!/usr/bin/env python3
"""secsip-demo from end to end: its verdict, its numbers, its report, its recordings, and captures that say the same to
somebody who reads them with other eyes than the demo's own. Twice at the same time: it needs no port of its own."""
import html.parser
import json
import pathlib
import struct
import subprocess
import tempfile
import wave

import tree

TAKES_S = 120


class Page(html.parser.HTMLParser):
    """Balanced elements, and everything the page would have to fetch."""
    VOID = {'meta', 'img', 'br', 'line', 'path', 'rect', 'ellipse', 'circle'}

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.fetched, self.seen = [], [], [], {}

    def handle_starttag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        if tag not in self.VOID:
            self.open.append(tag)
        for key, value in attrs:
            if key in ('src', 'href') and not value.startswith('data:'):
                self.fetched.append(value)

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append('</%s>' % tag)


def packets(path):
    """(protocol, payload) of each packet of a capture of raw IPv4."""
    data = path.read_bytes()
    magic, major, minor, _, _, _, link = struct.unpack('=IHHIIII', data[:24])
    assert (magic, major, minor, link) == (0xA1B2C3D4, 2, 4, 101), path
    at = 24
    while at < len(data):
        size = struct.unpack('=IIII', data[at:at + 16])[2]
        ip = data[at + 16:at + 16 + size]
        assert len(ip) == size and ip[0] == 0x45 and struct.unpack('>H', ip[2:4])[0] == size
        yield ('tcp', ip[40:]) if ip[9] == 6 else ('udp', ip[28:])
        at += 16 + size


def check_capture(report, out, name, secure):
    seen = list(packets(out / (name + '.pcap')))
    stream = b''.join(data for kind, data in seen if kind == 'tcp')
    media = [data for kind, data in seen if kind == 'udp' and data[1] & 0x7F < 64]
    report.check(len(media) > 400, '%s.pcap: %d media packets' % (name, len(media)))
    report.check(all(data[0] >> 6 == 2 for data in media), '%s.pcap: not RTP' % name)
    report.check({len(data) for data in media} == ({182} if secure else {172}),
                 '%s.pcap: media packets of %s bytes' % (name, sorted({len(data) for data in media})))
    for word in (b'SIP/2.0', b'INVITE', b'v=0\r\n', b'm=audio'):
        report.check((word in stream) != secure, '%s.pcap: %r' % (name, word))
    for word in (b'a=crypto', b'inline:'):
        report.check(word not in stream, '%s.pcap: %r' % (name, word))


def check_sounds(report, out):
    def samples(name):
        with wave.open(str(out / (name + '.wav'))) as file:
            report.check((file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000), name)
            return file.readframes(file.getnframes())
    sent = samples('sent')
    report.check(len(sent) > 8000, 'sent.wav: %d bytes' % len(sent))
    for name in ('clear-callee', 'secure-callee', 'clear-eavesdropper'):
        heard = samples(name)
        same = sum(sent[i:i + 320] == heard[i:i + 320] for i in range(0, len(sent), 320))
        report.check(len(heard) == len(sent) and same >= 0.99 * len(sent) / 320,
                     '%s.wav: %d of %d frames are what was sent' % (name, same, len(sent) / 320))
    noise = samples('secure-eavesdropper')
    same = sum(sent[i:i + 320] == noise[i:i + 320] for i in range(0, len(sent), 320))
    report.check(same == 0, 'secure-eavesdropper.wav: %d frames are what was sent' % same)
    report.check(samples('secure-answer') == samples('sent-answer'), 'secure-answer.wav differs from sent-answer.wav')


def check_page(report, out):
    text = (out / 'report.html').read_text()
    page = Page()
    page.feed(text)
    report.check(not page.faults and not page.open, 'report.html: not balanced: %s %s' % (page.faults[:3], page.open[:3]))
    report.check(not page.fetched, 'report.html: fetches %s' % page.fetched[:3])
    report.check('script' not in page.seen, 'report.html: holds a script')
    report.check(page.seen.get('audio', 0) >= 5 and page.seen.get('img', 0) >= 5, 'report.html: %s' % page.seen)
    report.check(page.seen.get('details', 0) >= 30, 'report.html: %d rows in the ladders' % page.seen.get('details', 0))
    for word in ('REGISTER sip:example.test', 'INVITE sip:bob@example.test', '200 OK (BYE)', 'a=crypto:1 '):
        report.check(word in text, 'report.html: lacks %r' % word)
    secrets = [line for line in text.split('\n') if 'inline:' in line and 'inline:*' not in line and 'inline:&lt;' not in line]
    report.check(not secrets, 'report.html: a key is not masked: %s' % secrets[:1])


def check_summary(report, line):
    told = json.loads(line)
    report.check(told['ok'] is True, told['verdict'])
    for check in told['checks']:
        report.check(check['ok'] is True, check['text'])
    names = {check['name'] for check in told['checks']}
    report.check({'secure-speech', 'no-speech', 'no-sip', 'no-key', 'control'} <= names, names)
    report.check(told['secure']['eavesdropper']['correlation'] < 0.1 < told['clear']['eavesdropper']['correlation'],
                 'correlations: %s' % told)
    report.check(told['secure']['level'] == 'srtp-hop' and told['clear']['level'] == 'clear', 'levels: %s' % told)
    report.check(told['secure']['entropy'] > 7.9 > told['clear']['entropy'], 'entropies: %s' % told)


def main():
    report = tree.Report()
    demo = tree.BUILD / 'examples/secsip-demo'
    with tempfile.TemporaryDirectory(prefix='secsip-demo-') as folder:
        outs = [pathlib.Path(folder, 'one'), pathlib.Path(folder, 'two/deep')]
        runs = [subprocess.Popen([demo, '--json', '--out', out], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) for out in outs]
        for run, out in zip(runs, outs):
            stdout, stderr = run.communicate(timeout=TAKES_S)
            report.check(run.returncode == 0 and stderr == '', 'exit %d\n%s\n%s' % (run.returncode, stdout, stderr))
            if run.returncode != 0:
                continue
            report.check(stdout.count('\n') == 1, 'standard output holds more than its one line')
            check_summary(report, stdout)
            check_capture(report, out, 'clear', False)
            check_capture(report, out, 'secure', True)
            check_sounds(report, out)
            check_page(report, out)
        file = pathlib.Path(folder, 'file')
        file.write_text('in the way')
        # Nobody writes into /proc, not even root.
        for arguments in (('--out', file / 'x'), ('--out', file), ('--out', '/proc'), ('--ou', outs[0])):
            wrong = subprocess.run([demo, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
                                   check=False)
            report.check(wrong.returncode == 2 and wrong.stdout == '' and wrong.stderr.count('\n') == 1,
                         '%s: exit %d, %r, %r' % (arguments, wrong.returncode, wrong.stdout, wrong.stderr))
        report.check(file.read_text() == 'in the way', 'the file in the way was written to')
        tree.deaf(report, demo, '--out', outs[0])
    report.done()


main()
