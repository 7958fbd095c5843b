"""Our own programs, driven by the contract of their command lines: secsip-phone and secsip-registrar."""
import json

from peers import lab as labs

DOMAIN = 'example.test'


class Phone:
    """A secsip-phone; its events are the JSON lines of its standard output."""
    count = 0

    def __init__(self, lab, user, proxy, ca, *options, password=None, duration=None, inside=(), **files):
        """inside: the command line that runs another one in a namespace."""
        Phone.count += 1
        self.name = 'phone-%s-%d' % (user, Phone.count)
        secret = lab.dir / (self.name + '.password')
        secret.write_text((password or user + 'pw') + '\n')
        secret.chmod(0o600)
        argv = [*inside, labs.ours('secsip-phone'), '--account', 'sip:%s@%s' % (user, DOMAIN), '--proxy', proxy, '--ca', ca,
                '--password-file', secret, '--json', *options]
        if duration is not None:
            argv += ['--duration', duration]
        for option, path in files.items():
            argv += ['--' + option, path]
        self.process = lab.start(self.name, argv)

    def events(self, kind=None, **match):
        """The events so far, of one kind and with these members."""
        found = []
        text = self.process.out()
        for line in text[:text.rfind('\n') + 1].splitlines():
            event = json.loads(line)  # stdout holds JSON lines and nothing else, or the test fails here
            if (kind is None or event['event'] == kind) and all(event.get(k) == v for k, v in match.items()):
                found.append(event)
        return found

    def wait_event(self, kind, seconds=10, **match):
        def look():
            found = self.events(kind, **match)
            if not found and not self.process.alive() and not self.events(kind, **match):
                raise AssertionError('%s ended without the event %s %s\n%s' % (self.name, kind, match, self.process.tail()))
            return found
        return labs.wait_until(look, seconds, lambda: 'event %s %s\n%s' % (kind, match, self.process.tail()))[0]

    def finish(self, seconds=15):
        """Waits for its own end and returns the exit code."""
        return self.process.wait(seconds)

    def stop(self, grace=5.0):
        return self.process.stop(grace)

    def tail(self):
        return self.process.tail()


class Registrar:
    """A secsip-registrar for example.test with the lab's users."""

    def __init__(self, lab, certs, certificate='good', users=('alice', 'bob', 'carol', 'dave'), host=labs.HOST, inside=()):
        self.host = host
        self.port = lab.ports(1)
        file = lab.dir / ('users-%d' % self.port)
        file.write_text(''.join('%s:%spw\n' % (u, u) for u in users))
        file.chmod(0o600)
        self.process = lab.start('registrar-%d' % self.port, [
            *inside, labs.ours('secsip-registrar'), '--listen', 'tls:%s:%d' % (host, self.port), '--cert', certs / (certificate + '.crt'),
            '--key', certs / (certificate + '.key'), '--domain', DOMAIN, '--users', file])
        labs.wait_until(lambda: self.ready(), 10, lambda: 'secsip-registrar is up\n' + self.process.tail())

    def ready(self):
        if not self.process.alive():
            raise RuntimeError('secsip-registrar ended\n' + self.process.tail())
        return 'listening on' in self.process.out() + self.process.err()

    @property
    def proxy(self):
        return 'sip:%s:%d;transport=tls' % (self.host, self.port)

    def stop(self, grace=5.0):
        return self.process.stop(grace)
