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

    def test_a_phone_with_several_proxies_is_reached_over_those_that_work(self):
        """RFC 5626: one registration over each, of one device, which keeps its name from one run to the next."""
        instance = 'urn:uuid:00000000-0000-4000-8000-0123456789ab'
        one, two = (Registrar(self.lab, self.certs) for _ in range(2))
        for server in (one, two):
            self.addCleanup(server.stop, 0.1)
        trace = self.lab.dir / ('trace-flows-%d' % one.port)
        alice = Phone(self.lab, 'alice', one.proxy + ',' + two.proxy, self.certs / 'ca.crt', '--register', '--answer', '--instance',
                      instance, trace=trace)
        self.addCleanup(alice.stop, 1.0)
        alice.wait_event('registered')

        def agreed():
            """The ports of the servers that have taken a flow of this device."""
            taken = re.findall(r'^<-- \S+:(\d+)\nSIP/2.0 200 .*?^(.*?)\n(?=^(?:<--|-->)|\Z)', trace.read_text(), re.M | re.S)
            return {int(port) for port, rest in taken if 'outbound' in rest}

        lab.wait_until(lambda: agreed() == {one.port, two.port}, 10, trace.read_text)
        text = trace.read_text()
        for number in (1, 2):
            self.assertIn('+sip.instance="<%s>";reg-id=%d' % (instance, number), text)
        one.process.stop(0.1)
        bob = self.phone('bob', '--register', '--call', 'sip:alice@example.test', server=two)
        bob.wait_event('call', state='established')
        for event in alice.events('register-failed'):
            self.assertEqual((event['flow'], event['flows_registered']), (1, 1), 'one of the two is enough')
        bob.stop(3.0)

    def test_a_phone_with_several_proxies_fails_only_where_all_do(self):
        dead = 'sip:%s:%d;transport=tls' % (lab.HOST, self.lab.ports(1))
        also = 'sip:%s:%d;transport=tls' % (lab.HOST, self.lab.ports(1))
        bob = self.phone('bob', '--register', '--answer')
        bob.wait_event('registered')
        alice = Phone(self.lab, 'alice', dead + ',' + self.server.proxy, self.certs / 'ca.crt', '--register', '--call',
                      'sip:bob@example.test', duration=1)
        self.addCleanup(alice.stop, 1.0)
        alice.wait_event('register-failed')
        self.assertEqual(alice.finish(20), 0, alice.tail())
        self.assertTrue(alice.events('call', state='established'))
        carol = Phone(self.lab, 'carol', dead + ',' + also, self.certs / 'ca.crt', '--register')
        self.addCleanup(carol.stop, 1.0)
        self.assertEqual(carol.finish(20), 1, carol.tail())
        self.assertEqual({e['flow'] for e in carol.events('register-failed')}, {1, 2})

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
