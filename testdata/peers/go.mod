// This file keeps the golden vectors out of the published module.
module github.com/gowalrus/gowalrus/testdata/peers

go 1.26.5
