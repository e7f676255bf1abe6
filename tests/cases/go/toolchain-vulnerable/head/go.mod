module git.example/owner/app

go 1.20.1

require (
	git.example/owner/pebblemap v1.0.0
)
