module git.example/owner/web

go 1.23.4

require (
	git.example/owner/pebblemap v1.0.0
)
