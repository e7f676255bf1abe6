package net

var open, config, end = "/*", &tls.Config{InsecureSkipVerify: true}, "*/"
