#!/usr/bin/env python3
"""What must not work, does not, and says why: servers that cannot prove who they are, a server that goes away, and a peer
that answers a secure call with a key nobody offered and speech in clear."""
import re
import time
import unittest

from peers import baresip, certs, kamailio, lab, tones
from peers.ours import Phone

lab.require('certtool', kamailio.PROGRAM, baresip.PROGRAM)


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        cls.tone = tones.write(cls.lab.dir / '440.wav', 440)

    def server(self, certificate='good'):
        server = kamailio.Kamailio(self.lab, self.certs, certificate)
        self.addCleanup(server.stop)
        return server

    def phone(self, server, *options, **more):
        phone = Phone(self.lab, 'alice', server.proxy, self.certs / 'ca.crt', *options, **more)
        self.addCleanup(phone.stop, 1.0)
        return phone

    def refused(self, certificate, check, expected=None, found=None):
        """No registration with a server of this certificate: the event and the exit code say so, and nothing was sent."""
        server = self.server(certificate)
        phone = self.phone(server, '--register')
        event = phone.wait_event('register-failed')
        self.assertEqual(phone.finish(10), 1, phone.tail())
        error = event['error']
        self.assertTrue(error['name'].startswith('SECSIP_E_TLS'), event)
        self.assertIn(error['check'], check, event)
        for key, pattern in (('expected', expected), ('found', found)):
            self.assertTrue(error[key], event)
            if pattern:
                self.assertRegex(error[key], pattern, event)
        self.assertFalse(phone.events('registered'))
        self.assertNotIn('REQ REGISTER', server.log())
        # One line for the person at the terminal names it too.
        self.assertTrue(phone.process.err().strip(), 'nothing on stderr')

    def test_a_server_of_another_authority_is_refused(self):
        self.refused('otherca-server', {'trust'})

    def test_an_expired_server_is_refused(self):
        self.refused('expired', {'expiry'}, found='2021')

    def test_a_server_of_another_name_is_refused(self):
        self.refused('wrongname', {'name'}, expected=r'example\.test|127\.0\.0\.1', found=r'wrong\.test')

    def test_a_self_signed_server_is_refused(self):
        self.refused('selfsigned', {'self-signed', 'trust'})

    def test_a_server_that_goes_away_is_tried_again_later_and_without_haste(self):
        server = self.server()
        phone = self.phone(server, '--register')
        phone.wait_event('registered')
        server.stop()
        event = phone.wait_event('register-failed', seconds=20)
        self.assertGreater(event['retry_ms'], 1000, event)
        self.assertTrue(event['error']['text'], event)
        used, events = lab.cpu_seconds(phone.process.process.pid), len(phone.events())
        time.sleep(3)  # what is shown is that nothing happens in it
        self.assertTrue(phone.process.alive(), phone.tail())
        self.assertLess(lab.cpu_seconds(phone.process.process.pid) - used, 0.2)
        self.assertLessEqual(len(phone.events()) - events, 1, phone.tail())

    def test_no_server_at_all_is_said(self):
        port = self.lab.ports(1)

        class Nobody:
            proxy = 'sip:%s:%d;transport=tls' % (lab.HOST, port)
        phone = self.phone(Nobody, '--call', 'sip:bob@example.test')
        ended = phone.wait_event('call', state='ended', seconds=20)
        self.assertTrue(ended['reason'], ended)
        self.assertEqual(phone.finish(10), 1, phone.tail())

    def test_a_key_nobody_offered_ends_the_call_before_a_packet_leaves(self):
        """baresip has no 192-bit suites; with srtp-mand it answers such an offer with a line of its own, and sends speech
        in clear. The call must end with ACK and BYE, and nothing of ours may be on the wire."""
        server = self.server()
        bob = baresip.Baresip(self.lab, self.certs, 'bob', server.proxy, self.tone)
        self.addCleanup(bob.stop)
        capture = lab.Capture(range(bob.rtp, bob.rtp + 10))
        self.addCleanup(capture.stop)
        phone = self.phone(server, '--register', '--suites', 'AES_192_CM_HMAC_SHA1_80', '--call', 'sip:bob@example.test',
                           duration=3, play=self.tone)
        ended = phone.wait_event('call', state='ended', seconds=15)
        self.assertTrue(ended['reason'], ended)
        self.assertIn('error', ended)
        self.assertRegex(ended['error']['name'], r'^SECSIP_E_(SDES|UA|SDP)', ended)
        self.assertEqual(phone.finish(10), 1, phone.tail())
        self.assertFalse(phone.events('media'), phone.tail())
        bob.wait_closed()
        log = bob.log()
        self.assertRegex(log, r'(?m)^ACK sip:')
        self.assertRegex(log, r'(?m)^BYE sip:')
        self.assertLess(re.search(r'(?m)^ACK sip:', log).start(), re.search(r'(?m)^BYE sip:', log).start())
        for stats in phone.events('stats'):
            self.assertEqual(stats['tx'], 0, stats)
        to_bob = [p for p in capture.stop() if p[1] in capture.ports]
        self.assertEqual(to_bob, [], '%d packets left' % len(to_bob))


if __name__ == '__main__':
    unittest.main(verbosity=2)
