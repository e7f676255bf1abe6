import requests

s = f"{requests.get(url, verify=False).text}"
