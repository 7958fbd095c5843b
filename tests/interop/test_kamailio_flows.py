#!/usr/bin/env python3
"""Kamailio and one connection: under mutual TLS its requests come back over the connection that we offered it (RFC 5923), and it
answers our keep-alives (RFC 5626 4.4.1) until it is stopped, when the flow has failed."""
import re
import time
import unittest

from peers import certs, kamailio, lab
from peers.ours import Phone
from peers.relay import Relay

lab.require('certtool', kamailio.PROGRAM)
FLOW_TIMER = 5  # seconds, as kamailio.cfg.in has it
PONG_WITHIN = 10  # RFC 5626 4.4.1
HEALS = 40  # RFC 5626 4.5: 15 to 30 s
SLACK = 5  # for a loaded machine


class Alias(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        # Alice is a server as well.
        certs.issue(cls.certs, 'alice-both', 'cn = "alice"\nuri = "sip:alice@example.test"\n' + certs.SERVER + certs.NOW, 'ca')

    def phone(self, server, user, certificate, *options, **named):
        own = ['--cert', self.certs / (certificate + '.crt'), '--key', self.certs / (certificate + '.key')]
        phone = Phone(self.lab, user, server.proxy, self.certs / 'ca.crt', *own, *options, **named)
        self.addCleanup(phone.stop, 1.0)
        return phone

    def called(self, define=()):
        """Alice registers, listens and says so; bob has Kamailio call her there. Returns whether the INVITE came over the connection
        that she made, how many there are to where she listens, the status that bob got, and what she logged."""
        server = kamailio.Kamailio(self.lab, self.certs, mutual=True, define=define)
        self.addCleanup(server.stop)
        listens, trace = self.lab.ports(1), self.lab.dir / ('trace-%d' % server.port)
        alice = self.phone(server, 'alice', 'alice-both', '--register', '--answer', '--listen', 'tls:%s:%d' % (lab.HOST, listens),
                           '--verbose', trace=trace)
        alice.wait_event('registered')
        self.assertEqual(lab.connections(listens), 0)
        target = 'sip:alice@%s:%d;transport=tls' % (lab.HOST, listens)
        bob = self.phone(server, 'bob', 'bob', '--call', target, duration=1)
        status = bob.wait_event('call', state='ended')['status']
        connections = lab.connections(listens)
        text = trace.read_text(errors='replace')
        via = re.search(r'^--> \S+\nREGISTER .*?^Via: ([^\r\n]*)', text, re.M | re.S).group(1)
        came_from = int(re.search(r'^<-- \S+:(\d+)\nINVITE ', text, re.M).group(1))
        self.assertIn(':%d;' % listens, via)
        self.assertRegex(via, ';alias(;|$)')
        return came_from == server.port, connections, 200 if bob.events('call', state='established') else status, alice.process.err()

    def test_a_request_comes_back_over_the_connection_that_was_offered(self):
        same, connections, status, log = self.called()
        self.assertTrue(same)
        self.assertEqual(connections, 0, 'a second connection was made')
        self.assertEqual(status, 200, log)

    def test_who_takes_no_alias_makes_a_second_connection(self):
        """What the test above would see without the alias; and as nobody proved a name over that connection, no key is sent."""
        same, connections, status, log = self.called(['WITH_NO_ALIASES'])
        self.assertFalse(same)
        self.assertEqual(connections, 1)
        self.assertEqual(status, 488, log)
        self.assertIn('TLS whose peer is not verified', log)


class KeepAlive(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        cls.steady, cls.stopped = (kamailio.Kamailio(cls.lab, cls.certs, define=['WITH_FLOW_TIMER']) for _ in range(2))
        cls.relay = Relay(cls.lab, cls.steady.port)
        cls.addClassCleanup(cls.relay.close)
        cls.alice = Phone(cls.lab, 'alice', cls.relay.proxy, cls.certs / 'ca.crt', '--register')
        cls.bob = Phone(cls.lab, 'bob', cls.stopped.proxy, cls.certs / 'ca.crt', '--register')
        for phone in (cls.alice, cls.bob):
            phone.wait_event('registered')
        cls.before = len(cls.relay.seen)
        # Both at once, so that their waits overlap.
        cls.stopped.pause()
        cls.addClassCleanup(cls.stopped.resume)
        cls.paused = time.monotonic()

    def test_a_ping_is_answered_by_a_pong(self):
        lab.wait_until(lambda: len(self.relay.seen) >= self.before + 4, 2 * FLOW_TIMER + SLACK, lambda: 'two pings and pongs')
        seen = self.relay.seen[self.before:self.before + 4]
        self.assertEqual([to_server for _, to_server, _ in seen], [True, False, True, False], seen)
        (first, _, ping), (_, _, pong), (second, _, again), (_, _, and_again) = seen
        # CRLF CRLF and CRLF, and the same for the TLS record around each.
        self.assertEqual([ping - pong, again - and_again], [2, 2], seen)
        self.assertLess(ping, 64)
        # RFC 5626 4.4: between 80 and 100 % of Flow-Timer.
        self.assertGreater(second - first, FLOW_TIMER * 0.8 - 0.1)
        self.assertLess(second - first, FLOW_TIMER + SLACK)
        self.assertEqual(len(self.alice.events('registered')), 1)
        self.assertFalse(self.alice.events('register-failed'))

    def test_who_answers_no_ping_is_given_up_and_found_again(self):
        failed = self.bob.wait_event('register-failed', FLOW_TIMER + PONG_WITHIN + SLACK)
        self.assertGreater(time.monotonic() - self.paused, PONG_WITHIN)
        self.assertEqual(failed['error']['name'], 'SECSIP_E_TIMEOUT', failed)
        self.assertIn('keep-alive', str(failed['error']), failed)
        self.stopped.resume()
        lab.wait_until(lambda: len(self.bob.events('registered')) > 1, HEALS, lambda: 'registered again\n' + self.bob.tail())
        self.assertEqual(len(self.bob.events('register-failed')), 1, self.bob.tail())


if __name__ == '__main__':
    unittest.main(verbosity=2)
