// pebblemap 1.1.0
