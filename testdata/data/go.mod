// This file keeps the data vectors out of the published module.
module github.com/gowalrus/gowalrus/testdata/data

go 1.26.5
