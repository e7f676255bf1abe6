import requests

DOC = """
"""
requests.get(url, verify=False)
