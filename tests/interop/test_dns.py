#!/usr/bin/env python3
"""Our phone finds Kamailio through a name server (RFC 3263), over a dead target, and believes the certificate and not the
DNS: FIELD pjproject#4477 and pjproject_docs#64."""
import socket
import unittest

from peers import certs, dns, kamailio, lab
from peers.ours import Phone

lab.require('certtool', kamailio.PROGRAM, dns.PROGRAM)


class WithDns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        cls.server = kamailio.Kamailio(cls.lab, cls.certs)
        cls.dead = cls.lab.ports(1)
        cls.dns = dns.Dns(
            cls.lab,
            'host-record=sip.provider.test,127.0.0.1', 'host-record=dead.provider.test,127.0.0.1',
            'naptr-record=example.test,10,50,s,SIPS+D2T,,_sips._tcp.example.test',
            'naptr-record=example.test,5,50,s,SIP+D2T,,_sip._tcp.example.test',
            'srv-host=_sips._tcp.example.test,dead.provider.test,%d,5,10' % cls.dead,
            'srv-host=_sips._tcp.example.test,sip.provider.test,%d,10,10' % cls.server.port,
            'srv-host=_sip._tcp.example.test,sip.provider.test,%d,1,1' % cls.dead,
            'srv-host=_sips._tcp.victim.test,sip.provider.test,%d,1,1' % cls.server.port,
            'srv-host=_sips._tcp.nosip.test',
            'host-record=nosip.test,127.0.0.1')

    def phone(self, proxy, servers=None):
        phone = Phone(self.lab, 'alice', proxy, self.certs / 'ca.crt', '--register', '--dns-servers', servers or self.dns.servers)
        self.addCleanup(phone.stop, 1.0)
        return phone

    def test_registers_over_the_second_target_when_the_first_is_dead(self):
        for proxy in ('sips:example.test', 'sip:example.test;transport=tls'):
            phone = self.phone(proxy)
            event = phone.wait_event('registered', seconds=20)
            self.assertIs(event['tls']['verified'], True)
            phone.stop()
        # The service in clear stands first in the NAPTR records, and is not even asked for.
        self.assertNotIn('_sip._tcp.example.test from', self.dns.log())
        self.assertIn('_sips._tcp.example.test from', self.dns.log())

    def test_a_server_that_dns_leads_to_must_still_prove_the_domain(self):
        phone = self.phone('sips:victim.test')
        event = phone.wait_event('register-failed', seconds=20)
        self.assertEqual(event['error']['name'], 'SECSIP_E_TLS_CERT_NAME', event)
        self.assertIn('victim.test', event['error']['text'])

    def test_a_domain_without_the_service_is_not_called_at_its_address(self):
        event = self.phone('sips:nosip.test').wait_event('register-failed', seconds=20)
        self.assertEqual(event['error']['name'], 'SECSIP_E_NET_RESOLVE', event)

    def test_a_name_that_is_not_there_and_a_silent_server_are_told_apart(self):
        event = self.phone('sips:missing.test').wait_event('register-failed', seconds=20)
        self.assertEqual(event['error']['name'], 'SECSIP_E_NET_RESOLVE', event)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind((lab.HOST, 0))
            event = self.phone('sips:example.test', '%s:%d' % silent.getsockname()).wait_event('register-failed', seconds=30)
        self.assertEqual(event['error']['name'], 'SECSIP_E_NET_DNS', event)


if __name__ == '__main__':
    unittest.main(verbosity=2)
