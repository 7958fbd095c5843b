#!/usr/bin/env python3
"""What secsip-phone promises on its command line, with secsip-registrar between two of them: it ends politely on signals and
on time, is busy when it speaks, keeps secrets out of traces, and says which relaxation let a server through."""
import os
import re
import signal
import stat
import unittest

from peers import certs, lab, tones
from peers.ours import Phone, Registrar

lab.require('certtool')


class OurPhone(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        cls.server = Registrar(cls.lab, cls.certs)
        cls.tone = tones.write(cls.lab.dir / '880.wav', 880)

    def phone(self, user, *options, server=None, ca='ca.crt', **more):
        phone = Phone(self.lab, user, (server or self.server).proxy, self.certs / ca, *options, **more)
        self.addCleanup(phone.stop, 1.0)
        return phone

    def in_a_call(self, *options, **more):
        bob = self.phone('bob', '--register', '--answer')
        bob.wait_event('registered')
        alice = self.phone('alice', '--register', '--call', 'sip:bob@example.test', *options, **more)
        alice.wait_event('call', state='established')
        bob.wait_event('call', state='established')
        return alice, bob

    def send(self, phone, number):
        os.kill(phone.process.process.pid, number)

    def test_a_signal_hangs_up_and_unregisters(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            alice, bob = self.in_a_call()
            self.send(alice, number)
            self.assertEqual(alice.finish(5), 0, alice.tail())
            bob.wait_event('call', state='ended')
            self.assertEqual(bob.finish(5), 0, bob.tail())
            for phone in (alice, bob):
                self.assertEqual(len(phone.events('unregistered')), 1, phone.tail())
                states = [e['state'] for e in phone.events('call')]
                self.assertEqual(states.count('ended'), 1, states)

    def test_a_second_signal_does_not_wait_for_a_server_that_is_silent(self):
        server = Registrar(self.lab, self.certs)
        self.addCleanup(server.stop, 0.1)
        phone = self.phone('alice', '--register', server=server)
        phone.wait_event('registered')
        os.kill(server.process.process.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, server.process.process.pid, signal.SIGCONT)
        self.send(phone, signal.SIGTERM)
        with self.assertRaises(Exception):
            phone.finish(1)  # it waits for the answer to its farewell
        self.send(phone, signal.SIGTERM)
        self.assertEqual(phone.finish(2), 0, phone.tail())

    def test_register_alone_ends_after_its_duration(self):
        phone = self.phone('alice', '--register', duration=1)
        phone.wait_event('registered')
        self.assertEqual(phone.finish(5), 0, phone.tail())
        self.assertTrue(phone.events('unregistered'), phone.tail())

    def test_it_gives_up_waiting_for_a_call(self):
        phone = self.phone('alice', '--register', '--answer', '--wait', '1')
        self.assertEqual(phone.finish(5), 1, phone.tail())
        self.assertIn('--wait', phone.process.err())

    def test_a_phone_in_a_call_is_busy(self):
        alice, bob = self.in_a_call()
        carol = self.phone('carol', '--call', 'sip:bob@example.test')
        self.assertEqual(carol.wait_event('call', state='ended')['status'], 486)
        self.assertEqual(carol.finish(5), 1, carol.tail())
        self.assertTrue(alice.process.alive() and bob.process.alive())

    def test_a_phone_that_does_not_answer_is_busy(self):
        bob = self.phone('bob', '--register')
        bob.wait_event('registered')
        carol = self.phone('carol', '--call', 'sip:bob@example.test')
        self.assertEqual(carol.wait_event('call', state='ended')['status'], 486)

    def test_traces_hold_no_secret_and_key_logs_are_for_the_owner_only(self):
        trace, keys, heard = (self.lab.dir / name for name in ('trace', 'keys', 'heard.wav'))
        alice, _ = self.in_a_call(duration=2, trace=trace, keylog=keys, play=self.tone, record=heard)
        self.assertEqual(alice.finish(8), 0, alice.tail())
        text = trace.read_text()
        self.assertRegex(text, r'(?m)^INVITE sip:bob@example\.test SIP/2\.0$')
        self.assertRegex(text, r'(?m)^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:\*+$')
        self.assertEqual(re.findall(r'inline:(?!\*)\S+', text), [])
        self.assertEqual(re.findall(r'response="[^*"]+"', text), [])
        self.assertNotIn('alicepw', text + alice.process.out() + alice.process.err())
        self.assertRegex(keys.read_text(), r'(?m)^(CLIENT_TRAFFIC_SECRET_0|CLIENT_RANDOM) [0-9a-f]{64} [0-9a-f]+$')
        self.assertEqual(stat.S_IMODE(keys.stat().st_mode), 0o600)
        self.assertGreater(heard.stat().st_size, 20000)

    def test_a_relaxation_is_named_where_it_acts(self):
        server = Registrar(self.lab, self.certs, 'selfsigned')
        self.addCleanup(server.stop)
        phone = self.phone('alice', '--register', server=server)
        self.assertEqual(phone.wait_event('register-failed')['error']['check'], 'self-signed')
        self.assertEqual(phone.finish(5), 1, phone.tail())
        for option in ('insecure-self-signed', 'insecure-any'):
            phone = self.phone('alice', '--register', '--tls-option', option, duration=0.2, server=server)
            tls = phone.wait_event('registered')['tls']
            self.assertEqual((tls['verified'], tls['relaxed']), (False, [option]), tls)
            self.assertEqual(phone.finish(5), 0, phone.tail())

    def test_a_call_over_a_server_that_was_not_verified_says_so(self):
        """A key goes there only because an option with insecure in its name was given, and then the level is the lowest."""
        server = Registrar(self.lab, self.certs, 'selfsigned')
        self.addCleanup(server.stop)
        refused = self.phone('alice', '--call', 'sip:bob@example.test', server=server, trace=self.lab.dir / 'unverified')
        self.assertEqual(refused.wait_event('call', state='ended')['error']['check'], 'self-signed')
        self.assertEqual(refused.finish(5), 1, refused.tail())
        self.assertNotIn('a=crypto', (self.lab.dir / 'unverified').read_text())

        insecure = ('--tls-option', 'insecure-any')
        bob = self.phone('bob', '--register', '--answer', *insecure, server=server)
        bob.wait_event('registered')
        alice = self.phone('alice', '--call', 'sip:bob@example.test', *insecure, server=server, duration=0.2)
        for phone in (alice, bob):
            security = phone.wait_event('security')
            self.assertEqual(security['level'], 'srtp-unverified', security)
            self.assertIs(security['signalling']['verified'], False, security)
        self.assertEqual(alice.finish(5), 0, alice.tail())


if __name__ == '__main__':
    unittest.main(verbosity=2)
