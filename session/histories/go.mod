module github.com/coatcheck/coatcheck/session/histories

go 1.25.1

replace github.com/coatcheck/coatcheck => ../..

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/coatcheck/coatcheck v0.0.0-00010101000000-000000000000
)

require (
	github.com/bradfitz/gomemcache v0.0.0-20260422231931-4d751bb6e37c // indirect
	github.com/google/uuid v1.6.0 // indirect
)
