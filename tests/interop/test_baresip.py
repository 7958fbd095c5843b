#!/usr/bin/env python3
"""Our phone and baresip call each other through Kamailio with mandatory SRTP, in each suite that baresip can be brought
to use, and each hears the other's tone for three seconds. baresip 1.0.0 offers _80 only, so _32 is used when we call.

Its RTCP is not like ours, and what we refuse of it shows in the counts: before its keys are up it sends an APP packet in
clear; an APP packet is no compound (RFC 3550 6.1); with _32 its SRTCP has tags of 32 bits, which RFC 4568 6.2 makes 80."""
import unittest

from peers import baresip, certs, kamailio, lab, tones
from peers.ours import Phone

lab.require('certtool', kamailio.PROGRAM, baresip.PROGRAM)
SECONDS = 3.6


class WithBaresip(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        cls.server = kamailio.Kamailio(cls.lab, cls.certs)
        cls.low = tones.write(cls.lab.dir / '440.wav', 440)
        cls.high = tones.write(cls.lab.dir / '880.wav', 880)

    def peer(self):
        bob = baresip.Baresip(self.lab, self.certs, 'bob', self.server.proxy, self.high)
        self.addCleanup(bob.stop)
        return bob

    def phone(self, *options):
        heard = self.lab.dir / ('%s.wav' % self.id())
        phone = Phone(self.lab, 'alice', self.server.proxy, self.certs / 'ca.crt', '--register', *options,
                      duration=SECONDS, play=self.low, record=heard)
        self.addCleanup(phone.stop, 1.0)
        return phone, heard

    def check(self, phone, heard, bob, suite):
        phone.wait_event('call', state='established', seconds=15)
        media = phone.wait_event('media')
        self.assertEqual((media['keying'], media['suite'], media['profile']), ('sdes', suite, 'RTP/SAVP'))
        self.assertEqual(phone.finish(20), 0, phone.tail())
        bob.wait_closed()
        stats = phone.events('stats')[-1]
        self.assertEqual((stats['lost'], stats['replayed'], stats['malformed']), (0, 0, 0), stats)
        self.assertGreaterEqual(stats['rx'], 150, stats)
        # baresip's SRTP (libre) ends SRTCP with a tag of 4 bytes under _32, where RFC 4568 6.2.2 has 10: such packets, one or
        # two in the time of a test, fail here and must; its RTP is right.
        self.assertLessEqual(stats['auth_failed'], 2 if suite.endswith('_32') else 0, stats)
        self.assertGreaterEqual(tones.seconds_of(heard, 880), 3.0, phone.tail())
        self.assertGreaterEqual(tones.seconds_of(bob.recording(), 440), 3.0, bob.log()[-3000:])

    def we_call(self, suite):
        bob = self.peer()
        phone, heard = self.phone('--suites', suite, '--call', 'sip:bob@example.test')
        self.check(phone, heard, bob, suite)

    def test_we_call_baresip_with_80_bit_tags(self):
        self.we_call('AES_CM_128_HMAC_SHA1_80')

    def test_we_call_baresip_with_32_bit_tags(self):
        self.we_call('AES_CM_128_HMAC_SHA1_32')

    def test_we_call_baresip_with_aes_128_gcm(self):
        self.we_call('AEAD_AES_128_GCM')

    def test_we_call_baresip_with_aes_256_gcm(self):
        self.we_call('AEAD_AES_256_GCM')

    def test_baresip_calls_us(self):
        bob = self.peer()
        phone, heard = self.phone('--answer')
        phone.wait_event('registered')
        bob.dial('sip:alice@example.test')
        self.check(phone, heard, bob, 'AES_CM_128_HMAC_SHA1_80')

    def test_baresip_in_clear_is_refused(self):
        bob = baresip.Baresip(self.lab, self.certs, 'bob', self.server.proxy, self.high, media=None)
        self.addCleanup(bob.stop)
        phone, _ = self.phone('--answer')
        phone.wait_event('registered')
        bob.dial('sip:alice@example.test')
        lab.wait_until(lambda: ' 488 ' in bob.log(), 10, lambda: 'a 488 at baresip\n' + bob.log()[-3000:])
        self.assertFalse(phone.events('call', state='established'))


if __name__ == '__main__':
    unittest.main(verbosity=2)
