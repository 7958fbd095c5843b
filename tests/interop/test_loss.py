#!/usr/bin/env python3
"""One packet in ten is lost, each way, between a phone and everybody else: it registers, calls, is heard, and takes its leave.
The loss is in a namespace of its own (peers/link.py)."""
import unittest

from peers import certs, lab, link, tones
from peers.ours import Phone, Registrar

lab.require('certtool', 'ip', 'unshare', 'nsenter')
LOSS = 10


class Loss(unittest.TestCase):
    def test_a_call_over_a_line_that_loses_packets(self):
        room = lab.Lab()
        self.addCleanup(room.close)
        wire = link.make(room, LOSS)
        self.addCleanup(wire.close)
        folder = certs.make(room.dir / 'certs')
        certs.issue(folder, 'far', 'cn = "example.test"\nip_address = "%s"\nuri = "sip:example.test"\n' % wire.far.address
                    + certs.SERVER + certs.NOW, 'ca')
        server = Registrar(room, folder, 'far', host=wire.far.address, inside=wire.far.inside)
        tone, heard = tones.write(room.dir / '440.wav', 440), room.dir / 'heard.wav'
        bob = Phone(room, 'bob', server.proxy, folder / 'ca.crt', '--register', '--answer', inside=wire.far.inside, record=heard)
        bob.wait_event('registered')
        alice = Phone(room, 'alice', server.proxy, folder / 'ca.crt', '--register', '--call', 'sip:bob@example.test', '--loop',
                      duration=4, inside=wire.near.inside, play=tone)
        alice.wait_event('registered', seconds=30)
        alice.wait_event('call', seconds=30, state='established')
        for phone in (alice, bob):
            self.assertEqual(phone.finish(30), 0, phone.tail())
            self.assertEqual(phone.events('security')[-1]['level'], 'srtp-hop')
        sent, got = alice.events('stats')[-1], bob.events('stats')[-1]
        self.assertGreater(sent['tx'], 180, sent)
        # Of 200 packets about 20 are lost; that fewer than 150 arrive has a chance of one in 10^10.
        self.assertGreater(got['rx'], sent['tx'] * 0.75, (sent, got))
        self.assertGreater(wire.lost, 10)
        for count in ('auth_failed', 'replayed', 'clear_dropped', 'malformed'):
            self.assertEqual((sent[count], got[count]), (0, 0), (sent, got))
        self.assertGreaterEqual(tones.seconds_of(heard, 440), 2.0)


if __name__ == '__main__':
    unittest.main(verbosity=2)
