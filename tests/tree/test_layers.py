#!/usr/bin/env python3
"""A layer includes only what the table of doc/architecture.md lets it see; each third-party header stays in its folder."""
import re

import tree

# What the table calls them, and the headers that this means.
THIRD_PARTY = {
    'libosip2': r'osip2/|osipparser2/',
    'libsrtp2': r'srtp2/',
    'nettle': r'nettle/',
    'GnuTLS': r'gnutls/',
    'c-ares': r'ares',
    'sockets': r'sys/|linux/|arpa/|netinet/|net/|netdb\.h|poll\.h|unistd\.h|fcntl\.h|ifaddrs\.h|signal\.h|resolv\.h',
    'threads': r'pthread\.h|threads\.h',
    'vector instructions': r'emmintrin\.h',
}
# The exceptions that doc/architecture.md argues for.
EXCEPTIONS = {('lib/base/crypto.c', 'GnuTLS'), ('lib/base/aead.c', 'GnuTLS'),
              ('lib/base/digest.c', 'GnuTLS'), ('lib/base/digest.c', 'nettle'),
              ('lib/base/addr.c', 'sockets'), ('lib/srtp/engine.c', 'threads'),
              ('lib/sip/typed.c', 'threads'),
              ('lib/sip/bytes.h', 'vector instructions')}
# ISO C; time.h among them for types, while clocks belong to lib/net.
STANDARD = {'assert.h', 'errno.h', 'inttypes.h', 'limits.h', 'math.h', 'stdarg.h', 'stdalign.h', 'stdatomic.h',
            'stdbool.h', 'stddef.h', 'stdint.h', 'stdio.h', 'stdlib.h', 'stdnoreturn.h', 'string.h', 'time.h'}


def table():
    """{layer: what it may include}, {third party: layers that may include it}"""
    text = (tree.ROOT / 'doc/architecture.md').read_text()
    sees, homes = {}, {}
    for layer, about, targets in re.findall(r'^ {4}lib/(\w+)/ +(.*?) *-> *(.*)$', text, re.M):
        sees[layer] = set(targets.split()) if targets.split()[0] not in ('nothing', 'all') else targets.split()[0]
        only = re.search(r'only place with (.*)$', about)
        for party in re.split(r', *| and ', only.group(1)) if only else []:
            homes.setdefault(party, set()).add(layer)
    return sees, homes


def allowed(layer, sees):
    if sees[layer] == 'all':
        return set(sees)
    return {layer} | (set() if sees[layer] == 'nothing' else sees[layer])


def third_party_of(header):
    return next((party for party, pattern in THIRD_PARTY.items() if re.match(pattern, header)), None)


def main():
    report = tree.Report()
    sees, homes = table()
    report.check(len(sees) >= 10, 'doc/architecture.md: the table of layers is not there')
    for party in homes:
        report.check(party in THIRD_PARTY, 'doc/architecture.md: %s is not known to this test' % party)
    about = (tree.ROOT / 'doc/architecture.md').read_text()
    for file, party in EXCEPTIONS:
        report.check('`%s`' % file in about, 'doc/architecture.md does not argue for the exception of %s' % file)
    for layer in sees:
        targets = sees[layer] if isinstance(sees[layer], set) else set()
        report.check(targets <= set(sees), 'doc/architecture.md: lib/%s may include what is no layer' % layer)

    for path in tree.files('*.c', '*.h', under=['lib']):
        file = tree.name(path)
        layer = path.parent.name
        report.check(layer in sees and path.parents[1] == tree.ROOT / 'lib', '%s: in no layer of the table' % file)
        if layer not in sees:
            continue
        text = tree.without_comments(path.read_text(), strings=False)
        for quote, header in re.findall(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', text, re.M):
            where = '%s: includes %s' % (file, header)
            head = header.split('/')[0]
            if head == 'secsip':
                report.check((tree.ROOT / 'include' / header).exists(), where + ', which is not there')
            elif quote == '"':
                report.check('/' in header and head in allowed(layer, sees),
                             where + ', but lib/%s may include only: %s' % (layer, ' '.join(sorted(allowed(layer, sees)))))
            elif header not in STANDARD:
                party = third_party_of(header)
                good = party and (layer in homes.get(party, ()) or (file, party) in EXCEPTIONS or
                                  (party == 'sockets' and layer == 'api'))
                report.check(good, where + ', which belongs to %s' % (
                    ' '.join('lib/' + h for h in sorted(homes.get(party, ()))) or 'no layer'))
            else:
                report.check(True, '')

    for path in tree.files('*.h', under=['include']):
        for quote, header in re.findall(r'^#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', path.read_text(), re.M):
            good = quote == '<' and (header in ('stddef.h', 'stdint.h') or header.startswith('secsip/'))
            report.check(good, '%s: includes %s; public headers may include <stddef.h>, <stdint.h> and <secsip/...>'
                         % (tree.name(path), header))
    for path in tree.files('*.c', '*.h', under=['examples']):
        for header in re.findall(r'^#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', path.read_text(), re.M):
            inside = (tree.ROOT / 'lib' / header).exists()
            party = third_party_of(header)
            certificates = tree.name(path) == 'examples/secsip-demo/certs.c' and party == 'GnuTLS'
            report.check(not inside and (certificates or party not in ('libosip2', 'libsrtp2', 'GnuTLS', 'c-ares')),
                         '%s: includes %s; the programs use the public headers only' % (tree.name(path), header))
    report.done()


main()
