module git.example/owner/app // the app
go 1.23.4
require git.example/owner/quarrykit v1.2.0
require git.example/owner/pebblemap v1.0.0
