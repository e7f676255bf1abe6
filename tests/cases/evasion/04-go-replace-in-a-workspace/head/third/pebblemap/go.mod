module git.example/owner/pebblemap

go 1.23.4
