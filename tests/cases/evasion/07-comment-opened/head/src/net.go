package net

var config = &tls.Config{InsecureSkipVerify: true}
func Get() {}
