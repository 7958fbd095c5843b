#!/usr/bin/env python3
"""Our phone with Kamailio over TLS: it registers, is told that a password is wrong, and calls another of ours."""
import unittest

from peers import certs, kamailio, lab, tones
from peers.ours import Phone

lab.require('certtool', kamailio.PROGRAM)


class WithKamailio(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        cls.ca = cls.certs / 'ca.crt'
        cls.server = kamailio.Kamailio(cls.lab, cls.certs)
        cls.low = tones.write(cls.lab.dir / '440.wav', 440)
        cls.high = tones.write(cls.lab.dir / '880.wav', 880)

    def phone(self, user, *options, **more):
        phone = Phone(self.lab, user, self.server.proxy, self.ca, *options, **more)
        self.addCleanup(phone.stop, 1.0)
        return phone

    def test_registers_over_verified_tls_and_unregisters(self):
        phone = self.phone('alice', '--register')
        event = phone.wait_event('registered')
        self.assertEqual(event['transport'], 'TLS')
        self.assertIn(event['tls']['version'], ('TLS1.3', 'TLS1.2'))
        self.assertIs(event['tls']['verified'], True)
        self.assertGreater(event['expires'], 0)
        phone.stop()
        registers = [line for line in self.server.log().splitlines() if 'REQ REGISTER' in line and 'sip:alice@' in line]
        # With and without credentials, and the farewell.
        self.assertGreaterEqual(len(registers), 3, '\n'.join(registers))

    def test_wrong_password_is_one_clear_failure(self):
        before = self.server.log().count('REQ REGISTER')
        phone = self.phone('carol', '--register', password='wrong')
        event = phone.wait_event('register-failed')
        self.assertEqual(phone.finish(10), 1, phone.tail())
        self.assertIn(event['status'], (401, 403))
        self.assertTrue(event['error']['name'].startswith('SECSIP_E_'), event)
        self.assertTrue(event['error']['text'], event)
        self.assertEqual(len(phone.events('register-failed')), 1)
        self.assertLessEqual(self.server.log().count('REQ REGISTER') - before, 3)

    def test_a_refused_call_ends_with_its_status(self):
        phone = self.phone('alice', '--call', 'sip:code-486@example.test')
        ended = phone.wait_event('call', state='ended')
        self.assertEqual(ended['status'], 486)
        self.assertEqual(phone.finish(10), 1, phone.tail())

    def test_a_call_to_nobody_ends_with_404(self):
        phone = self.phone('alice', '--call', 'sip:dave@example.test')
        self.assertEqual(phone.wait_event('call', state='ended')['status'], 404)
        self.assertEqual(phone.finish(10), 1, phone.tail())

    def test_two_phones_of_ours_hear_each_other(self):
        heard = {name: self.lab.dir / ('heard-by-%s.wav' % name) for name in ('alice', 'bob')}
        bob = self.phone('bob', '--register', '--answer', duration=3.4, play=self.high, record=heard['bob'])
        bob.wait_event('registered')
        alice = self.phone('alice', '--register', '--call', 'sip:bob@example.test', duration=3.4, play=self.low,
                           record=heard['alice'])
        for phone in (alice, bob):
            phone.wait_event('call', state='established')
            media = phone.wait_event('media')
            self.assertEqual((media['keying'], media['profile']), ('sdes', 'RTP/SAVP'), media)
            self.assertEqual(media['suite'], 'AES_CM_128_HMAC_SHA1_80')
            security = phone.wait_event('security')
            self.assertEqual(security['level'], 'srtp-hop')
            self.assertIs(security['end_to_end'], False)
        for phone in (alice, bob):
            self.assertEqual(phone.finish(15), 0, phone.tail())
            stats = phone.events('stats')[-1]
            for count in ('auth_failed', 'replayed', 'clear_dropped'):
                self.assertEqual(stats[count], 0, stats)
        self.assertGreaterEqual(tones.seconds_of(heard['bob'], 440), 3.0)
        self.assertGreaterEqual(tones.seconds_of(heard['alice'], 880), 3.0)

    def test_the_answerer_may_be_the_one_who_ends_the_call(self):
        bob = self.phone('bob', '--register', '--answer', duration=1)
        bob.wait_event('registered')
        alice = self.phone('alice', '--register', '--call', 'sip:bob@example.test', duration=20)
        alice.wait_event('call', state='established')
        alice.wait_event('call', state='ended', seconds=10)
        self.assertEqual(bob.finish(10), 0, bob.tail())
        self.assertEqual(alice.finish(10), 0, alice.tail())


if __name__ == '__main__':
    unittest.main(verbosity=2)
