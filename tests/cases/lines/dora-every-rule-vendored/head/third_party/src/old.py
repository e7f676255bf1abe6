def block(key):
    return ARC4.new(key)
