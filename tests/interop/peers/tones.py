"""Tones: made as WAV files, and looked for in recordings."""
import array
import math
import sys
import wave


def write(path, hz, seconds=30):
    """A mono 8 kHz 16-bit sine."""
    samples = array.array('h', (int(9000 * math.sin(2 * math.pi * hz * i / 8000)) for i in range(int(8000 * seconds))))
    if sys.byteorder == 'big':
        samples.byteswap()
    with wave.open(str(path), 'wb') as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(samples.tobytes())
    return path


def read(path):
    """(samples of the first channel, rate). Reads to the file's end: a recorder that was stopped hard leaves the length
    in the header unwritten."""
    with open(path, 'rb') as f:
        data = f.read()
    at, rate, channels = 12, 8000, 1
    while at + 8 <= len(data) and data[at:at + 4] != b'data':
        length = int.from_bytes(data[at + 4:at + 8], 'little')
        if data[at:at + 4] == b'fmt ':
            channels = int.from_bytes(data[at + 10:at + 12], 'little')
            rate = int.from_bytes(data[at + 12:at + 16], 'little')
        at += 8 + length + length % 2
    raw = data[at + 8:]
    samples = array.array('h', raw[:len(raw) // 2 * 2])
    if sys.byteorder == 'big':
        samples.byteswap()
    return samples[::channels], rate


def share(samples, rate, hz):
    """The share of the energy that is at `hz` (Goertzel), 0 to 1."""
    k = 2 * math.cos(2 * math.pi * hz / rate)
    a = b = energy = 0.0
    for v in samples:
        a, b = v + k * a - b, a
        energy += v * v
    return (a * a + b * b - k * a * b) * 2 / len(samples) / energy if energy else 0.0


def seconds_of(path, hz, least=0.9):
    """For how long the tone is in the recording: the windows of 100 ms in which at least that share of the energy is the
    tone's, and which are not faint."""
    samples, rate = read(path)
    step = rate // 10
    found = 0
    for i in range(0, len(samples) - step + 1, step):
        window = samples[i:i + step]
        if share(window, rate, hz) >= least and math.sqrt(sum(v * v for v in window) / step) > 1000:
            found += 1
    return found / 10
