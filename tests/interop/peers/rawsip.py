"""A SIP endpoint that says exactly what a test tells it to, over TLS or clear TCP: for what a real phone never sends."""
import hashlib
import re
import secrets
import socket
import ssl


class Message:
    def __init__(self, text):
        head, _, self.body = text.partition('\r\n\r\n')
        self.start, *lines = head.split('\r\n')
        self.headers = [(n.strip().lower(), v.strip()) for n, _, v in (line.partition(':') for line in lines)]

    def all(self, name):
        return [v for n, v in self.headers if n == name.lower()]

    def get(self, name):
        return (self.all(name) or [None])[0]

    @property
    def status(self):
        return int(self.start.split()[1]) if self.start.startswith('SIP/') else None

    @property
    def method(self):
        return None if self.start.startswith('SIP/') else self.start.split()[0]

    @property
    def uri(self):
        return self.start.split()[1]


def digest(challenge, user, password, method, uri):
    """The credentials for one WWW- or Proxy-Authenticate value (RFC 7616, qop=auth)."""
    fields = {k.lower(): q or v for k, q, v in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', challenge)}
    name = fields.get('algorithm', 'MD5').upper()

    def h(text):
        return hashlib.new({'MD5': 'md5', 'SHA-256': 'sha256'}[name], text.encode()).hexdigest()

    cnonce = secrets.token_hex(8)
    ha1 = h('%s:%s:%s' % (user, fields['realm'], password))
    response = h('%s:%s:00000001:%s:auth:%s' % (ha1, fields['nonce'], cnonce, h('%s:%s' % (method, uri))))
    return ('Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", algorithm=%s, cnonce="%s", qop=auth, '
            'nc=00000001' % (user, fields['realm'], fields['nonce'], uri, response, fields.get('algorithm', 'MD5'), cnonce)
            + (', opaque="%s"' % fields['opaque'] if 'opaque' in fields else ''))


class Peer:
    """One connection and one user on it."""

    def __init__(self, port, user, ca=None, cert=None, host='127.0.0.1', domain='example.test', timeout=5):
        self.user, self.domain, self.transport = user, domain, 'TLS' if ca else 'TCP'
        self.socket = socket.create_connection((host, port), timeout)
        if ca:
            context = ssl.create_default_context(cafile=str(ca))
            if cert:
                context.load_cert_chain(str(cert))
            self.socket = context.wrap_socket(self.socket, server_hostname=domain)
        self.socket.settimeout(timeout)
        self.data = b''
        self.cseq = 0
        self.tag = secrets.token_hex(4)
        self.contact = 'sip:%s@192.0.2.9:%d;transport=%s' % (user, 40000 + secrets.randbelow(20000),
                                                             self.transport.lower())

    def close(self):
        self.socket.close()

    def send(self, start, headers, body=''):
        lines = [start] + ['%s: %s' % h for h in headers] + ['Content-Length: %d' % len(body.encode()), '', body]
        self.socket.sendall('\r\n'.join(lines).encode())

    def receive(self, timeout=None):
        """The next message; None when nothing comes in time, EOFError when the connection ends."""
        self.socket.settimeout(timeout or 5)
        while True:
            head, mark, rest = self.data.partition(b'\r\n\r\n')
            if mark:
                found = re.search(rb'(?im)^(?:content-length|l)\s*:\s*(\d+)', head)
                need = int(found.group(1)) if found else 0
                if len(rest) >= need:
                    self.data = rest[need:]
                    return Message((head + mark + rest[:need]).decode())
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                return None
            if not more:
                raise EOFError('the connection has ended')
            self.data += more

    def wait(self, what, timeout=5):
        """The next message of a method ("INVITE") or status (200); others on the way are left out, 100 among them."""
        while True:
            m = self.receive(timeout)
            if m is None:
                raise TimeoutError('%s: no %s' % (self.user, what))
            if what in (m.method, m.status) or (what == 'final' and m.status and m.status >= 200):
                return m

    def request(self, method, uri, to=None, more=(), body='', branch=None, call_id=None, from_uri=None, tag=None, cseq=None,
                forwards=70):
        """Sends a request and returns its own headers as a Message."""
        self.cseq += 1
        headers = [('Via', 'SIP/2.0/%s 192.0.2.9:5061;rport;branch=%s' % (self.transport, branch or 'z9hG4bK' + secrets.token_hex(8))),
                   ('Max-Forwards', str(forwards)),
                   ('From', '<%s>;tag=%s' % (from_uri or 'sip:%s@%s' % (self.user, self.domain), tag or self.tag)),
                   ('To', to or '<%s>' % uri),
                   ('Call-ID', call_id or secrets.token_hex(8)),
                   ('CSeq', '%d %s' % (cseq or self.cseq, method))] + list(more)
        self.send('%s %s SIP/2.0' % (method, uri), headers, body)
        return Message('\r\n'.join(['%s %s SIP/2.0' % (method, uri)] + ['%s: %s' % h for h in headers]) + '\r\n\r\n')

    def ask(self, method, uri, password=None, more=(), **options):
        """Sends a request, answers a challenge with the password, ACKs refusals of INVITE, returns the final response."""
        options.setdefault('call_id', secrets.token_hex(8))
        sent = self.request(method, uri, more=more, **options)
        answer = self.wait('final')
        if method == 'INVITE' and answer.status >= 300:
            self.ack(sent, answer)
        if answer.status in (401, 407) and password is not None:
            www = answer.status == 401
            challenge = answer.get('WWW-Authenticate' if www else 'Proxy-Authenticate')
            credentials = ('Authorization' if www else 'Proxy-Authorization', digest(challenge, self.user, password, method, uri))
            options.pop('branch', None)
            sent = self.request(method, uri, more=list(more) + [credentials], **options)
            if method == 'INVITE':
                self.sent = sent
                return None
            answer = self.wait('final')
        return answer

    def invite(self, uri, password, **options):
        """An INVITE that has passed its challenge; the request is in self.sent."""
        self.ask('INVITE', uri, password, more=[('Contact', '<%s>' % self.contact)], **options)
        return self.sent

    def ack(self, invite, answer):
        self.send('ACK %s SIP/2.0' % invite.uri, [('Via', invite.get('Via')), ('Max-Forwards', '70'), ('From', invite.get('From')),
                                                  ('To', answer.get('To')), ('Call-ID', invite.get('Call-ID')),
                                                  ('CSeq', invite.get('CSeq').split()[0] + ' ACK')])

    def cancel(self, invite):
        self.send('CANCEL %s SIP/2.0' % invite.uri, [('Via', invite.get('Via')), ('Max-Forwards', '70'),
                                                     ('From', invite.get('From')), ('To', invite.get('To')),
                                                     ('Call-ID', invite.get('Call-ID')),
                                                     ('CSeq', invite.get('CSeq').split()[0] + ' CANCEL')])

    def answer(self, request, status, reason='Whatever', more=(), tag=None):
        to = request.get('To')
        if status > 100 and ';tag=' not in to:
            to += ';tag=' + (tag or self.tag)
        headers = [('Via', v) for v in request.all('Via')] + [('Record-Route', v) for v in request.all('Record-Route')]
        headers += [('From', request.get('From')), ('To', to), ('Call-ID', request.get('Call-ID')), ('CSeq', request.get('CSeq'))]
        self.send('SIP/2.0 %d %s' % (status, reason), headers + list(more))

    def register(self, password, expires=600, contact=None, more=(), **options):
        uri = 'sip:' + self.domain
        return self.ask('REGISTER', uri, password, to='<sip:%s@%s>' % (self.user, self.domain),
                        more=[('Contact', contact or '<%s>;expires=%d' % (self.contact, expires))] + list(more), **options)
