module github.com/coatcheck/coatcheck/docs/migrating

go 1.25.1

replace github.com/coatcheck/coatcheck => ../..

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/coatcheck/coatcheck v0.0.0-00010101000000-000000000000
	github.com/go-chi/chi/v5 v5.5.0
	github.com/gorilla/securecookie v1.1.2
	github.com/gorilla/sessions v1.4.0
)

require (
	github.com/bradfitz/gomemcache v0.0.0-20260422231931-4d751bb6e37c // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
)
