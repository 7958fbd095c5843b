"""One test's place to work: a temporary folder, a block of ports that no other test of this machine holds, and processes
that end with the test whatever happens."""
import ctypes
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = pathlib.Path(os.environ.get('SECSIP_SOURCE') or pathlib.Path(__file__).resolve().parents[3])
BUILD = pathlib.Path(os.environ.get('SECSIP_BUILD') or SOURCE / 'build/release')
FIRST_PORT, BLOCK, BLOCKS = 25000, 200, 20
HOST = '127.0.0.1'


def require(*programs):
    """Ends the test, as skipped or as failed where peers are required, when a program of others is not installed."""
    for program in programs:
        path = os.environ['PATH'] + os.pathsep + '/usr/sbin' + os.pathsep + '/sbin'
        if not shutil.which(program, path=path):
            if os.environ.get('SECSIP_REQUIRE_PEERS') == '1':
                print('FAILED: %s is required and is not installed (tools/setup interop)' % program, flush=True)
                sys.exit(1)
            print('SKIPPED: %s is not installed (tools/setup interop)' % program, flush=True)
            sys.exit(77)


def ours(program):
    """The path of one of our own programs."""
    path = BUILD / 'examples' / program
    if not path.exists():
        sys.exit('FAILED: %s is not built' % program)
    return path


def wait_until(condition, seconds, what):
    """Polls; what it waits for has no descriptor to wait on. Returns the condition's value, raises when it stays false."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError('not within %g s: %s' % (seconds, what() if callable(what) else what))
        time.sleep(0.02)


def die_with_parent():
    """In the child: killed when the test is, as ctest does when its time is up (Linux PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Process:
    """A program in a session of its own. Its output goes to two files, read with out() and err()."""

    def __init__(self, lab, name, argv, env=None, cwd=None):
        self.name = name
        self.files = [lab.dir / ('%s.%s' % (name, kind)) for kind in ('out', 'err')]
        with open(self.files[0], 'wb') as out, open(self.files[1], 'wb') as err:
            self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=dict(os.environ, **(env or {})), cwd=cwd, start_new_session=True,
                                            preexec_fn=die_with_parent)

    def out(self):
        return self.files[0].read_text(errors='replace')

    def err(self):
        return self.files[1].read_text(errors='replace')

    def alive(self):
        return self.process.poll() is None

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError('%s did not end within %g s\n%s' % (self.name, seconds, self.tail())) from None

    def stop(self, grace=5.0):
        """TERM, and after the grace KILL for the whole session of that process. Returns its exit code."""
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(grace)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return self.process.wait(5)

    def tail(self, chars=3000):
        return '--- %s: stdout\n%s\n--- %s: stderr\n%s' % (self.name, self.out()[-chars:], self.name, self.err()[-chars:])


class Lab:
    """The folder, the ports and the processes of one test."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='secsip-lab-'))
        self.processes = []
        self.lock, self.next_port, self.last_port = self.reserve()

    @staticmethod
    def reserve():
        """A block of ports, held by a file lock that the system lets go of when the test ends."""
        for block in range(BLOCKS):
            path = os.path.join(tempfile.gettempdir(), 'secsip-lab-ports-%d.lock' % block)
            lock = open(path, 'w')
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            first = FIRST_PORT + block * BLOCK
            return lock, first, first + BLOCK
        sys.exit('FAILED: all blocks of ports are held by other tests')

    def ports(self, n=1):
        """The first of n ports in a row, even, each free for TCP and UDP on loopback."""
        while self.next_port + n <= self.last_port:
            first = self.next_port
            self.next_port += n + n % 2
            if all(self.is_free(p) for p in range(first, first + n)):
                return first
        raise RuntimeError('no free ports left in this block')

    @staticmethod
    def is_free(port):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as s:
                if kind == socket.SOCK_STREAM:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind((HOST, port))
                except OSError:
                    return False
        return True

    def start(self, name, argv, **options):
        process = Process(self, name, argv, **options)
        self.processes.append(process)
        return process

    def stop_all(self, grace=5.0):
        # All are asked first, so that their farewells overlap.
        for process in self.processes:
            if process.alive():
                process.process.terminate()
        end = time.monotonic() + grace
        for process in reversed(self.processes):
            process.stop(max(0.05, end - time.monotonic()))
        self.processes = []

    def close(self):
        self.stop_all(1.0)
        if os.environ.get('SECSIP_KEEP_LAB') == '1':
            print('kept: %s' % self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        self.lock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def listening(port):
    try:
        socket.create_connection((HOST, port), 0.5).close()
        return True
    except OSError:
        return False


def connections(port):
    """How many TCP connections over IPv4 are open at this port of ours (Linux /proc/net/tcp)."""
    rows = [row.split() for row in pathlib.Path('/proc/net/tcp').read_text().splitlines()[1:]]
    return sum(row[1].endswith(':%04X' % port) and row[3] == '01' for row in rows)


class Capture(threading.Thread):
    """The UDP packets on loopback from or to some ports, as (from port, to port, payload): to prove what was sent, and
    what was not. Needs root, as .ci/run has; where it may not listen, `allowed` is false."""

    def __init__(self, ports):
        super().__init__(daemon=True)
        self.ports, self.packets, self.ended, self.allowed = set(ports), [], False, True
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        except PermissionError:
            if os.environ.get('SECSIP_REQUIRE_PEERS') == '1':
                raise
            self.allowed = False
            return
        self.socket.bind(('lo', 0))
        self.socket.settimeout(0.1)
        self.start()

    def run(self):
        while not self.ended:
            try:
                packet, address = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            if address[2] != socket.PACKET_OUTGOING:  # on loopback each packet is seen going out and coming in
                self.take(packet)

    def take(self, packet):
        header = (packet[0] & 15) * 4
        if packet[9] != socket.IPPROTO_UDP or len(packet) < header + 8:
            return
        ends = [int.from_bytes(packet[header + i:header + i + 2], 'big') for i in (0, 2)]
        if self.ports & set(ends):
            self.packets.append((ends[0], ends[1], packet[header + 8:]))

    def stop(self):
        if self.allowed and not self.ended:
            self.ended = True
            self.join()
            self.socket.close()
        return self.packets


def cpu_seconds(pid):
    """What a process has used of the processor so far."""
    fields = pathlib.Path('/proc/%d/stat' % pid).read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
