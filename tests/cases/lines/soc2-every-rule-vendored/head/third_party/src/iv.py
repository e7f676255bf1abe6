from Crypto.Cipher import AES


def cipher(key):
    return AES.new(key, AES.MODE_CBC, iv=b"0000000000000000")
