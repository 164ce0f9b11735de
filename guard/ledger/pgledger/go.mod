module github.com/ambit-go/ambit/guard/ledger/pgledger

go 1.26.0

replace github.com/ambit-go/ambit => ../../..

require (
	github.com/ambit-go/ambit v0.0.0
	github.com/jackc/pgx/v5 v5.12.0
	github.com/stretchr/testify v1.12.1
)
