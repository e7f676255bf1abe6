package a

var p, c, q = `\`, &tls.Config{InsecureSkipVerify: true}, ` `
