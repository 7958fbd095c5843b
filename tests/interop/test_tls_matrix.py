#!/usr/bin/env python3
"""Every kind of certificate against every relaxation, both roles, TLS 1.2 and 1.3, with the command-line servers and clients of
OpenSSL and GnuTLS at the other end. The expected verdicts are the two tables; nothing here is ours but the probe."""
import collections
import os
import subprocess
import sys
import unittest

from peers import certs, lab

if os.geteuid() != 0:
    print('SKIPPED: a network namespace needs root', flush=True)
    sys.exit(77)
lab.require('certtool', 'openssl', 'gnutls-cli', 'gnutls-serv', 'unshare', 'nsenter', 'ip')

PROBE = lab.BUILD / 'tests/tls_probe'
# The bits of secsip_tls_profile_set_options().
RELAXATIONS = {'none': 0, 'wildcard': 1, 'cn': 2, 'expired': 4, 'self-signed': 8, 'any': 16}
VERSIONS = {'12': ('TLS1.2', '-tls1_2', 'NORMAL:-VERS-ALL:+VERS-TLS1.2'), '13': ('TLS1.3', '-tls1_3', 'NORMAL:-VERS-ALL:+VERS-TLS1.3')}

# What a client says of a server: (check, result), and the relaxations that forgive it. None: good without any.
SERVERS = {
    'good': None,
    'urionly': None,
    'sipdomain': None,
    'serveronly': None,
    'rsa': None,
    'wrongname': ('name', 'TLS_CERT_NAME', {'any'}),
    'cntrap': ('name', 'TLS_CERT_NAME', {'cn', 'any'}),
    'wildcard': ('name', 'TLS_CERT_NAME', {'wildcard', 'any'}),
    'otherca-server': ('trust', 'TLS_CERT_UNTRUSTED', {'any'}),
    'selfsigned': ('self-signed', 'TLS_CERT_SELF_SIGNED', {'self-signed', 'any'}),
    'expired': ('expiry', 'TLS_CERT_EXPIRED', {'expired', 'any'}),
    'notyet': ('activation', 'TLS_CERT_NOT_YET_VALID', {'any'}),
    'clientonly': ('purpose', 'TLS_CERT_PURPOSE', {'any'}),
    'revoked': ('revocation', 'TLS_CERT_REVOKED', {'any'}),
}
# What a server says of a client.
CLIENTS = {
    'alice': None,
    'good': None,
    'sipdomain': None,
    'clientonly': None,
    'rsa': None,
    'client-otherca': ('trust', 'TLS_CERT_UNTRUSTED', {'any'}),
    'client-expired': ('expiry', 'TLS_CERT_EXPIRED', {'expired', 'any'}),
    'selfsigned': ('self-signed', 'TLS_CERT_SELF_SIGNED', {'self-signed', 'any'}),
    'notyet': ('activation', 'TLS_CERT_NOT_YET_VALID', {'any'}),
    'serveronly': ('purpose', 'TLS_CERT_PURPOSE', {'any'}),
    'revoked': ('revocation', 'TLS_CERT_REVOKED', {'any'}),
    None: ('certificate', 'TLS_CERT_MISSING', set()),
}


def expected(verdict, relaxation, version):
    if verdict is None:
        return 'accepted %s relaxed=0 ' % VERSIONS[version][0]
    check, result, forgiving = verdict
    if relaxation in forgiving:
        return 'accepted %s relaxed=%d ' % (VERSIONS[version][0], RELAXATIONS[relaxation])
    return 'refused SECSIP_E_%s %s' % (result, check)


class Matrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        certs.make_matrix(cls.certs)
        # gnutls-serv listens on every address there is: here there is only loopback.
        holder = cls.lab.start('namespace', ['unshare', '--net', 'sleep', '600'])
        ours = os.readlink('/proc/self/ns/net')
        path = '/proc/%d/ns/net' % holder.process.pid
        lab.wait_until(lambda: os.readlink(path) != ours, 5, 'a namespace')
        cls.inside = ['nsenter', '--net=' + path]
        subprocess.run([*cls.inside, 'ip', 'link', 'set', 'lo', 'up'], check=True)

    def run_inside(self, *argv, limit=20):
        done = subprocess.run([*self.inside, *map(str, argv)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=limit, check=False)
        return done.stdout.decode(errors='replace')

    def start_inside(self, name, *argv):
        return self.lab.start(name, [*self.inside, *argv])

    def wait_for_port(self, port, process):
        def listens():
            if not process.alive():
                raise RuntimeError(process.tail())
            state = self.run_inside('cat', '/proc/net/tcp', '/proc/net/tcp6')
            return any(':%04X ' % port in line.split(' 0', 1)[-1][:60] and ' 0A ' in line for line in state.splitlines())
        lab.wait_until(listens, 10, lambda: 'a server\n' + process.tail())

    def file(self, name, kind='crt'):
        return str(self.certs / ('%s.%s' % (name, kind)))

    def probe_server(self, port, name, relaxation, version):
        out = self.run_inside(PROBE, 'connect', port, 'example.test', 'ca=' + self.file('ca'), 'crl=' + self.file('ca', 'crl'),
                              'relax=%d' % RELAXATIONS[relaxation], 'versions=' + version)
        wanted = expected(SERVERS[name], relaxation, version)
        self.assertTrue(out.startswith(wanted), '%s, %s, TLS %s: %s instead of %s' % (name, relaxation, version, out, wanted))
        return out

    def judge_servers(self, tool, start):
        judged = collections.Counter()
        for n, name in enumerate(SERVERS):
            port = 20000 + n
            server = self.start_inside('%s-%s' % (tool, name), *start(port, name))
            self.wait_for_port(port, server)
            for relaxation in RELAXATIONS:
                for version in VERSIONS:
                    judged[self.probe_server(port, name, relaxation, version).split()[0]] += 1
            server.stop()
        self.assertEqual(sum(judged.values()), len(SERVERS) * len(RELAXATIONS) * len(VERSIONS))
        print('%s: %s' % (tool, dict(judged)))

    def test_our_client_judges_the_servers_of_openssl(self):
        self.judge_servers('s_server', lambda port, name: [
            'openssl', 's_server', '-accept', '127.0.0.1:%d' % port, '-cert', self.file(name), '-key', self.file(name, 'key'), '-www'])

    def test_our_client_judges_the_servers_of_gnutls(self):
        self.judge_servers('gnutls-serv', lambda port, name: [
            'gnutls-serv', '--port', str(port), '--x509certfile', self.file(name), '--x509keyfile', self.file(name, 'key'),
            '--disable-client-cert', '--http'])

    def judge_clients(self, tool, visit):
        judged = 0
        for n, relaxation in enumerate(RELAXATIONS):
            port = 21000 + n
            server = self.start_inside('%s-%s' % (tool, relaxation), PROBE, 'serve', str(port), 'ca=' + self.file('ca'),
                                       'crl=' + self.file('ca', 'crl'), 'cert=' + self.file('good'), 'key=' + self.file('good', 'key'),
                                       'relax=%d' % RELAXATIONS[relaxation])
            lab.wait_until(lambda: 'ready' in server.out(), 10, server.tail)
            for name, verdict in CLIENTS.items():
                for version in VERSIONS:
                    seen = len(server.out())
                    text = self.run_inside(*visit(port, name, version))
                    lab.wait_until(lambda: '\n' in server.out()[seen:], 10, lambda: server.tail() + text)
                    line = server.out()[seen:]
                    wanted = expected(verdict, relaxation, version)
                    self.assertTrue(line.startswith(wanted), '%s, %s, TLS %s: %s instead of %s\n%s' % (
                        name, relaxation, version, line, wanted, text))
                    judged += 1
            server.stop()
        self.assertEqual(judged, len(CLIENTS) * len(RELAXATIONS) * len(VERSIONS))

    def test_our_server_judges_the_clients_of_openssl(self):
        self.judge_clients('s_client', lambda port, name, version: [
            'openssl', 's_client', '-connect', '127.0.0.1:%d' % port, '-servername', 'example.test', VERSIONS[version][1],
            *(['-cert', self.file(name), '-key', self.file(name, 'key')] if name else [])])

    def test_our_server_judges_the_clients_of_gnutls(self):
        self.judge_clients('gnutls-cli', lambda port, name, version: [
            'gnutls-cli', '--insecure', '--port', str(port), '--priority', VERSIONS[version][2],
            *(['--x509certfile', self.file(name), '--x509keyfile', self.file(name, 'key')] if name else []), '127.0.0.1'])

    def test_sessions_of_other_servers_are_resumed(self):
        servers = {
            's_server': lambda port: ['openssl', 's_server', '-accept', '127.0.0.1:%d' % port, '-cert', self.file('good'), '-key',
                                      self.file('good', 'key'), '-www'],
            'gnutls-serv': lambda port: ['gnutls-serv', '--port', str(port), '--x509certfile', self.file('good'), '--x509keyfile',
                                         self.file('good', 'key'), '--disable-client-cert', '--http']}
        for n, (tool, start) in enumerate(servers.items()):
            port = 22000 + n
            server = self.start_inside('resume-' + tool, *start(port))
            self.wait_for_port(port, server)
            for version, (name, _, _) in VERSIONS.items():
                out = self.run_inside(PROBE, 'connect', port, 'example.test', 'ca=' + self.file('ca'), 'versions=' + version, 'resume=1')
                self.assertEqual(out, ''.join('accepted %s relaxed=0 resumed=%d peer=example.test\n' % (name, i) for i in (0, 1)), tool)
            server.stop()


if __name__ == '__main__':
    unittest.main(verbosity=2)
