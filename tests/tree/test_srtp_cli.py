#!/usr/bin/env python3
"""secsip-srtp: packets there and back for every suite, refusals named and counted, and keys kept off the command line."""
import base64
import os
import struct
import subprocess
import tempfile

import tree

SUITES = {
    'AES_CM_128_HMAC_SHA1_80': (30, 10, 14), 'AES_CM_128_HMAC_SHA1_32': (30, 4, 14),
    'AES_192_CM_HMAC_SHA1_80': (38, 10, 14), 'AES_192_CM_HMAC_SHA1_32': (38, 4, 14),
    'AES_256_CM_HMAC_SHA1_80': (46, 10, 14), 'AES_256_CM_HMAC_SHA1_32': (46, 4, 14),
    'AEAD_AES_128_GCM': (28, 16, 20), 'AEAD_AES_256_GCM': (44, 16, 20),
}
PROGRAM = tree.BUILD / 'examples/secsip-srtp'


def crypto(suite, extra=''):
    key = bytes((7 * i + 1) % 256 for i in range(SUITES[suite][0]))
    return 'a=crypto:1 %s inline:%s%s' % (suite, base64.b64encode(key).decode(), extra)


def framed(packets):
    return b''.join(struct.pack('>H', len(p)) + p for p in packets)


def unframed(data):
    packets, at = [], 0
    while at < len(data):
        n, = struct.unpack_from('>H', data, at)
        packets.append(data[at + 2:at + 2 + n])
        at += 2 + n
    return packets


def rtp(seq, size=160, ssrc=0xcafe):
    return struct.pack('>BBHII', 0x80, 0, seq & 0xffff, seq * 160, ssrc) + bytes(seq % 251 for _ in range(size))


def rtcp(ssrc=0xcafe):
    return struct.pack('>BBHI', 0x80, 201, 1, ssrc)


def run(*args, data=b'', env=None):
    return subprocess.run([str(PROGRAM), *args], input=data, capture_output=True, timeout=60, check=False,
                          env=dict(os.environ, **(env or {})))


def check_round_trips(report):
    for suite, (_, tag, rtcp_more) in SUITES.items():
        line = crypto(suite)
        clear = [rtp(65530 + i, size) for i, size in enumerate([0, 1, 15, 16, 17, 160, 1200, 33, 160])]
        sealed = run('protect', '--crypto', line, data=framed(clear))
        packets = unframed(sealed.stdout)
        report.check(sealed.returncode == 0 and [len(p) for p in packets] == [len(p) + tag for p in clear],
                     '%s protect: %d %s' % (suite, sealed.returncode, sealed.stderr))
        opened = run('unprotect', '--crypto', line, data=sealed.stdout)
        report.check(opened.returncode == 0 and unframed(opened.stdout) == clear, '%s does not come back' % suite)
        stock = run('protect', '--stock', '--crypto', line, data=framed(clear))
        report.check(stock.stdout == sealed.stdout or (stock.returncode == 2 and '_192_' in suite),
                     '%s: other packets with the stock ciphers' % suite)
        reports = [rtcp()] * 3
        sealed = run('protect', '--rtcp', '--crypto', line, data=framed(reports))
        report.check([len(p) for p in unframed(sealed.stdout)] == [8 + rtcp_more] * 3, '%s: SRTCP lengths' % suite)
        opened = run('unprotect', '--rtcp', '--crypto', line, data=sealed.stdout)
        report.check(opened.returncode == 0 and unframed(opened.stdout) == reports, '%s: SRTCP' % suite)


def check_forms(report):
    """What a line leaves out is left out only where --insecure names it; keys are chosen by MKI; a window and a lifetime hold."""
    clear, reports = [rtp(i) for i in range(1, 6)], [rtcp()] * 2
    for suite, form, kept in (('AES_CM_128_HMAC_SHA1_80 UNENCRYPTED_SRTP', 'unencrypted-srtp', True),
                              ('AES_CM_128_HMAC_SHA1_80 UNAUTHENTICATED_SRTP', 'unauthenticated-srtp', False),
                              ('AES_CM_128_HMAC_SHA1_80 UNENCRYPTED_SRTCP', 'unencrypted-srtcp', False),
                              ('NULL_HMAC_SHA1_80', 'null-cipher', True)):
        name, _, param = suite.partition(' ')
        line = crypto('AES_CM_128_HMAC_SHA1_80', ' ' + param if param else '').replace('AES_CM_128_HMAC_SHA1_80', name)
        refused = run('protect', '--crypto', line, data=framed(clear))
        report.check(refused.returncode == 2 and b'SECSIP_E_SDES_' in refused.stderr and not refused.stdout,
                     '%s passes without --insecure' % suite)
        sealed = run('protect', '--insecure', form, '--crypto', line, data=framed(clear))
        packets = unframed(sealed.stdout)
        report.check(len(packets) == 5 and all((p[:172] == c) == kept for p, c in zip(packets, clear)) and
                     len(packets[0]) == (172 if form == 'unauthenticated-srtp' else 182), '%s: the packets' % suite)
        opened = run('unprotect', '--insecure', form, '--crypto', line, data=sealed.stdout)
        report.check(opened.returncode == 0 and unframed(opened.stdout) == clear, '%s does not come back' % suite)
        sealed = run('protect', '--rtcp', '--insecure', form, '--crypto', line, data=framed(reports))
        opened = run('unprotect', '--rtcp', '--insecure', form, '--crypto', line, data=sealed.stdout)
        report.check(opened.returncode == 0 and unframed(opened.stdout) == reports, '%s: SRTCP does not come back' % suite)
    first, second = (base64.b64encode(bytes((i * n) % 256 for i in range(1, 31))).decode() for n in (3, 5))
    line = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s|2^31|1:2;inline:%s|3|258:2 WSH=64' % (first, second)
    with_first = unframed(run('protect', '--crypto', line, data=framed(clear)).stdout)
    done = run('protect', '--mki', '258:2', '--crypto', line, data=framed(clear))
    with_second = unframed(done.stdout)
    report.check([p[-12:-10] for p in with_first] == [b'\0\1'] * 5 and [p[-12:-10] for p in with_second] == [b'\1\2'] * 3,
                 'keys are not chosen by their MKIs')
    report.check(done.returncode == 1 and b'SECSIP_E_SRTP_KEY_EXPIRED' in done.stderr, 'the lifetime does not hold')
    opened = run('unprotect', '--crypto', line, data=framed(with_first[:2] + with_second[2:]))
    report.check(opened.returncode == 0 and unframed(opened.stdout) == clear[:3], 'both keys are not live')
    for wrong in ('2', '2:', ':4', '256:1', '1:129', '2:0', '7:2'):
        report.check(run('protect', '--mki', wrong, '--crypto', line).returncode == 2, '--mki %s passes' % wrong)
    report.check(run('unprotect', '--mki', '1:2', '--crypto', line).returncode == 2, '--mki passes with unprotect')
    report.check(run('protect', '--insecure', 'x', '--crypto', line).returncode == 2, '--insecure x passes')


def check_refusals(report):
    line = crypto('AES_CM_128_HMAC_SHA1_80')
    clear = [rtp(i) for i in range(1, 6)]
    packets = unframed(run('protect', '--crypto', line, data=framed(clear)).stdout)
    forged = packets[2][:-1] + bytes([packets[2][-1] ^ 1])
    result = run('unprotect', '--crypto', line, data=framed([packets[0], packets[0], forged, packets[3][:20], packets[4]]))
    errors = result.stderr.decode()
    report.check(result.returncode == 1 and unframed(result.stdout) == [clear[0], clear[4]], 'refused packets came through')
    for n, name in ((2, 'SECSIP_E_SRTP_REPLAY'), (3, 'SECSIP_E_SRTP_AUTH'), (4, 'SECSIP_E_SRTP_SHORT')):
        report.check('packet %d: %s' % (n, name) in errors, 'packet %d is not named %s:\n%s' % (n, name, errors))
    report.check('3 of 5 packets refused' in errors, 'refused packets are not counted:\n' + errors)
    twice = run('protect', '--crypto', line, data=framed([rtp(7), rtp(7)]))
    report.check(twice.returncode == 1 and len(unframed(twice.stdout)) == 1 and b'SECSIP_E_SRTP_REUSE' in twice.stderr,
                 'one packet index was protected twice')
    used_up = run('protect', '--crypto', crypto('AES_CM_128_HMAC_SHA1_80', '|2^2'), data=framed(clear))
    report.check(used_up.returncode == 1 and len(unframed(used_up.stdout)) == 4 and
                 b'SECSIP_E_SRTP_KEY_EXPIRED' in used_up.stderr, 'the lifetime of the line is not kept')


def check_options(report):
    line = crypto('AEAD_AES_128_GCM')
    data = framed([rtp(1)])
    later = run('protect', '--crypto', line, '--roc', '5', data=data).stdout
    report.check(run('unprotect', '--crypto', line, data=later).returncode == 1, 'another roll-over counter is accepted')
    report.check(run('unprotect', '--crypto', line, '--roc', '5', data=later).stdout == data, '--roc has no effect')
    mki = run('protect', '--crypto', crypto('AES_CM_128_HMAC_SHA1_80', '|2^20|1:4'), data=data).stdout
    report.check(unframed(mki)[0][172:176] == b'\0\0\0\1', 'the MKI of the line is not written')
    with tempfile.NamedTemporaryFile('w', suffix='.crypto') as f:
        f.write(line + '\r\nsecond line\n')
        f.flush()
        from_file = run('protect', '--crypto-file', f.name, '--roc', '5', data=data)
        report.check(from_file.stdout == later, '--crypto-file: %s' % from_file.stderr)
    from_env = run('protect', '--roc', '5', data=data, env={'SECSIP_CRYPTO': line})
    report.check(from_env.stdout == later, '$SECSIP_CRYPTO: %s' % from_env.stderr)


def check_usage(report):
    line = crypto('AES_CM_128_HMAC_SHA1_80')
    wrong = [(), ('protect',), ('both', '--crypto', line), ('protect', '--crypto', '1 NO_SUITE inline:AAAA'),
             ('protect', '--crypto', line[:-4]), ('protect', '--crypto', line, '--roc', 'x'), ('protect', '--crypto'),
             ('protect', '--crypto-file', '/nonexistent'), ('protect', '--crypto-file', line), ('protect', '--cryp', line),
             ('protect', '--crypt=' + line), ('protect', line), ('protect', '--crypto', line, '--rtcp=' + line), ('protect', '--roc', '4294967296', '--crypto', line)]
    for args in wrong:
        result = run(*args)
        report.check(result.returncode == 2 and result.stderr.count(b'\n') == 1 and not result.stdout,
                     'usage %s: exit %d %s' % (args, result.returncode, result.stderr))
        report.check(line[50:70].encode() not in result.stderr, 'key bytes in an error message')
    tree.deaf(report, PROGRAM, '--help')
    cut = run('protect', '--crypto', line, data=framed([rtp(1)]) + b'\0\x20abc')
    report.check(cut.returncode == 2 and len(unframed(cut.stdout)) == 1, 'input that ends inside a packet')


def main():
    report = tree.Report()
    check_round_trips(report)
    check_forms(report)
    check_refusals(report)
    check_options(report)
    check_usage(report)
    report.done()


main()
