"""rtpengine in user space, with ports of its own, and its ng protocol: a cookie and a bencoded dictionary over UDP."""
import itertools
import socket

from peers import lab as labs

PROGRAM = 'rtpengine'


def encode(value):
    if isinstance(value, int):
        return b'i%de' % value
    if isinstance(value, list):
        return b'l' + b''.join(map(encode, value)) + b'e'
    if isinstance(value, dict):
        return b'd' + b''.join(encode(k) + encode(v) for k, v in sorted(value.items())) + b'e'
    text = value.encode()
    return b'%d:%s' % (len(text), text)


def decode(data, at=0):
    """The value that begins there, and where the next one does."""
    kind = data[at:at + 1]
    if kind == b'i':
        end = data.index(b'e', at)
        return int(data[at + 1:end]), end + 1
    if kind in b'ld':
        values, at = [], at + 1
        while data[at:at + 1] != b'e':
            value, at = decode(data, at)
            values.append(value)
        return (values if kind == b'l' else dict(zip(values[::2], values[1::2]))), at + 1
    colon = data.index(b':', at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1:end].decode('latin1'), end


class Rtpengine:
    """Relays between two sides; it answers when the constructor returns."""

    def __init__(self, lab):
        self.control, self.media = lab.ports(1), lab.ports(40)
        self.cookies = itertools.count(1)
        self.process = lab.start('rtpengine', [
            PROGRAM, '-f', '-E', '-L', '6', '--table=-1', '--interface=lo/' + labs.HOST,
            '--listen-ng=%s:%d' % (labs.HOST, self.control), '--port-min=%d' % self.media,
            '--port-max=%d' % (self.media + 39), '--tos=0', '--timeout=60', '--delete-delay=0', '--num-threads=1'])
        labs.wait_until(self.answers, 10, lambda: 'rtpengine is up\n' + self.process.tail())

    def answers(self):
        if not self.process.alive():
            raise RuntimeError('rtpengine ended\n' + self.process.tail())
        try:
            return self.ask(0.2, command='ping').get('result') == 'pong'
        except OSError:
            return False

    def ask(self, seconds=3.0, **request):
        cookie = b'%d ' % next(self.cookies)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((labs.HOST, self.control))
            s.settimeout(seconds)
            s.send(cookie + encode({k.replace('_', '-'): v for k, v in request.items()}))
            reply = s.recv(65536)
        assert reply.startswith(cookie), reply
        return decode(reply[len(cookie):])[0]

    def negotiate(self, command, call_id, sdp, **more):
        """The description for the other side."""
        request = {'call_id': call_id, 'from_tag': 'a', 'sdp': sdp, 'ICE': 'remove', 'DTLS': 'off', **more}
        if command == 'answer':
            request['to_tag'] = 'b'
        reply = self.ask(command=command, **request)
        if reply['result'] != 'ok':
            raise AssertionError('%s: %s' % (reply, self.process.tail()))
        return reply['sdp']

    def delete(self, call_id):
        return self.ask(command='delete', call_id=call_id, from_tag='a')
