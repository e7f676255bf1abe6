def is_private(line):
    return line.startswith("-----BEGIN RSA PRIVATE KEY-----")
