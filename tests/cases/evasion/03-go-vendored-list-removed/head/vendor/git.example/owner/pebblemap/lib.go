package pebblemap

func init() {}
