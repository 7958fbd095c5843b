"""dnsmasq as the name server of a lab; it needs no root."""
from peers import lab as labs

PROGRAM = 'dnsmasq'


class Dns:
    def __init__(self, lab, *records):
        """records: options of dnsmasq, 'srv-host=_sips._tcp.example.test,sip.example.test,5061,1,1'."""
        self.port = lab.ports(1)
        config = lab.dir / ('dnsmasq-%d.conf' % self.port)
        config.write_text('\n'.join((
            'port=%d' % self.port, 'listen-address=%s' % labs.HOST, 'bind-interfaces', 'no-resolv', 'no-hosts', 'no-poll',
            'pid-file=', 'user=', 'cache-size=0', 'local=/test/', 'log-queries', 'log-facility=-', *records)) + '\n')
        self.process = lab.start('dnsmasq-%d' % self.port, ['/usr/sbin/dnsmasq', '-k', '-C', config])
        labs.wait_until(self.ready, 10, lambda: 'dnsmasq is up\n' + self.process.tail())

    def ready(self):
        if not self.process.alive():
            raise RuntimeError('dnsmasq ended\n' + self.process.tail())
        return labs.listening(self.port)  # it answers over TCP too

    @property
    def servers(self):
        return '%s:%d' % (labs.HOST, self.port)

    def log(self):
        return self.process.err() + self.process.out()
