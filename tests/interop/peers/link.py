"""Two network namespaces and a wire between them that loses packets: a TUN device in each, and a thread that carries from one
to the other. They live as long as the processes that hold them, which end with the test; nothing has a name."""
import ctypes
import fcntl
import os
import random
import select
import struct
import sys
import threading

from peers import lab as labs

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454ca, 0x0001, 0x1000, 0x40000000
ENDS = ('10.77.0.1', '10.77.0.2')


class Namespace:
    def __init__(self, lab, name, address):
        self.address = address
        self.process = lab.start(name, ['unshare', '--net', 'sleep', '600'])
        self.pid = self.process.process.pid
        ours = os.readlink('/proc/self/ns/net')
        labs.wait_until(lambda: self.process.alive() and os.readlink('/proc/%d/ns/net' % self.pid) != ours, 5, 'a namespace')
        self.inside = ('nsenter', '--net=/proc/%d/ns/net' % self.pid)
        self.tun = self.open_tun()
        for n, command in enumerate(('link set lo up', 'address add %s/24 dev tun0' % address, 'link set tun0 up')):
            if lab.start('%s-ip%d' % (name, n), [*self.inside, 'ip', *command.split()]).wait(5):
                raise RuntimeError('ip %s' % command)

    def open_tun(self):
        """The device is made by a thread that has gone into the namespace; its descriptor works from everywhere."""
        found = []

        def go():
            libc = ctypes.CDLL(None, use_errno=True)
            with open('/proc/%d/ns/net' % self.pid) as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET):
                    return
            tun = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(tun, TUNSETIFF, struct.pack('16sH14x', b'tun0', IFF_TUN | IFF_NO_PI))
            found.append(tun)
        thread = threading.Thread(target=go)
        thread.start()
        thread.join()
        if not found:
            raise PermissionError('no network device can be made in a namespace')
        return found[0]


class Link(threading.Thread):
    """Loses so many of a hundred packets each way, chosen by a seed that is printed."""

    def __init__(self, lab, loss_percent):
        super().__init__(daemon=True)
        self.loss = loss_percent
        self.seed = int(os.environ.get('SECSIP_SEED') or random.SystemRandom().randrange(1 << 32))
        self.carried = self.lost = 0
        self.ended = False
        self.near, self.far = (Namespace(lab, 'namespace-%d' % n, address) for n, address in enumerate(ENDS))
        print('SECSIP_SEED=%d' % self.seed, flush=True)
        self.start()

    def run(self):
        dice = random.Random(self.seed)
        other = {self.near.tun: self.far.tun, self.far.tun: self.near.tun}
        while not self.ended:
            for tun in select.select(list(other), [], [], 0.1)[0]:
                packet = os.read(tun, 65536)
                if packet[0] >> 4 != 4:
                    continue  # the kernel's own IPv6 chatter
                if dice.randrange(100) < self.loss:
                    self.lost += 1
                    continue
                self.carried += 1
                os.write(other[tun], packet)

    def close(self):
        self.ended = True
        self.join()
        for end in (self.near, self.far):
            os.close(end.tun)


def make(lab, loss_percent):
    """None, or an end of the test as skipped or failed, where namespaces may not be made."""
    try:
        return Link(lab, loss_percent)
    except (OSError, TimeoutError, RuntimeError) as e:
        if os.environ.get('SECSIP_REQUIRE_PEERS') == '1':
            raise
        print('SKIPPED: no network namespaces here: %s' % e, flush=True)
        lab.close()
        sys.exit(77)
