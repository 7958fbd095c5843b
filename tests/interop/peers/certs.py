"""The lab's certificates, made with certtool: one CA, a somebody else's CA, a good server and bad ones, four clients."""
import pathlib
import subprocess

CA = 'ca\ncert_signing_key\ncrl_signing_key\nexpiration_days = 30\n'
# RFC 5922 7.1: the SIP domain is the SAN URI; the rest serves clients that go by host name or address.
NAMES = 'dns_name = "example.test"\ndns_name = "localhost"\nip_address = "127.0.0.1"\nuri = "sip:example.test"\n'
SERVER = 'tls_www_server\ntls_www_client\nsigning_key\n'
NOW = 'expiration_days = 30\n'
PAST = 'activation_date = "2020-01-01 00:00:00 UTC"\nexpiration_date = "2021-01-01 00:00:00 UTC"\n'


def certtool(folder, *arguments):
    done = subprocess.run(['certtool', *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30, check=False)
    if done.returncode:
        raise RuntimeError('certtool %s:\n%s' % (' '.join(arguments), done.stdout.decode(errors='replace')))


def issue(folder, name, template, by=None, key=('--key-type=ecdsa', '--curve=secp256r1')):
    """NAME.key, NAME.crt, and NAME.pem with both; signed by the CA `by`, or by itself."""
    certtool(folder, '--generate-privkey', *key, '--outfile', name + '.key')
    (folder / (name + '.tmpl')).write_text(template)
    sign = ['--generate-certificate', '--load-ca-certificate', by + '.crt', '--load-ca-privkey', by + '.key'] \
        if by else ['--generate-self-signed']
    certtool(folder, *sign, '--load-privkey', name + '.key', '--template', name + '.tmpl', '--outfile', name + '.crt')
    both = (folder / (name + '.crt')).read_text() + (folder / (name + '.key')).read_text()
    (folder / (name + '.pem')).write_text(both)


def make(folder):
    """Makes them all in `folder`. Servers: good, expired, wrongname, otherca, selfsigned. Clients: alice to dave, otherca-alice,
    expired-alice."""
    folder = pathlib.Path(folder)
    folder.mkdir()
    name = 'cn = "example.test"\n'
    issue(folder, 'ca', 'cn = "libsecsip lab CA"\n' + CA)
    issue(folder, 'otherca', 'cn = "another CA"\n' + CA)
    issue(folder, 'good', name + NAMES + SERVER + NOW, 'ca')
    issue(folder, 'expired', name + NAMES + SERVER + PAST, 'ca')
    issue(folder, 'wrongname', 'cn = "wrong.test"\ndns_name = "wrong.test"\nuri = "sip:wrong.test"\n' + SERVER + NOW, 'ca')
    issue(folder, 'otherca-server', name + NAMES + SERVER + NOW, 'otherca')
    issue(folder, 'selfsigned', name + NAMES + SERVER + NOW)
    for user in ('alice', 'bob', 'carol', 'dave'):
        issue(folder, user, 'cn = "%s"\nuri = "sip:%s@example.test"\ntls_www_client\nsigning_key\n' % (user, user) + NOW, 'ca')
    # Clients that mutual TLS must not let in.
    alice = 'cn = "alice"\nuri = "sip:alice@example.test"\ntls_www_client\nsigning_key\n'
    issue(folder, 'otherca-alice', alice + NOW, 'otherca')
    issue(folder, 'expired-alice', alice + PAST, 'ca')
    return folder


def make_matrix(folder):
    """Besides those of make(): every other kind of certificate that a verifier has to tell apart, and ca.crl."""
    later = 'activation_date = "2090-01-01 00:00:00 UTC"\nexpiration_date = "2091-01-01 00:00:00 UTC"\n'
    name, wrong = 'cn = "example.test"\n', 'dns_name = "wrong.test"\nuri = "sip:wrong.test"\n'
    client = 'cn = "mallory"\nuri = "sip:alice@example.test"\ntls_www_client\nsigning_key\n'
    issue(folder, 'urionly', 'cn = "host7.provider.test"\nuri = "sip:example.test"\n' + SERVER + NOW, 'ca')
    issue(folder, 'cntrap', name + wrong + SERVER + NOW, 'ca')
    issue(folder, 'wildcard', 'cn = "*.test"\ndns_name = "*.test"\n' + SERVER + NOW, 'ca')
    issue(folder, 'notyet', name + NAMES + SERVER + later, 'ca')
    issue(folder, 'sipdomain', name + NAMES + 'key_purpose_oid = 1.3.6.1.5.5.7.3.20\nsigning_key\n' + NOW, 'ca')
    issue(folder, 'serveronly', name + NAMES + 'tls_www_server\nsigning_key\n' + NOW, 'ca')
    issue(folder, 'clientonly', name + NAMES + 'tls_www_client\nsigning_key\n' + NOW, 'ca')
    issue(folder, 'revoked', name + NAMES + SERVER + NOW, 'ca')
    issue(folder, 'rsa', name + NAMES + SERVER + 'encryption_key\n' + NOW, 'ca', key=('--key-type=rsa', '--bits=2048'))
    issue(folder, 'client-otherca', client + NOW, 'otherca')
    issue(folder, 'client-expired', client + PAST, 'ca')
    (folder / 'crl.tmpl').write_text('crl_next_update = 30\ncrl_number = 1\n')
    certtool(folder, '--generate-crl', '--load-ca-privkey', 'ca.key', '--load-ca-certificate', 'ca.crt',
             '--load-certificate', 'revoked.crt', '--template', 'crl.tmpl', '--outfile', 'ca.crl')
