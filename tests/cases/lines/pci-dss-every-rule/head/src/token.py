import random


def make_token():
    return "".join(random.choice(ALPHABET) for _ in range(32))
