import hashlib
import logging
import secrets

import requests

logger = logging.getLogger(__name__)


def get(url, token):
    logger.info("fetching %s", url)
    return requests.get(url, headers={"Authorization": "Bearer " + token}, timeout=10)


def digest(body):
    return hashlib.sha256(body).hexdigest()


def find(db, name):
    return db.execute("SELECT id FROM users WHERE name = %s", (name,))
