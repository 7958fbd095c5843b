#!/usr/bin/env python3
"""secsip-sdes keeps its contract: what it prints, what it exits with, and that keys stay hidden unless asked for."""
import base64
import json
import subprocess
import tempfile

import tree

PROGRAM = tree.BUILD / 'examples/secsip-sdes'
KEY = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'
KEY_B = 'PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR'
HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n'
S80 = 'AES_CM_128_HMAC_SHA1_80'
report = tree.Report()


def run(*args, text=''):
    data = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run([PROGRAM, *args], input=data, capture_output=True, timeout=30, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def check(name, good, *seen):
    report.check(good, '%s: %s' % (name, ' | '.join(map(str, seen))))


def objects(out):
    return [json.loads(line) for line in out.splitlines()]


def sdp(profile, *crypto):
    return HEAD + 'm=audio 4000 %s 0\r\n' % profile + ''.join('a=crypto:%s\r\n' % c for c in crypto)


def crypto_of(text):
    return [line[9:] for line in text.split('\r\n') if line.startswith('a=crypto:')]


def test_parse_prints_the_object_of_the_contract():
    code, out, _ = run('parse', text='a=crypto:1 %s inline:%s|2^20|1:4 KDR=1\r\n' % (S80, KEY))
    check('parse', code == 0 and KEY not in out, code, out)
    one = objects(out)[0]
    error = one.pop('error')
    check('parse', one == {'media': 0, 'tag': 1, 'suite': S80, 'params': ['KDR=1'], 'usable': False,
                           'keys': [{'bytes': 30, 'lifetime': 1048576, 'mki': 1, 'mki_len': 4}]}, one)
    check('parse', error['name'] == 'SECSIP_E_SDES_PARAM' and error['text'], error)


def test_parse_takes_lines_one_by_one():
    lines = ['1 %s inline:%s' % (S80, KEY), '1 %s inline:%s' % (S80, KEY), '2 F8_128_HMAC_SHA1_80 inline:' + KEY,
             '', '3 %s inline:%s -x WSH=128 FEC_KEY=inline:%s' % (S80, KEY, KEY_B)]
    code, out, _ = run('parse', '--json', text='\n'.join('a=crypto:' + line for line in lines))
    got = objects(out)
    check('lines', code == 0 and [o['usable'] for o in got] == [True, True, False, False, False], code, out)
    check('lines', [o['error'] and o['error']['name'] for o in got] == [
        None, None, 'SECSIP_E_SDES_SUITE', 'SECSIP_E_SDES_SYNTAX', 'SECSIP_E_SDES_PARAM'], out)
    check('lines', KEY not in out and KEY_B not in out, out)


def test_parse_of_a_description_numbers_its_media():
    text = sdp('RTP/SAVP', '1 %s inline:%s' % (S80, KEY), '1 %s inline:%s' % (S80, KEY_B)) + \
        'm=video 5000 RTP/SAVP 99\r\na=crypto:7 %s inline:%s\r\n' % (S80, KEY)
    code, out, _ = run('parse', text=text)
    got = objects(out)
    check('media', code == 0 and [o['media'] for o in got] == [0, 0, 1], code, out)
    check('media', [o['error']['name'] for o in got] == ['SECSIP_E_SDES_TAG', 'SECSIP_E_SDES_TAG', 'SECSIP_E_SDES_KEY_WEAK'], out)


def test_parse_refuses_a_broken_description_whole():
    for text in ('v=0\r\ns=-\r\n', HEAD + 'm=audio 9 RTP/AVP\n', HEAD + 'q=1\r\n', '', b'v=0\r\n\0', 'x=1\r\n', 'a=crypt:1\n'):
        code, out, err = run('parse', text=text)
        got = objects(out)
        check('broken %r' % text, code == 1 and len(got) == 1 and set(got[0]) == {'error'}, code, out)
        check('broken %r' % text, got[0]['error']['name'].startswith('SECSIP_E_SDP_') and got[0]['error']['text'] and
              got[0]['error']['offset'] >= 0, out)
        check('broken %r' % text, err.count('\n') == 1, err)


def test_keys_show_only_on_demand():
    code, out, _ = run('parse', '--show-keys', text='a=crypto:1 %s inline:%s' % (S80, KEY))
    check('show', code == 0 and objects(out)[0]['keys'][0]['key'] == KEY, out)
    code, out, _ = run('offer', '--json')
    check('show', code == 0 and objects(out)[0]['sdp'] is None and '"key"' not in out, out)
    code, out, _ = run('offer', '--json', '--show-keys')
    one = objects(out)[0]
    check('show', all(line['keys'][0]['key'] in one['sdp'] for line in one['lines']), out)


def test_offer_answer_accept_agree():
    suites = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32', 'AES_192_CM_HMAC_SHA1_80', 'AES_256_CM_HMAC_SHA1_32',
              'AEAD_AES_128_GCM', 'AEAD_AES_256_GCM']
    with tempfile.NamedTemporaryFile('w+', newline='') as file:
        for suite in suites:
            for extra in ([], ['--lifetime', '2^31', '--mki', '4'], ['--unpadded'], ['--policy', 'optional']):
                code, offer, err = run('offer', '--suites', suite, '--port', '16000', *extra)
                check('offer', code == 0 and 'm=audio 16000 RTP/' in offer and len(crypto_of(offer)) == 1, offer, err)
                profile = 'RTP/AVP' if 'optional' in extra else 'RTP/SAVP'
                policy = ['--policy', 'optional'] if 'optional' in extra else []
                code, answer, err = run('answer', '--suites', suite, *policy, text=offer)
                check('answer', code == 0 and ' %s 0 8\r\n' % profile in answer, answer, err)
                check('answer', crypto_of(answer)[0].split()[:2] == ['1', suite], answer)
                check('answer', crypto_of(answer)[0] != crypto_of(offer)[0], answer)
                file.seek(0)
                file.truncate()
                file.write(offer)
                file.flush()
                code, out, err = run('accept', '--offer', file.name, '--show-keys', text=answer)
                one = objects(out)[0]
                check('accept', code == 0 and one['accepted'] and one['secure'] and one['suite'] == suite, out, err)
                for side, text in ((one['tx'], offer), (one['rx'][0], answer)):
                    sent = crypto_of(text)[0].split()[2][7:].split('|')[0]
                    check('accept', base64.b64decode(sent + '==') == base64.b64decode(side['key']), out)


def test_answers_that_are_refused():
    good = '1 %s inline:%s' % (S80, KEY_B)
    cases = [
        (sdp('RTP/AVP', good), 'SECSIP_E_SDES_CLEAR_PROFILE'),
        (sdp('RTP/SAVP'), 'SECSIP_E_SDES_NO_CRYPTO'),
        (sdp('RTP/SAVP', '2 %s inline:%s' % (S80, KEY_B)), 'SECSIP_E_SDES_TAG'),
        (sdp('RTP/SAVP', '1 AES_CM_128_HMAC_SHA1_32 inline:' + KEY_B), 'SECSIP_E_SDES_SUITE'),
        (sdp('RTP/SAVP', '1 %s inline:%s' % (S80, KEY)), 'SECSIP_E_SDES_KEY_WEAK'),
        (sdp('RTP/SAVP', '1 %s inline:QUJD' % S80), 'SECSIP_E_SDES_KEY_LENGTH'),
        (sdp('RTP/SAVP', good + ' UNENCRYPTED_SRTP'), 'SECSIP_E_SDES_PARAM'),
        (sdp('RTP/SAVP', good).replace('audio 4000', 'audio 0'), 'SECSIP_E_SDP_MEDIA'),
        (sdp('RTP/SAVP', good) + 'x', 'SECSIP_E_SDP_SYNTAX'),
    ]
    with tempfile.NamedTemporaryFile('w+', newline='') as file:
        file.write(sdp('RTP/SAVP', '1 %s inline:%s' % (S80, KEY)))
        file.flush()
        for answer, name in cases:
            code, out, err = run('accept', '--json', '--offer', file.name, text=answer)
            got = objects(out)
            check('accept ' + name, code == 1 and not got[0]['accepted'] and got[0]['error']['name'] == name, code, out)
            check('accept ' + name, err.count('\n') == 1 and KEY not in out + err and KEY_B not in out + err, err)
        code, out, err = run('accept', '--offer', file.name, text=sdp('RTP/SAVP', good))
        check('accept', code == 0 and objects(out)[0]['accepted'], out, err)


def test_an_answer_is_judged_by_what_was_offered_with_keys():
    good = '1 %s inline:%s' % (S80, KEY_B)
    audio = 'm=audio %d RTP/SAVP 0 8\r\na=crypto:1 %s inline:%s\r\n'
    video = 'm=video %d RTP/AVP 99\r\n'
    offer = HEAD + audio % (4000, S80, KEY) + video % 4002
    plain = HEAD + 'm=audio 4000 RTP/SAVP 0 8\r\na=crypto:1 %s inline:%s\r\n' % (S80, KEY)
    cases = [
        (offer, HEAD + 'm=audio 0 RTP/SAVP 0\r\n' + video % 5002, False),  # clear video is no answer to SRTP
        (offer, HEAD + audio % (5000, S80, KEY_B) + video % 5002, True),
        (offer, HEAD + audio % (5000, S80, KEY_B), False),  # one line for two
        (plain, HEAD + audio % (5000, S80, KEY_B) + video % 5002, False),  # two for one
        (plain, HEAD + (audio % (5000, S80, KEY_B)).replace('audio', 'video'), False),
        (plain, HEAD + (audio % (5000, S80, KEY_B)).replace('0 8', '9'), False),
        (plain, HEAD + (audio % (5000, S80, KEY_B)).replace('0 8', '9 8'), True),
    ]
    for offer, answer, accepted in cases:
        with tempfile.NamedTemporaryFile('w+', newline='') as file:
            file.write(offer)
            file.flush()
            code, out, err = run('accept', '--offer', file.name, text=answer)
            one = objects(out)[0]
            check('judged', one['accepted'] == accepted and code == (0 if accepted else 1), answer, out, err)
            check('judged', accepted or one['error']['name'] == 'SECSIP_E_SDP_MEDIA', out)


def test_lines_beyond_the_limit_are_left_out():
    lines = ['%d %s inline:%s%02d' % (i + 1, S80, KEY[:-2], i + 10) for i in range(17)]
    code, out, err = run('parse', text=sdp('RTP/SAVP', *lines))
    got = objects(out)
    check('limit', code == 0 and len(got) == 16 and all(o['usable'] for o in got), out, err)


def test_a_key_in_the_wrong_place_is_not_printed():
    for line in ('1 %s inline:%s' % (KEY, KEY_B), '1 %s inline:%s FEC_KEY=%s KEY=%s' % (S80, KEY_B, KEY, KEY)):
        code, out, err = run('parse', text='a=crypto:%s\r\n' % line)
        check('masked', code == 0 and KEY not in out + err and KEY_B not in out + err, out, err)


def test_offers_by_policy():
    good = '1 %s inline:%s' % (S80, KEY)
    for policy, text, want in (
            ('mandatory', sdp('RTP/SAVP', good), 0), ('mandatory', sdp('RTP/AVP', good), 1), ('mandatory', sdp('RTP/AVP'), 1),
            ('mandatory', sdp('RTP/SAVP'), 1), ('optional', sdp('RTP/AVP'), 0), ('optional', sdp('RTP/AVP', good), 0),
            ('optional', sdp('RTP/SAVP'), 1), ('off', sdp('RTP/AVP', good), 0), ('off', sdp('RTP/SAVP', good), 1)):
        code, out, err = run('answer', '--policy', policy, text=text)
        check('answer %s' % policy, code == want and (code == 0) == out.startswith('v=0\r\n'), code, text, out, err)
        check('answer %s' % policy, (err == '') == (code == 0), err)
    code, out, _ = run('answer', '--policy', 'optional', text=sdp('RTP/AVP', good))
    check('answer', len(crypto_of(out)) == 1, out)
    code, out, _ = run('answer', '--answer-avp', text=sdp('RTP/AVP', good))
    check('answer --answer-avp', code == 0 and len(crypto_of(out)) == 1, out)
    # Two media lines, as some phones offer them: the secure one is taken, the other refused.
    code, out, _ = run('answer', text=HEAD + 'm=audio 4 RTP/AVP 0\r\nm=audio 6 RTP/SAVP 0\r\na=crypto:%s\r\n' % good)
    check('answer', 'm=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1' in out, out)


def test_every_style_of_optional_is_offered_answered_and_accepted():
    for style, begins, profile, refused in (
            ('avp', 'RTP/AVP 0 8', 'RTP/AVP', None), ('two-lines', 'RTP/SAVP 0 8', 'RTP/SAVP', 'm=audio 0 RTP/AVP 0 8'),
            ('capability', 'RTP/AVP 0 8', 'RTP/SAVP', None), ('savp', 'RTP/SAVP 0 8', 'RTP/SAVP', None)):
        code, offer, err = run('offer', '--policy', 'optional', '--style', style, '--suites', S80)
        check(style, code == 0 and 'm=audio 4000 %s\r\n' % begins in offer, offer, err)
        check(style, ('a=pcfg:1 t=1 a=1\r\n' in offer) == (style == 'capability'), offer)
        with tempfile.NamedTemporaryFile('w+', newline='') as file:
            file.write(offer)
            file.flush()
            for policy, secure in (('optional', True), ('off', False)):
                code, answer, err = run('answer', '--policy', policy, text=offer)
                if policy == 'off' and style == 'savp':
                    check(style, code == 1, answer, err)
                    continue
                check(style, code == 0 and (len(crypto_of(answer)) == 1) == secure, answer, err)
                check(style, not secure or 'm=audio 4000 %s 0 8\r\n' % profile in answer, answer)
                check(style, not secure or not refused or refused in answer, answer)
                check(style, ('a=acfg:1 t=1 a=1\r\n' in answer) == (secure and style == 'capability'), answer)
                code, out, err = run('accept', '--offer', file.name, text=answer)
                one = objects(out)[0]
                check(style, code == 0 and one['secure'] == secure and one['quirks'] == [], out, err)


def test_quirks_are_named_and_refused_on_demand():
    offer = sdp('RTP/AVP', '1 %s inline:%s' % (S80, KEY))
    answer = sdp('RTP/SAVP', '1 %s inline:%s' % (S80, KEY_B))
    with tempfile.NamedTemporaryFile('w+', newline='') as file:
        file.write(offer)
        file.flush()
        code, out, err = run('accept', '--offer', file.name, text=answer)
        check('quirks', code == 0 and objects(out)[0]['quirks'] == ['profile'], out, err)
        code, out, err = run('accept', '--offer', file.name, '--refuse', 'spelling', '--refuse', 'profile', text=answer)
        check('quirks', code == 1 and objects(out)[0]['error']['name'] == 'SECSIP_E_SDES_CLEAR_PROFILE', out, err)


def test_protection_is_left_out_only_on_demand():
    line = '1 %s inline:%s UNENCRYPTED_SRTP' % (S80, KEY)
    code, _, err = run('answer', text=sdp('RTP/SAVP', line))
    check('forms', code == 1 and 'UNENCRYPTED_SRTP is not allowed here' in err, err)
    code, out, err = run('answer', '--json', '--insecure', 'unencrypted-srtp', text=sdp('RTP/SAVP', line))
    check('forms', code == 0 and objects(out)[0]['forms'] == ['UNENCRYPTED_SRTP'], out, err)
    code, out, err = run('offer', '--suites', S80, '--insecure', 'unencrypted-srtp', '--form', 'unencrypted-srtp')
    check('forms', code == 0 and crypto_of(out)[0].endswith(' UNENCRYPTED_SRTP'), out, err)
    code, _, _ = run('offer', '--form', 'unencrypted-srtp')
    check('forms', code == 2)
    null = '1 NULL_HMAC_SHA1_80 inline:' + KEY
    code, _, _ = run('answer', text=sdp('RTP/SAVP', null))
    check('null', code == 1)
    code, out, err = run('answer', '--insecure', 'null-cipher', '--suites', 'NULL_HMAC_SHA1_80', text=sdp('RTP/SAVP', null))
    check('null', code == 0 and crypto_of(out)[0].startswith('1 NULL_HMAC_SHA1_80 inline:'), out, err)
    code, _, _ = run('offer', '--suites', 'NULL_HMAC_SHA1_80')
    check('null', code == 2)


def test_wrong_usage():
    for args in ([], ['nonsense'], ['offer', '--suites'], ['offer', '--suites', 'X'], ['offer', '--suites', ''],
                 ['offer', '--mki', '0'], ['offer', '--mki', '129'], ['offer', '--lifetime', '2^49'],
                 ['offer', '--lifetime', '0'], ['offer', '--port', '65536'], ['offer', '--policy', 'maybe'], ['offer', '--style', 'odd'], ['accept'],
                 ['accept', '--offer', '/nonexistent/file'], ['offer', 'stray'], ['offer', '--po', '4000'], ['offer', '--address', 'a b']):
        code, out, err = run(*args)
        check('usage %s' % args, code == 2 and out == '' and err.count('\n') == 1, code, out, err)
    for args in (['--help'], ['offer'], ['offer', '--json']):
        tree.deaf(report, PROGRAM, *args)


for test in [v for k, v in sorted(globals().items()) if k.startswith('test_')]:
    test()
report.done()
