package pebblemap

func init() { /* other */ }
