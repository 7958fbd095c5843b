"""baresip without audio hardware: it plays a WAV file, records what it decodes, answers by itself, and is told to call
over its control port (netstrings of JSON)."""
import json
import re
import socket
import time

from peers import lab as labs

PROGRAM = 'baresip'
CONFIG = '''poll_method             epoll
sip_listen              127.0.0.1:{sip}
sip_certificate         {certs}/{user}.pem
sip_cafile              {certs}/ca.crt
call_local_timeout      120
call_max_calls          8
audio_player            aubridge,sink-{user}
audio_source            aufile,{tone}
audio_alert             aubridge,alert-{user}
ausrc_srate             8000
auplay_srate            8000
audio_level             no
rtp_ports               {rtp}-{rtp_end}
rtcp_mux                no
rtp_stats               yes
net_interface           127.0.0.1
module_path             {modules}
module                  g711.so
module                  aufile.so
module                  aubridge.so
module                  sndfile.so
module                  srtp.so
module_tmp              uuid.so
module_tmp              account.so
module_app              contact.so
module_app              menu.so
module_app              ctrl_tcp.so
ctrl_tcp_listen         127.0.0.1:{control}
snd_path                {dir}
'''
ACCOUNT = '<sip:{user}@example.test;transport=tls>;auth_user={user};auth_pass={user}pw;outbound="{proxy}";regint=60;' \
          'answermode=auto;audio_codecs=PCMU/8000/1;mwi=no;ptime=20{media}\n'


class Baresip:
    """A phone of `user`, registered when the constructor returns. media: None, 'srtp' or 'srtp-mand'."""

    def __init__(self, lab, certs, user, proxy, tone, media='srtp-mand'):
        self.lab, self.user = lab, user
        self.dir = lab.dir / ('baresip-%s-%d' % (user, lab.ports(1)))
        self.dir.mkdir()
        self.sip, self.rtp, self.control = lab.ports(2), lab.ports(10), lab.ports(1)
        (self.dir / 'config').write_text(CONFIG.format(
            sip=self.sip, certs=certs, user=user, tone=tone, rtp=self.rtp, rtp_end=self.rtp + 9, control=self.control,
            dir=self.dir, modules=self.modules()))
        (self.dir / 'accounts').write_text(ACCOUNT.format(user=user, proxy=proxy, media=';mediaenc=' + media if media else ''))
        (self.dir / 'contacts').write_text('')
        # stdbuf: baresip would keep its log to itself until it ends.
        self.process = lab.start(self.dir.name, ['stdbuf', '-oL', '-eL', PROGRAM, '-f', self.dir, '-s', '-v'])
        labs.wait_until(self.registered, 10, lambda: 'baresip %s registered\n%s' % (user, self.process.tail()))

    @staticmethod
    def modules():
        return next(p for p in ('/usr/lib/baresip/modules', '/usr/local/lib/baresip/modules') if labs.pathlib.Path(p).is_dir())

    def registered(self):
        if not self.process.alive():
            raise RuntimeError('baresip ended\n' + self.process.tail())
        log = self.log()
        return 'baresip is ready' in log and re.search(r'200 OK \(.*\) \[\d+ binding', log)

    def log(self):
        return re.sub(r'\x1b\[[0-9;]*m', '', self.process.out() + self.process.err())

    def command(self, command, params=''):
        """Sends one command and returns the response's text."""
        message = {'command': command, 'token': 't'}
        if params:
            message['params'] = params
        text = json.dumps(message).encode()
        with socket.create_connection((labs.HOST, self.control), 3) as s:
            s.sendall(b'%d:%s,' % (len(text), text))
            got, end = b'', time.monotonic() + 5
            while time.monotonic() < end:
                s.settimeout(max(0.01, end - time.monotonic()))
                data = s.recv(65536)
                if not data:
                    break
                got += data
                while b':' in got:
                    length, rest = got.split(b':', 1)
                    if len(rest) < int(length) + 1:
                        break
                    answer = json.loads(rest[:int(length)])
                    got = rest[int(length) + 1:]
                    if answer.get('response'):
                        return answer.get('data', '')
        raise TimeoutError('baresip %s does not answer %r' % (self.user, command))

    def dial(self, target):
        self.command('dial', target)

    def hangup(self):
        self.command('hangup')

    def wait_established(self, seconds=10):
        labs.wait_until(lambda: 'Call established' in self.log(), seconds,
                        lambda: 'baresip %s has a call\n%s' % (self.user, self.log()[-3000:]))

    def wait_closed(self, seconds=10):
        labs.wait_until(lambda: re.search(r'session closed|[Cc]all with .* terminated', self.log()), seconds,
                        lambda: 'the call of baresip %s is closed\n%s' % (self.user, self.log()[-3000:]))

    def recording(self):
        """The WAV file of what was decoded."""
        found = sorted(self.dir.glob('dump-*dec.wav'))
        if not found:
            raise AssertionError('baresip %s recorded nothing\n%s' % (self.user, self.log()[-3000:]))
        return found[-1]

    def stop(self):
        self.process.stop(0.5)
