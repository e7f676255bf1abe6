import hashlib


def of(body):
    return hashlib.md5(body).hexdigest()
