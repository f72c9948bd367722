module github.com/coatcheck/coatcheck/chimw/upgrades

go 1.25.1

require (
	github.com/coatcheck/coatcheck v0.0.0
	github.com/coder/websocket v1.8.15
	github.com/go-chi/chi/v5 v5.5.0
	github.com/gorilla/websocket v1.5.3
	go.uber.org/goleak v1.3.0
)

require (
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
)

replace github.com/coatcheck/coatcheck => ../..
