#!/usr/bin/env python3
"""The README's program, built against the installed library as the README says, makes a call: it registers with
secsip-registrar, calls a secsip-phone that answers, and both hear something."""
import os
import pathlib
import re
import shlex
import subprocess
import unittest

from peers import certs, lab, tones
from peers.ours import Phone, Registrar

lab.require('certtool')


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False, **options)
    if done.returncode:
        raise AssertionError('%s: %d\n%s' % (command[0], done.returncode, done.stdout))
    return done.stdout


class Readme(unittest.TestCase):
    def test_the_program_of_the_readme_makes_a_call(self):
        with lab.Lab() as place:
            keys = certs.make(place.dir / 'certs')
            server = Registrar(place, keys)
            tone, heard = tones.write(place.dir / '880.wav', 880), place.dir / 'heard.wav'
            bob = Phone(place, 'bob', server.proxy, keys / 'ca.crt', '--register', '--answer', duration=10, play=tone,
                        record=heard)
            bob.wait_event('registered')

            program, env = self.build(place.dir)
            env['SECSIP_PASSWORD'] = 'alicepw'
            hello = place.start('hello', [program, 'sip:alice@example.test', server.proxy, keys / 'ca.crt',
                                          'sip:bob@example.test'], env=env)
            self.assertEqual(hello.wait(20), 0, hello.tail() + bob.tail())
            self.assertEqual(bob.finish(10), 0, bob.tail())
            # A square wave of 400 Hz has four fifths of its energy there.
            self.assertGreaterEqual(tones.seconds_of(heard, 400, least=0.7), 2.5, bob.tail())

    def build(self, folder):
        prefix = folder / 'prefix'
        run('cmake', '--install', lab.BUILD, '--prefix', prefix)
        library = next(prefix.rglob('libsecsip.so')).parent
        blocks = re.findall(r'^```c\n(.*?)^```', (lab.SOURCE / 'README.md').read_text(), re.M | re.S)
        source = folder / 'hello.c'
        source.write_text(next(b for b in blocks if 'int main(' in b))
        env = dict(os.environ, PKG_CONFIG_PATH=str(library / 'pkgconfig'))
        flags = shlex.split(run('pkg-config', '--cflags', '--libs', 'libsecsip', env=env))
        cached = pathlib.Path(lab.BUILD, 'CMakeCache.txt').read_text()
        sanitize = re.search(r'^SECSIP_SANITIZE:\w+=(.+)$', cached, re.M)
        run('cc', '-o', folder / 'hello', source, *flags, *(['-fsanitize=' + sanitize.group(1)] if sanitize else []))
        return folder / 'hello', {'LD_LIBRARY_PATH': str(library)}


if __name__ == '__main__':
    unittest.main(verbosity=2)
