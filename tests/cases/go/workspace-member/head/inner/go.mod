module git.example/owner/inner

go 1.23.4
