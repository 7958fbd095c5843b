#!/usr/bin/env python3
"""SIP over UDP in clear on real sockets: sipp calls our phone and is called by it, also when it loses packets; it asks
our registrar; our phone registers with Kamailio; two of ours call each other through our registrar. No key is ever
sent, and nothing happens without the word insecure."""
import secrets
import socket
import unittest

from peers import certs, kamailio, lab
from peers.ours import DOMAIN, Phone
from peers.rawsip import Message, Peer

lab.require('certtool', 'sipp', kamailio.PROGRAM)

OPTIONS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<scenario name="options">
  <send retrans="500"><![CDATA[

    OPTIONS sip:example.test SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    Max-Forwards: 70
    From: <sip:sipp@example.com>;tag=[call_number]
    To: <sip:example.test>
    Call-ID: [call_id]
    CSeq: 1 OPTIONS
    Content-Length: 0

  ]]></send>
  <recv response="200"/>
</scenario>
"""


class UdpPeer(Peer):
    """The scripted endpoint with datagrams."""

    def __init__(self, port, user):
        self.user, self.domain, self.transport = user, DOMAIN, 'UDP'
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((lab.HOST, port))
        self.cseq, self.tag = 0, secrets.token_hex(4)
        self.contact = 'sip:%s@192.0.2.9:%d;transport=udp' % (user, 40000 + secrets.randbelow(20000))

    def receive(self, timeout=None):
        self.socket.settimeout(timeout or 5)
        try:
            return Message(self.socket.recv(65536).decode())
        except TimeoutError:
            return None


class OverUdp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')

    def phone(self, user, proxy, *options, **more):
        phone = Phone(self.lab, user, proxy, self.certs / 'ca.crt', '--insecure-transport', *options, **more)
        self.addCleanup(phone.stop, 1.0)
        return phone

    def sipp(self, name, *argv):
        """sipp over one UDP socket, for at most 30 s; what it said is in its files."""
        own = self.lab.ports(1)
        process = self.lab.start('sipp-%s-%d' % (name, own), [
            'sipp', '-i', lab.HOST, '-p', str(own), '-mp', str(self.lab.ports(2)), '-nostdin', '-timeout', '30s',
            '-timeout_error', '-trace_err', '-error_file', self.lab.dir / ('sipp-%s.err' % name), *argv], cwd=self.lab.dir)
        self.addCleanup(process.stop, 0.5)
        return process, own

    def registrar(self, host=lab.HOST):
        port = self.lab.ports(1)
        users = self.lab.dir / ('users-%d' % port)
        users.write_text(''.join('%s:%spw\n' % (u, u) for u in ('alice', 'bob')))
        users.chmod(0o600)
        process = self.lab.start('registrar-%d' % port, [
            lab.ours('secsip-registrar'), '--listen', 'insecure-udp:%s:%d' % (host, port), '--domain', DOMAIN,
            '--users', users])
        lab.wait_until(lambda: 'listening' in process.out(), 10, lambda: process.tail())
        return process, 'sip:%s:%d;transport=udp' % (host, port), port

    def called_by_sipp(self, *more):
        port = self.lab.ports(1)
        bob = self.phone('bob', 'sip:127.0.0.1:9;transport=udp', '--media-security', 'off', '--answer', '--listen',
                         'insecure-udp:%s:%d' % (lab.HOST, port), duration=20)
        lab.wait_until(lambda: not self.lab.is_free(port), 10, lambda: bob.tail())
        process, _ = self.sipp('uac', '-sn', 'uac', '-s', 'bob', '-m', '1', '-d', '500', *more, '%s:%d' % (lab.HOST, port))
        self.assertEqual(process.wait(40), 0, process.tail() + bob.tail())
        self.assertEqual(bob.finish(20), 0, bob.tail())
        security = bob.events('security')[0]
        self.assertEqual((security['level'], security['transport']), ('clear', 'UDP'), security)

    def test_sipp_calls_our_phone(self):
        self.called_by_sipp()

    def test_sipp_calls_our_phone_and_loses_a_tenth_of_all_packets(self):
        self.called_by_sipp('-lost', '10')

    def test_our_phone_calls_sipp(self):
        process, port = self.sipp('uas', '-sn', 'uas', '-m', '1')
        lab.wait_until(lambda: not self.lab.is_free(port), 10, lambda: process.tail())
        alice = self.phone('alice', 'sip:%s:%d;transport=udp' % (lab.HOST, port), '--media-security', 'off', '--call',
                           'sip:service@%s:%d' % (lab.HOST, port), duration=0.5)
        self.assertEqual(alice.finish(20), 0, alice.tail())
        self.assertEqual(process.wait(40), 0, process.tail())

    def test_a_phone_that_must_have_srtp_does_not_call_over_udp(self):
        process, port = self.sipp('uas', '-sn', 'uas', '-m', '1')
        lab.wait_until(lambda: not self.lab.is_free(port), 10, lambda: process.tail())
        capture = lab.Capture([port])
        alice = self.phone('alice', 'sip:%s:%d;transport=udp' % (lab.HOST, port), '--call',
                           'sip:service@%s:%d' % (lab.HOST, port))
        self.assertEqual(alice.finish(20), 1, alice.tail())
        self.assertEqual(alice.events('call', state='ended')[0]['error']['name'], 'SECSIP_E_UA_INSECURE_FLOW')
        self.assertEqual(capture.stop(), [])

    def test_nobody_is_there(self):
        port = self.lab.ports(1)
        alice = self.phone('alice', 'sip:%s:%d;transport=udp' % (lab.HOST, port), '--register')
        event = alice.wait_event('register-failed', 5)  # ICMP says so: not after the 32 s of timer F
        self.assertEqual(event['error']['name'], 'SECSIP_E_NET_CONNECT')

    def test_sipp_asks_our_registrar_a_thousand_times(self):
        process, _, port = self.registrar()
        scenario = self.lab.dir / 'options.xml'
        scenario.write_text(OPTIONS)
        sipp, _ = self.sipp('options', '-sf', scenario, '-m', '1000', '-r', '500', '%s:%d' % (lab.HOST, port))
        self.assertEqual(sipp.wait(40), 0, sipp.tail() + process.tail())

    def test_a_phone_behind_a_nat_registers_and_is_reached(self):
        """Its Via and Contact name an address that it does not have: all goes to where its datagrams came from."""
        _, _, port = self.registrar()
        alice = UdpPeer(port, 'alice')
        self.addCleanup(alice.close)
        alice.socket.send(b'\r\n\r\n')  # a keep-alive is no request
        answer = alice.register('alicepw')
        self.assertEqual(answer.status, 200)
        own = alice.socket.getsockname()
        self.assertIn(';received=%s;rport=%d' % own, answer.get('Via'))
        bob = UdpPeer(port, 'bob')
        self.addCleanup(bob.close)
        bob.invite('sip:alice@' + DOMAIN, 'bobpw')
        invite = alice.wait('INVITE')
        self.assertEqual(invite.uri, alice.contact)
        again = alice.wait('INVITE')  # timer A, half a second later
        self.assertEqual(again.all('Via'), invite.all('Via'))
        alice.answer(invite, 486)
        bob.ack(bob.sent, bob.wait(486))
        alice.wait('ACK')

    def test_two_of_ours_through_our_registrar(self):
        self.two_of_ours(lab.HOST)

    def test_two_of_ours_over_ipv6(self):
        self.two_of_ours('[::1]')

    def two_of_ours(self, host):
        _, proxy, _ = self.registrar(host)
        bob = self.phone('bob', proxy, '--media-security', 'off', '--register', '--answer', duration=1)
        self.assertEqual(bob.wait_event('registered')['transport'], 'UDP')
        alice = self.phone('alice', proxy, '--media-security', 'off', '--register', '--call', 'sip:bob@' + DOMAIN, duration=1)
        for phone in (alice, bob):
            phone.wait_event('call', state='established')
            self.assertEqual(phone.wait_event('security')['level'], 'clear')
        for phone in (alice, bob):
            self.assertEqual(phone.finish(15), 0, phone.tail())
            self.assertGreater(phone.events('stats')[-1]['rx'], 30, phone.tail())

    def test_kamailio_over_udp(self):
        server = kamailio.Kamailio(self.lab, self.certs)
        alice = self.phone('alice', 'sip:%s:%d;transport=udp' % (lab.HOST, server.port), '--register')
        event = alice.wait_event('registered')
        self.assertEqual((event['transport'], event['tls']), ('UDP', None), event)
        alice.stop()
        server.stop()


if __name__ == '__main__':
    unittest.main(verbosity=2)
