#!/usr/bin/env python3
"""doc/tls.md lists every check that lib/tls can name, with its result, and nothing else. That each of them happens is shown by
tests/ua/test_tls_failures.c, which reads the same tables."""
import re

import tree


def main():
    report = tree.Report()
    code = ''.join((tree.ROOT / 'lib/tls' / f).read_text() for f in (
        'verify.c', 'checks.c', 'keys.c', 'revocation.c', 'decision.c', 'session.c'))
    made = set(re.findall(r'SECSIP_E_(TLS_\w+),\s*"([\w -]+)"', code))
    made |= {('TLS_HANDSHAKE', 'handshake'), ('TLS_RECORD', 'record')}  # chosen by an expression
    made |= {('TLS_TRUNCATED', 'connection')}  # lib/ua/flow_news.c: the session never sees it
    told = set((result, check) for check, result in
               re.findall(r'^\| `([\w -]+)` \| `(TLS_\w+)` \|', (tree.ROOT / 'doc/tls.md').read_text(), re.M))
    for result, check in sorted(made - told):
        report.check(False, 'doc/tls.md does not list %s, "%s"' % (result, check))
    for result, check in sorted(told - made):
        report.check(False, 'doc/tls.md lists %s, "%s", which lib/tls does not name' % (result, check))
    report.check(len(made) > 15, 'lib/tls: its checks were not found')
    report.done()


main()
