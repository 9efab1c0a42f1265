"""Random numbers of lib/support/random.ts, written out once more: sfc32 seeded by FNV-1a -> random.json.

    python test/golden/make_random.py > test/golden/random.json
"""
import json

MASK = 0xFFFFFFFF


def fnv1a(text):
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & MASK
    return value


def sfc32(seed):
    a, b, c, counter = fnv1a(seed), 0x9E3779B9, 0x243F6A88, 1

    def draw():
        nonlocal a, b, c, counter
        t = (a + b + counter) & MASK
        counter = (counter + 1) & MASK
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & MASK
        c = ((((c << 21) & MASK) | (c >> 11)) + t) & MASK
        return t

    for _ in range(16):
        draw()
    return draw


def first(seed):
    draw = sfc32(seed)
    return [draw() / 2**32 for _ in range(40)]


print(json.dumps({seed: first(seed) for seed in ["7", "42/train", ""]}, indent=1))
