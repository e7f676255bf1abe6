module git.example/owner/app

go 1.23.4

require (
	git.example/owner/gravelhash v1.2.0
)
