//go:build !mpi || !cgo

package mpi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/distributed/mpi"
)

var _ distributed.Engine = (*mpi.Engine)(nil)

func TestStartWithoutMPI(t *testing.T) {
	_, err := mpi.Start()
	require.ErrorContains(t, err, "go build -tags mpi")
}
