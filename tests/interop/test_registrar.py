#!/usr/bin/env python3
"""secsip-registrar against a peer that says exactly what it is told: registrations, authentication, forking, CANCEL,
routing inside dialogs, and what must be refused."""
import json
import secrets
import unittest

from peers import certs, lab
from peers.rawsip import Peer, digest

lab.require('certtool')


class Base(unittest.TestCase):
    options = ()
    listen = 'tls:%s:%d'

    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.certs = certs.make(cls.lab.dir / 'certs')
        cls.users = cls.lab.dir / 'users'
        cls.users.write_text('alice:alicepw\nbob:bobpw\ncarol:carolpw\n')
        cls.users.chmod(0o600)

    def setUp(self):
        self.port = self.lab.ports(1)
        options = [o % {'certs': self.certs} for o in self.options]
        self.registrar = self.lab.start('registrar-%d' % self.port, [
            lab.ours('secsip-registrar'), '--listen', self.listen % (lab.HOST, self.port), '--cert', self.certs / 'good.crt',
            '--key', self.certs / 'good.key', '--domain', 'example.test', '--users', self.users, '--json', *options])
        lab.wait_until(lambda: self.events('listening'), 10, lambda: self.registrar.tail())

    def tearDown(self):
        self.assertEqual(self.registrar.stop(), 0, self.registrar.tail())
        self.assertNotIn('Sanitizer', self.registrar.err())

    def events(self, kind):
        found = [json.loads(line) for line in self.registrar.out().splitlines(keepends=True) if line.endswith('\n')]
        return [e for e in found if e['event'] == kind]

    def wait_event(self, kind, n=1):
        return lab.wait_until(lambda: self.events(kind)[n - 1:], 5, lambda: kind + '\n' + self.registrar.tail())[0]

    def peer(self, user, **options):
        options.setdefault('ca', self.certs / 'ca.crt')
        peer = Peer(self.port, user, **options)
        self.addCleanup(peer.close)
        return peer

    def registered(self, user, **options):
        peer = self.peer(user)
        answer = peer.register(user + 'pw', **options)
        self.assertEqual(answer.status, 200, answer.start)
        return peer


class Registrations(Base):
    def test_without_credentials_there_is_a_challenge(self):
        answer = self.peer('alice').register(None)
        self.assertEqual(answer.status, 401)
        challenges = answer.all('WWW-Authenticate')
        self.assertIn('SHA-256', challenges[0])
        self.assertIn('realm="example.test"', challenges[0])

    def test_a_binding_is_made_listed_and_removed(self):
        alice = self.registered('alice')
        event = self.wait_event('registered')
        self.assertEqual((event['user'], event['expires']), ('sip:alice@example.test', 600))
        query = alice.ask('REGISTER', 'sip:example.test', 'alicepw', to='<sip:alice@example.test>')
        self.assertEqual(query.status, 200)
        self.assertEqual(len(query.all('Contact')), 1)
        self.assertIn(alice.contact.split(';')[0], query.get('Contact'))
        self.assertRegex(query.get('Contact'), r'expires=(600|59\d)')
        gone = alice.register('alicepw', contact='*', more=[('Expires', '0')])
        self.assertEqual((gone.status, gone.all('Contact')), (200, []))
        self.wait_event('unregistered')

    def test_a_wrong_password_or_an_unknown_user_is_not_registered(self):
        for user, password in (('alice', 'wrong'), ('mallory', 'x')):
            self.assertIn(self.peer(user).register(password).status, (401, 403))
        self.assertFalse(self.events('registered'))
        self.wait_event('refused')

    def test_nobody_registers_for_somebody_else(self):
        bob = self.peer('bob')
        answer = bob.ask('REGISTER', 'sip:example.test', 'bobpw', to='<sip:alice@example.test>',
                         more=[('Contact', '<%s>' % bob.contact)])
        self.assertEqual(answer.status, 403)

    def test_too_short_an_expiry_is_refused_with_the_least_one(self):
        answer = self.peer('alice').register('alicepw', expires=1)
        self.assertEqual((answer.status, answer.get('Min-Expires')), (423, '5'))

    def test_too_long_an_expiry_is_cut(self):
        answer = self.peer('alice').register('alicepw', expires=100000)
        self.assertIn('expires=3600', answer.get('Contact'))

    def test_an_older_request_of_the_same_call_id_is_refused(self):
        alice = self.peer('alice')
        call_id = secrets.token_hex(8)
        self.assertEqual(alice.register('alicepw', call_id=call_id).status, 200)
        alice.cseq = 0
        answer = alice.register('alicepw', call_id=call_id, expires=60)
        self.assertGreaterEqual(answer.status, 400)

    def test_a_lost_connection_takes_its_binding_with_it(self):
        self.registered('alice').close()
        self.wait_event('unregistered')
        bob = self.peer('bob')
        self.assertEqual(bob.ask('MESSAGE', 'sip:alice@example.test', 'bobpw').status, 480)


class Proxying(Base):
    def test_a_request_reaches_the_connection_that_registered(self):
        alice, bob = self.registered('alice'), self.peer('bob')
        self.assertEqual(bob.ask('MESSAGE', 'sip:alice@example.test').status, 407)
        challenge_then(bob, 'MESSAGE', 'sip:alice@example.test', 'bobpw')
        got = alice.wait('MESSAGE')
        self.assertEqual(got.uri, alice.contact)
        self.assertEqual(len(got.all('Via')), 2)
        self.assertEqual(got.get('Max-Forwards'), '69')
        self.assertIsNone(got.get('Proxy-Authorization'), 'credentials for this realm go no further')
        alice.answer(got, 200)
        answer = bob.wait('final')
        self.assertEqual((answer.status, len(answer.all('Via'))), (200, 1))
        self.assertEqual(self.wait_event('forwarded')['branches'], 1)

    def test_a_fork_rings_all_and_cancels_the_losers(self):
        phones = [self.registered('alice'), self.registered('alice'), self.registered('alice')]
        bob = self.peer('bob')
        bob.invite('sip:alice@example.test', 'bobpw')
        invites = [p.wait('INVITE') for p in phones]
        for p, invite in zip(phones, invites):
            p.answer(invite, 180)
        for _ in phones:
            bob.wait(180)
        phones[0].answer(invites[0], 486)
        self.assertEqual(phones[0].wait('ACK').get('Call-ID'), invites[0].get('Call-ID'))
        phones[1].answer(invites[1], 200, more=[('Contact', '<%s>' % phones[1].contact)])
        self.assertEqual(bob.wait('final').status, 200)
        cancel = phones[2].wait('CANCEL')
        self.assertEqual(cancel.get('Via'), invites[2].get('Via'))
        phones[2].answer(cancel, 200)
        phones[2].answer(invites[2], 487)
        phones[2].wait('ACK')

    def test_the_best_refusal_is_passed_on(self):
        phones = [self.registered('alice'), self.registered('alice')]
        bob = self.peer('bob')
        bob.invite('sip:alice@example.test', 'bobpw')
        for phone, status in zip(phones, (503, 486)):
            phone.answer(phone.wait('INVITE'), status)
        self.assertEqual(bob.wait('final').status, 486)

    def test_a_603_ends_the_whole_fork(self):
        phones = [self.registered('alice'), self.registered('alice')]
        bob = self.peer('bob')
        bob.invite('sip:alice@example.test', 'bobpw')
        first, second = (p.wait('INVITE') for p in phones)
        phones[1].answer(second, 180)
        phones[0].answer(first, 603)
        phones[1].answer(phones[1].wait('CANCEL'), 200)
        phones[1].answer(second, 487)
        self.assertEqual(bob.wait('final').status, 603)

    def test_cancel_goes_to_every_branch(self):
        alice, bob = self.registered('alice'), self.peer('bob')
        sent = bob.invite('sip:alice@example.test', 'bobpw')
        invite = alice.wait('INVITE')
        alice.answer(invite, 180)
        bob.wait(180)
        bob.cancel(sent)
        alice.answer(alice.wait('CANCEL'), 200)
        alice.answer(invite, 487)
        finals = {bob.wait('final').get('CSeq').split()[1]: 0 for _ in range(2)}
        self.assertEqual(set(finals), {'CANCEL', 'INVITE'})

    def test_requests_inside_the_dialog_follow_the_record_route(self):
        alice, bob = self.registered('alice'), self.registered('bob')
        bob.invite('sip:alice@example.test', 'bobpw')
        invite = alice.wait('INVITE')
        route = invite.get('Record-Route')
        self.assertRegex(route, r';lr')
        alice.answer(invite, 200, more=[('Contact', '<%s>' % alice.contact)])
        ok = bob.wait('final')
        to = ok.get('To')
        for method in ('ACK', 'BYE'):
            bob.request(method, alice.contact, to=to, call_id=invite.get('Call-ID'), more=[('Route', route)])
            got = alice.wait(method)
            self.assertEqual((got.uri, got.get('Route')), (alice.contact, None))
        alice.answer(got, 200)
        self.assertEqual(bob.wait('final').status, 200)
        # And the other way round.
        alice.request('BYE', bob.contact, to=invite.get('From'), from_uri='sip:alice@example.test', tag=alice.tag,
                      call_id=invite.get('Call-ID'), more=[('Route', route)])
        bob.answer(bob.wait('BYE'), 200)
        self.assertEqual(alice.wait('final').status, 200)

    def test_who_is_not_there_is_480_and_who_is_not_known_is_404(self):
        bob = self.peer('bob')
        self.assertEqual(bob.ask('MESSAGE', 'sip:alice@example.test', 'bobpw').status, 480)
        self.assertEqual(bob.ask('MESSAGE', 'sip:nobody@example.test', 'bobpw').status, 404)

    def test_max_forwards_ends_a_request(self):
        self.registered('alice')
        answer = self.peer('bob').ask('MESSAGE', 'sip:alice@example.test', 'bobpw', forwards=0)
        self.assertEqual(answer.status, 483)

    def test_a_stranger_does_not_relay_through_it(self):
        stranger = self.peer('eve', domain='example.test')
        answer = stranger.ask('MESSAGE', 'sip:someone@elsewhere.test', from_uri='sip:eve@elsewhere.test')
        self.assertIn(answer.status, (403, 404, 407))

    def test_from_of_the_domain_is_who_has_the_password(self):
        self.registered('alice')
        bob = self.peer('bob')
        answer = bob.ask('MESSAGE', 'sip:alice@example.test', 'bobpw', from_uri='sip:carol@example.test')
        self.assertEqual(answer.status, 403)


class ClearTcp(Base):
    listen = 'insecure-tcp:%s:%d'

    def test_a_sips_request_is_never_served_in_clear(self):
        alice = self.peer('alice', ca=None)
        self.assertEqual(alice.register('alicepw').status, 200)
        bob = self.peer('bob', ca=None)
        answer = bob.ask('MESSAGE', 'sips:alice@example.test', 'bobpw')
        self.assertGreaterEqual(answer.status, 400)
        self.assertIsNone(alice.receive(0.5))


class ClientCertificates(Base):
    options = ('--ca', '%(certs)s/ca.crt', '--client-cert', 'require')

    def test_no_certificate_no_service(self):
        with self.assertRaises(OSError):
            self.peer('alice').register('alicepw')
        failed = self.wait_event('tls-failed')
        self.assertEqual((failed['name'], failed['check']), ('SECSIP_E_TLS_CERT_MISSING', 'certificate'))
        self.assertTrue(failed['peer'].startswith('127.0.0.1:'), failed)
        alice = self.peer('alice', cert=self.certs / 'alice.pem')
        self.assertEqual(alice.register('alicepw').status, 200)
        self.assertEqual(self.wait_event('registered')['identity'], 'sip:alice@example.test')


class CertifiedClients(Base):
    options = ('--ca', '%(certs)s/ca.crt', '--client-cert', 'request', '--from', 'certified')

    def test_a_certificate_speaks_for_whom_it_names(self):
        alice = self.peer('alice', cert=self.certs / 'alice.pem')
        self.assertEqual(alice.register('alicepw').status, 200)
        # Bob's password does not help under the certificate of alice, and is not asked for.
        bob = self.peer('bob', cert=self.certs / 'alice.pem')
        self.assertEqual(bob.register('bobpw').status, 403)
        refused = self.wait_event('refused')
        self.assertEqual((refused['status'], refused['identity']), (403, 'sip:alice@example.test'))
        # A domain's certificate speaks for its users, and who has none is not bound.
        self.assertEqual(self.peer('bob', cert=self.certs / 'good.pem').register('bobpw').status, 200)
        self.assertEqual(self.peer('carol').register('carolpw').status, 200)


def challenge_then(peer, method, uri, password):
    """Sends a request that gets past its challenge, and leaves its answer to the test."""
    call_id = secrets.token_hex(8)
    peer.request(method, uri, call_id=call_id)
    challenge = peer.wait(407).get('Proxy-Authenticate')
    peer.request(method, uri, call_id=call_id,
                 more=[('Proxy-Authorization', digest(challenge, peer.user, password, method, uri))])


if __name__ == '__main__':
    unittest.main(verbosity=2)
