package old

import "crypto/des"

func block(key []byte) { _, _ = des.NewCipher(key) }
