#!/usr/bin/env python3
"""Our TLS server seen from outside, by the command-line clients of OpenSSL and GnuTLS: versions, ciphers, the certificate,
resumption, and what is refused."""
import subprocess
import unittest

from peers import certs, lab
from peers.ours import Registrar

lab.require('certtool', 'openssl', 'gnutls-cli')


class FromOutside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        cls.server = Registrar(cls.lab, cls.certs)

    def run_tool(self, *argv):
        done = subprocess.run([str(a) for a in argv], input=b'', stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30,
                              check=False)
        return done.returncode, done.stdout.decode(errors='replace')

    def openssl(self, *options):
        return self.run_tool('openssl', 's_client', '-connect', '%s:%d' % (lab.HOST, self.server.port), '-CAfile',
                             self.certs / 'ca.crt', '-verify_return_error', '-servername', 'example.test', '-alpn', 'sip/2',
                             *options)

    def gnutls(self, *options):
        return self.run_tool('gnutls-cli', '--port', self.server.port, '--x509cafile', self.certs / 'ca.crt',
                             '--verify-hostname', 'example.test', '--sni-hostname', 'example.test', *options, lab.HOST)

    def test_both_versions_are_spoken_with_authenticated_ciphers(self):
        for option, version in (('-tls1_3', 'TLSv1.3'), ('-tls1_2', 'TLSv1.2')):
            code, text = self.openssl('-verify_hostname', 'example.test', option)
            self.assertEqual(code, 0, text)
            self.assertIn('Verify return code: 0 (ok)', text)
            self.assertIn(version, text)
            self.assertIn('AES_256_GCM' if option == '-tls1_3' else 'AES256-GCM', text)
            self.assertIn('ALPN protocol: sip/2', text)
        for version in ('TLS1.3', 'TLS1.2'):
            code, text = self.gnutls('--priority', 'NORMAL:-VERS-ALL:+VERS-' + version)
            self.assertEqual(code, 0, text)
            self.assertIn(version, text)

    def test_old_versions_and_ciphers_are_refused(self):
        for options in (('-tls1_1', '-cipher', 'ALL@SECLEVEL=0'), ('-tls1', '-cipher', 'ALL@SECLEVEL=0'),
                        ('-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-SHA384'), ('-tls1_2', '-cipher', 'AES256-GCM-SHA384')):
            code, text = self.openssl(*options)
            self.assertNotEqual(code, 0, text)
        code, text = self.gnutls('--priority', 'NORMAL:-VERS-ALL:+VERS-TLS1.1')
        self.assertNotEqual(code, 0, text)

    def session_file(self, option):
        """What s_client keeps of a session; None when it was given nothing to keep."""
        session = self.lab.dir / ('session' + option)
        with subprocess.Popen(['openssl', 's_client', '-connect', '%s:%d' % (lab.HOST, self.server.port), option, '-sess_out',
                               str(session), '-servername', 'example.test'], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
            try:
                lab.wait_until(lambda: session.exists() and session.stat().st_size, 5 if option == '-tls1_3' else 1,
                               'a session is kept')
            except TimeoutError:
                session = None
            client.kill()
        return session

    def test_tls13_is_resumed_and_tls12_is_not(self):
        session = self.session_file('-tls1_3')
        self.assertIsNotNone(session)
        code, text = self.openssl('-tls1_3', '-sess_in', session)
        self.assertIn('Reused, TLSv1.3', text)
        session = self.session_file('-tls1_2')
        if session:
            code, text = self.openssl('-tls1_2', '-sess_in', session)
            self.assertEqual(code, 0, text)
            self.assertNotIn('Reused, ', text)


if __name__ == '__main__':
    unittest.main(verbosity=2)
