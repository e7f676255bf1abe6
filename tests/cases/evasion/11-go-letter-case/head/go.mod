module git.example/owner/app

go 1.23.4

require (
	git.example/owner/PebbleMap v1.0.0
)
