import requests


def get(url):
    # portcullis:allow(tls-verification-off) only in the lab
    return requests.get(url, verify=False, timeout=3)
