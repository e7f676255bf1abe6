import requests


def get(url):
    return requests.get(url)
# never: requests.get(url, verify=False)
