package pebblemap

// one v1.1.0
