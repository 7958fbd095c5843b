#!/usr/bin/env python3
"""Kamailio's TLS: mutual TLS with good and bad certificates, a session that is resumed after the wire was cut, and a Kamailio
that is restarted and has forgotten everybody. What heals waits as RFC 5626 4.5 has it: 15 to 30 s."""
import os
import signal
import unittest

from peers import certs, kamailio, lab
from peers.ours import Phone, Registrar
from peers.relay import Relay

lab.require('certtool', kamailio.PROGRAM)
HEALS = 40  # seconds


class Mutual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        cls.server = kamailio.Kamailio(cls.lab, cls.certs, mutual=True)

    def register(self, user, certificate=None):
        # The password is a wrong one: nobody may come in by it.
        options = ['--cert', self.certs / (certificate + '.crt'), '--key', self.certs / (certificate + '.key')] if certificate else []
        phone = Phone(self.lab, user, self.server.proxy, self.certs / 'ca.crt', '--register', *options, password='wrong')
        self.addCleanup(phone.stop, 1.0)
        return phone

    def refused(self, *arguments):
        before = self.server.log().count('REQ REGISTER')
        phone = self.register(*arguments)
        event = phone.wait_event('register-failed')
        self.assertEqual(phone.finish(10), 1, phone.tail())
        self.assertFalse(phone.events('registered'))
        return event, self.server.log().count('REQ REGISTER') - before

    def test_a_certificate_stands_for_the_password(self):
        phone = self.register('alice', 'alice')
        event = phone.wait_event('registered')
        self.assertIs(event['tls']['verified'], True)
        self.assertIn('CERTIFICATE of sip:alice@example.test', self.server.log())

    def test_bad_certificates_and_none_are_told_by_an_alert(self):
        for certificate, said in ((None, 'certificate'), ('otherca-alice', 'CA'), ('expired-alice', 'expired')):
            with self.subTest(certificate):
                event, asked = self.refused('alice', certificate)
                self.assertEqual(event['error']['name'], 'SECSIP_E_TLS_ALERT', event)
                self.assertIn(said.lower(), event['error']['found'].lower(), event)
                self.assertEqual(asked, 0, 'a REGISTER has been taken')

    def test_the_certificate_of_somebody_else_is_refused(self):
        event, asked = self.refused('alice', 'bob')
        self.assertEqual(event['status'], 403)
        self.assertEqual(asked, 1)


class Healing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        cls.steady, cls.restarted = (kamailio.Kamailio(cls.lab, cls.certs) for _ in range(2))
        cls.relay = Relay(cls.lab, cls.steady.port)
        cls.addClassCleanup(cls.relay.close)
        cls.alice = Phone(cls.lab, 'alice', cls.relay.proxy, cls.certs / 'ca.crt', '--register')
        cls.bob = Phone(cls.lab, 'bob', cls.restarted.proxy, cls.certs / 'ca.crt', '--register')
        for phone in (cls.alice, cls.bob):
            phone.wait_event('registered')
        # Both at once, so that their waits overlap.
        cls.relay.cut()
        cls.restarted.stop()
        cls.restarted.start()

    def healed(self, phone):
        lab.wait_until(lambda: len(phone.events('registered')) > 1, HEALS, lambda: 'registered again\n' + phone.tail())
        failed = phone.events('register-failed')
        self.assertEqual(len(failed), 1, phone.tail())
        self.assertGreater(failed[0]['retry_ms'], 1000)
        return phone.events('registered')

    def test_the_session_is_resumed_after_the_wire_was_cut(self):
        first, second = (event['tls'] for event in self.healed(self.alice))
        self.assertEqual([first['resumed'], second['resumed']], [False, True])
        self.assertEqual([first['verified'], second['verified']], [True, True])
        self.assertEqual(self.relay.connections, 2)

    def test_who_was_forgotten_registers_again_by_itself(self):
        self.healed(self.bob)
        # The log is of the second Kamailio alone, which was told of nobody.
        self.assertRegex(self.restarted.log(), r'REQ REGISTER .*bob@example.test')
        # Bob was told to answer nobody: that he is busy comes from him, where Kamailio alone would say 404.
        carol = Phone(self.lab, 'carol', self.restarted.proxy, self.certs / 'ca.crt', '--call', 'sip:bob@example.test')
        self.addCleanup(carol.stop, 1.0)
        self.assertEqual(carol.wait_event('call', state='ended')['status'], 486)


class Silent(unittest.TestCase):
    def test_a_stopped_peer_does_not_keep_us(self):
        """Bob's program is stopped in the middle of the call; alice hangs up, and is gone in a few seconds."""
        with lab.Lab() as room:
            folder = certs.make(room.dir / 'certs')
            server = Registrar(room, folder)
            bob = Phone(room, 'bob', server.proxy, folder / 'ca.crt', '--register', '--answer')
            bob.wait_event('registered')
            alice = Phone(room, 'alice', server.proxy, folder / 'ca.crt', '--register', '--call', 'sip:bob@example.test', duration=1)
            alice.wait_event('call', state='established')
            os.kill(bob.process.process.pid, signal.SIGSTOP)
            try:
                self.assertEqual(alice.finish(8), 0, alice.tail())
            finally:
                os.kill(bob.process.process.pid, signal.SIGCONT)


if __name__ == '__main__':
    unittest.main(verbosity=2)
