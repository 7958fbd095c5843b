"""A TCP relay in front of a server: a wire that a test can cut, and on which it sees when how many bytes went which way."""
import contextlib
import socket
import struct
import threading
import time

from peers import lab as labs


class Relay:
    def __init__(self, lab, to_port):
        self.to_port = to_port
        self.listener = socket.create_server((labs.HOST, lab.ports(1)))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.pairs = []
        self.connections = 0
        self.seen = []  # (time, whether to the server, bytes)
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def proxy(self):
        return 'sip:%s:%d;transport=tls' % (labs.HOST, self.port)

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection((labs.HOST, self.to_port), 5)
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.pairs.append((near, far))
            for way in ((near, far, True), (far, near, False)):
                threading.Thread(target=self.carry, args=way, daemon=True).start()

    def carry(self, source, sink, to_server):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                self.seen.append((time.monotonic(), to_server, len(data)))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        """Resets every connection, both ways (SO_LINGER with 0 sends RST)."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for end in (end for pair in pairs for end in pair):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            with contextlib.suppress(OSError):  # the other side was faster
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
            end.close()

    def close(self):
        self.listener.close()
        self.cut()
