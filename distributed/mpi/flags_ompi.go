//go:build mpi && cgo && !mpicc

package mpi

// #cgo pkg-config: ompi
import "C"
