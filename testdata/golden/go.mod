// This file keeps the golden vectors out of the published module.
module github.com/gowalrus/gowalrus/testdata/golden

go 1.26.5
