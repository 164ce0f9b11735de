module github.com/ambit-go/ambit/cmd/ambit

go 1.26.0

replace github.com/ambit-go/ambit => ../..

require github.com/ambit-go/ambit v0.0.0
