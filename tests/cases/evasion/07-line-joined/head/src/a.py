import requests
# note \
requests.get(url, verify=False)
