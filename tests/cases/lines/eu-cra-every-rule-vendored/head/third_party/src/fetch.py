import requests


def fetch(mrn):
    return requests.get(f"https://records.clinic.invalid/visits?mrn={mrn}")
