module git.example/owner/app

go 1.23.4

require (
	git.example/owner/pebblemap/v2 v2.0.0
)
