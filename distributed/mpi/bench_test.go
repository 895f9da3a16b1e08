//go:build mpi && cgo

package mpi

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// benchmarkVariable holds length and number of the sums of a benchmark.
const benchmarkVariable = "GOWALRUS_MPI_BENCHMARK"

// benchmark sums a vector several times; rank 0 prints the time.
func benchmark(e *Engine) error {
	var length, count int
	if _, err := fmt.Sscan(os.Getenv(benchmarkVariable), &length, &count); err != nil {
		return err
	}
	values := make([]float32, length)
	var begin time.Time
	for i := range count + 1 {
		if i == 1 {
			begin = time.Now() // the first sum has set up connections
		}
		if err := e.Sum(values)(); err != nil {
			return err
		}
	}
	if e.Rank() == 0 {
		fmt.Printf("took %d ns\n", time.Since(begin).Nanoseconds())
	}
	return nil
}

// BenchmarkSum measures sums of float32 values over the ranks of this machine. GB/s is
// the size of one rank's values divided by the time of a sum. The ranks measure the
// times themselves, so mpirun's start is not included.
func BenchmarkSum(b *testing.B) {
	for _, transport := range []string{"self,vader", "self,tcp"} {
		for _, ranks := range []int{2, 4} {
			for _, length := range []int{1 << 10, 1 << 20, 16 << 20} {
				b.Run(fmt.Sprintf("%s/%d ranks/%d KB", transport, ranks, length>>8), func(b *testing.B) {
					count := max(3, min(2000, 1<<27/length))
					b.Setenv(benchmarkVariable, strconv.Itoa(length)+" "+strconv.Itoa(count))
					o := mpirun(b, ranks, "benchmark", "--mca", "pml", "ob1", "--mca", "btl", transport)
					o.requirePassed(b, ranks)
					_, after, _ := strings.Cut(o.text, "took ")
					text, _, _ := strings.Cut(after, " ns")
					ns, err := strconv.ParseFloat(text, 64)
					require.NoError(b, err, o.text)
					b.ReportMetric(ns/float64(count), "ns/op")
					b.ReportMetric(float64(4*length*count)/ns, "GB/s")
				})
			}
		}
	}
}
