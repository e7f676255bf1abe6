// pebblemap 1.0.0
