#!/usr/bin/env python3
"""The peers by themselves: baresip calls baresip through Kamailio with srtp-mand. When this fails, the fixtures or the
packages are at fault, and not the library."""
import time
import unittest

from peers import baresip, certs, kamailio, lab, tones

lab.require('certtool', kamailio.PROGRAM, baresip.PROGRAM)


class Peers(unittest.TestCase):
    def test_tones_are_found_and_told_apart(self):
        with lab.Lab() as place:
            tone = tones.write(place.dir / 'a.wav', 440, 2)
            self.assertEqual(tones.seconds_of(tone, 440), 2.0)
            self.assertEqual(tones.seconds_of(tone, 880), 0.0)

    def test_baresip_calls_baresip_through_kamailio(self):
        with lab.Lab() as place:
            keys = certs.make(place.dir / 'certs')
            server = kamailio.Kamailio(place, keys)
            low, high = tones.write(place.dir / '440.wav', 440), tones.write(place.dir / '880.wav', 880)
            alice = baresip.Baresip(place, keys, 'alice', server.proxy, low)
            bob = baresip.Baresip(place, keys, 'bob', server.proxy, high)
            alice.dial('sip:bob@example.test')
            alice.wait_established()
            bob.wait_established()
            time.sleep(2.5)  # speech takes real time
            alice.hangup()
            alice.wait_closed()
            bob.wait_closed()
            for phone, hz in ((alice, 880), (bob, 440)):
                self.assertGreaterEqual(tones.seconds_of(phone.recording(), hz), 2.0, phone.log()[-2000:])


if __name__ == '__main__':
    unittest.main(verbosity=2)
