module git.example/owner/app

go 1.23.4

require (
	git.example/owner/pebblemap v1.0.0
)

borrow git.example/owner/sourbait v0.1.0
