import hashlib


def of(password):
    return hashlib.md5(password).hexdigest()
