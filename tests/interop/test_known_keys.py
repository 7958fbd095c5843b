#!/usr/bin/env python3
"""Trust on first use from end to end: a phone remembers its registrar's key in a file, and refuses another one."""
import unittest

from peers import certs, lab
from peers.ours import Phone, Registrar

lab.require('certtool')


class KnownKeys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')

    def visit(self, registrar, keys, *options):
        """One registration: its TLS, or its error."""
        phone = Phone(self.lab, 'alice', registrar.proxy, self.certs / 'ca.crt', '--register', '--known-keys', keys, *options,
                      duration=0.2)
        code = phone.finish()
        events = phone.events('registered')
        if events:
            self.assertEqual(code, 0, phone.tail())
            return events[0]['tls'], None
        return None, phone.events('failed')[0]['error'] if phone.events('failed') else phone.tail()

    def test_a_key_is_remembered_instead_of_a_chain(self):
        keys = self.lab.dir / 'first-use'
        first, other = (Registrar(self.lab, self.certs, name) for name in ('selfsigned', 'otherca-server'))
        options = ('--tls-option', 'insecure-first-use')
        tls, error = self.visit(first, keys, *options)
        self.assertIsNone(error)
        self.assertEqual((tls['relaxed'], tls['verified']), (['insecure-first-use'], False))
        self.assertEqual(keys.stat().st_mode & 0o777, 0o600)
        name, pin = keys.read_text().split()
        self.assertEqual(name, lab.HOST)
        tls, error = self.visit(first, keys, *options)
        self.assertEqual(tls['relaxed'], ['allow-known-key'], error)
        # Somebody else stands there.
        tls, error = self.visit(other, keys, *options)
        self.assertIsNone(tls)
        self.assertIn('SECSIP_E_TLS_CERT_KEY', str(error))
        self.assertIn(pin, str(error))
        self.assertEqual(str(error).count('known is sha256//') > 0, True)
        self.assertEqual(keys.read_text().split(), [name, pin])

    def test_beside_a_chain_it_only_tightens(self):
        keys = self.lab.dir / 'beside'
        good, stranger = (Registrar(self.lab, self.certs, name) for name in ('good', 'otherca-server'))
        tls, error = self.visit(stranger, keys)
        self.assertIn('SECSIP_E_TLS_CERT_UNTRUSTED', str(error))
        self.assertFalse(keys.exists())
        tls, error = self.visit(good, keys)
        self.assertEqual((tls['relaxed'], tls['verified']), ([], True), error)
        self.assertEqual(len(keys.read_text().splitlines()), 1)
        keys.write_text('%s sha256//%s=\n' % (lab.HOST, 'A' * 43))
        tls, error = self.visit(good, keys)
        self.assertIn('SECSIP_E_TLS_CERT_KEY', str(error))


if __name__ == '__main__':
    unittest.main(verbosity=2)
