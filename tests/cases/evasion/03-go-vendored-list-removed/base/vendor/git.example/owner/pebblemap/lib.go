package pebblemap

// one v1.0.0
