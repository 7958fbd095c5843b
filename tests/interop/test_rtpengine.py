#!/usr/bin/env python3
"""rtpengine as the far end of SRTP, for every suite that both know: it decrypts what secsip-srtp protects and protects what
secsip-srtp opens, RTP and RTCP, with keys that secsip-sdes negotiated with it, as offerer and as answerer. Its other side is
in clear. rtpengine writes keys without padding and knows F8 suites, which we refuse by name. It knows
NULL_HMAC_SHA1_80 and _32 too, but version 10.5.3 crashes in a call that has them: they are not tried."""
import json
import re
import socket
import struct
import subprocess
import unittest

from peers import lab, rtpengine

lab.require(rtpengine.PROGRAM)
SUITES = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32', 'AES_192_CM_HMAC_SHA1_80', 'AES_192_CM_HMAC_SHA1_32',
          'AES_256_CM_HMAC_SHA1_80', 'AES_256_CM_HMAC_SHA1_32', 'AEAD_AES_128_GCM', 'AEAD_AES_256_GCM']
PACKETS = 5


def run(program, *args, data=b''):
    done = subprocess.run([lab.ours(program), *map(str, args)], input=data, capture_output=True, timeout=30, check=False)
    if done.returncode != 0:
        raise AssertionError('%s %s: %d %s' % (program, args, done.returncode, done.stderr.decode()))
    return done.stdout


def srtp(mode, crypto, packets, *more):
    """Packets through secsip-srtp; a line with a key of a test may stand on the command line."""
    out = run('secsip-srtp', mode, '--crypto', crypto, *more, data=b''.join(struct.pack('>H', len(p)) + p for p in packets))
    found = []
    while out:
        n, = struct.unpack_from('>H', out)
        found.append(out[2:2 + n])
        out = out[2 + n:]
    return found


def rtp(seq, ssrc):
    return struct.pack('>BBHII', 0x80, 0, seq, seq * 160, ssrc) + bytes((seq * 7 + i) % 251 for i in range(160))


def receiver_report(ssrc, other):
    report = struct.pack('>BBHI', 0x81, 201, 7, ssrc) + struct.pack('>IIIIII', other, 0, 1, 0, 0, 0)
    return report + struct.pack('>BBHIBB4sH', 0x81, 202, 3, ssrc, 1, 4, b'test', 0)


class Side:
    """An RTP socket and the RTCP one above it."""

    def __init__(self, place):
        self.port = place.ports(2)
        self.sockets = []
        for port in (self.port, self.port + 1):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((lab.HOST, port))
            s.settimeout(3)
            self.sockets.append(s)

    def send(self, to, packets, rtcp=False):
        for packet in packets:
            self.sockets[rtcp].sendto(packet, (lab.HOST, to + rtcp))

    def receive(self, n, rtcp=False):
        return [self.sockets[rtcp].recv(2048) for _ in range(n)]

    def close(self):
        for s in self.sockets:
            s.close()


def clear_sdp(port):
    return ('v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\n'
            'a=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n' % port)


def port_of(sdp):
    return int(re.search(r'(?m)^m=audio (\d+) ', sdp).group(1))


class FarEnd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.engine = rtpengine.Rtpengine(cls.lab)

    def sides(self):
        pair = Side(self.lab), Side(self.lab)
        for side in pair:
            self.addCleanup(side.close)
        return pair

    def as_offerer(self, suite, us, them, *options):
        """Our offer, rtpengine's answer: what was agreed, and the ports of its two sides."""
        call = 'offer-%s-%d' % (suite, us.port)
        offer = run('secsip-sdes', 'offer', '--suites', suite, '--port', us.port, *options).decode()
        file = self.lab.dir / (call + '.sdp')
        file.write_text(offer, newline='')
        clear = self.engine.negotiate('offer', call, offer, transport_protocol='RTP/AVP')
        self.assertNotIn('a=crypto', clear)
        answer = self.engine.negotiate('answer', call, clear_sdp(them.port))
        agreed = json.loads(run('secsip-sdes', 'accept', '--offer', file, '--suites', suite, '--show-keys', *options,
                                data=answer.encode()))
        self.addCleanup(self.engine.delete, call)
        return agreed, port_of(answer), port_of(clear)

    def as_answerer(self, suite, us, them, *options):
        """rtpengine offers all of its suites, and we answer with one."""
        call = 'answer-%s-%d' % (suite, us.port)
        offer = self.engine.negotiate('offer', call, clear_sdp(them.port), transport_protocol='RTP/SAVP')
        self.assertIn(' F8_128_HMAC_SHA1_80 ', offer)
        agreed = json.loads(run('secsip-sdes', 'answer', '--suites', suite, '--port', us.port, '--json', '--show-keys',
                                *options, data=offer.encode()))
        clear = self.engine.negotiate('answer', call, agreed['sdp'])
        self.addCleanup(self.engine.delete, call)
        return agreed, port_of(offer), port_of(clear)

    def check(self, suite, us, them, agreed, secure_port, clear_port):
        self.assertEqual((agreed['secure'], agreed['suite']), (True, suite), agreed)
        tx, rx = (self.crypto_line(suite, key) for key in (agreed['tx'], agreed['rx'][0]))
        forth = [rtp(65533 + i & 0xffff, 0x1111) for i in range(PACKETS)]  # over the roll-over of the sequence numbers
        back = [rtp(700 + i, 0x2222) for i in range(PACKETS)]
        us.send(secure_port, srtp('protect', tx, forth))
        self.assertEqual(them.receive(PACKETS), forth)
        them.send(clear_port, back)
        sealed = us.receive(PACKETS)
        self.assertNotEqual(sealed, back)
        self.assertEqual(srtp('unprotect', rx, sealed), back)
        forth, back = [receiver_report(0x1111, 0x2222)], [receiver_report(0x2222, 0x1111)]
        us.send(secure_port, srtp('protect', tx, forth, '--rtcp'), rtcp=True)
        self.assertEqual(them.receive(1, rtcp=True), forth)
        them.send(clear_port, back, rtcp=True)
        sealed = us.receive(1, rtcp=True)
        self.assertNotEqual(sealed, back)
        self.assertEqual(srtp('unprotect', rx, sealed, '--rtcp'), back)

    @staticmethod
    def crypto_line(suite, key):
        mki = '|%d:%d' % (key['mki'], key['mki_len']) if key['mki'] else ''
        return 'a=crypto:1 %s inline:%s%s' % (suite, key['key'], mki)

    def test_every_suite_offered_by_us(self):
        for suite in SUITES:
            with self.subTest(suite=suite):
                us, them = self.sides()
                self.check(suite, us, them, *self.as_offerer(suite, us, them))

    def test_every_suite_offered_by_rtpengine(self):
        for suite in SUITES:
            with self.subTest(suite=suite):
                us, them = self.sides()
                agreed, *ports = self.as_answerer(suite, us, them)
                # sipwise/rtpengine#657, #1220: keys whose length is no multiple of three come without '='.
                bare = suite not in ('AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32')
                self.assertEqual(agreed['quirks'], ['padding'] if bare else [], agreed)
                self.check(suite, us, them, agreed, *ports)

    def test_keys_with_a_lifetime_and_an_mki(self):
        for suite in SUITES:
            with self.subTest(suite=suite):
                us, them = self.sides()
                agreed, *ports = self.as_offerer(suite, us, them, '--lifetime', '2^31', '--mki', '4')
                self.assertEqual((agreed['tx']['lifetime'], agreed['tx']['mki'], agreed['tx']['mki_len']), (1 << 31, 1, 4))
                self.check(suite, us, them, agreed, *ports)


if __name__ == '__main__':
    unittest.main(verbosity=2)
