"""Kamailio as registrar and proxy of example.test, over TLS, and over UDP at the same port. Users alice, bob, carol and dave, each with the
password NAMEpw. It answers sip:code-486@example.test with 486, and so for every status from 300 to 699."""
import os
import pathlib
import signal

from peers import lab as labs

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = 'kamailio'


class Kamailio:
    def __init__(self, lab, certs, certificate='good', mutual=False, define=()):
        """mutual: a client certificate is required, and stands for the password. define: names for #!ifdef in kamailio.cfg.in."""
        self.lab = lab
        self.options = [o for name in [*(['WITH_MUTUAL'] if mutual else []), *define] for o in ('-A', name)]
        self.port = lab.ports(1)
        self.dir = lab.dir / ('kamailio-%d' % self.port)
        self.dir.mkdir()
        values = {'PORT': self.port, 'DIR': self.dir, 'CERT': certs / (certificate + '.crt'),
                  'KEY': certs / (certificate + '.key'), 'CA': certs / 'ca.crt', 'MUTUAL': 'yes' if mutual else 'no'}
        for name in ('kamailio.cfg', 'tls.cfg'):
            text = (HERE / (name + '.in')).read_text()
            for key, value in values.items():
                text = text.replace('@%s@' % key, str(value))
            (self.dir / name).write_text(text)
        self.process = None
        self.start()

    def start(self):
        path = '/usr/sbin/kamailio' if pathlib.Path('/usr/sbin/kamailio').exists() else PROGRAM
        # -DD stays in the foreground with its children; memory in MB is shared (-m) and per process (-M).
        self.process = self.lab.start('kamailio-%d' % self.port, [
            path, '-DD', '-E', '-w', self.dir, '-f', self.dir / 'kamailio.cfg', '-P', self.dir / 'pid', '-Y', self.dir,
            '-m', '32', '-M', '8', *self.options])
        labs.wait_until(lambda: self.ready(), 10, lambda: 'kamailio is up\n' + self.process.tail())

    def ready(self):
        if not self.process.alive():
            raise RuntimeError('kamailio ended\n' + self.process.tail())
        return labs.listening(self.port)

    def stop(self):
        # A clean end takes 2 s and saves nothing: all it knows is in memory.
        self.process.stop(0.3)

    def pause(self):
        """All its processes stop where they are; the kernel goes on taking what comes for them."""
        os.killpg(self.process.process.pid, signal.SIGSTOP)

    def resume(self):
        os.killpg(self.process.process.pid, signal.SIGCONT)

    @property
    def proxy(self):
        return 'sip:%s:%d;transport=tls' % (labs.HOST, self.port)

    def log(self):
        return self.process.err()
