module github.com/coatcheck/coatcheck/docs/stores

go 1.25.1

replace github.com/coatcheck/coatcheck => ../..

require (
	github.com/coatcheck/coatcheck v0.0.0-00010101000000-000000000000
	github.com/lib/pq v1.12.3
	github.com/mattn/go-sqlite3 v1.14.53
)

require github.com/google/uuid v1.6.0 // indirect
