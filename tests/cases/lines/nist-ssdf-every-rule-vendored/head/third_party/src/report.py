import requests


def send(body):
    return requests.post("http://reports.corp.net/daily", json=body)
