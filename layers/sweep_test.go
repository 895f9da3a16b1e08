package layers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gowalrus/gowalrus/internal/testbackend"
	"github.com/stretchr/testify/require"
)

// job is one case of a sweep: a graph and the plain Go reference for the same inputs.
type job struct {
	name  string
	in    []array
	graph func(in []*Node) []*Node
	// want holds the expected outputs; check, if set, checks the outputs instead.
	want  []array
	check func(t *testing.T, got []array)
	// tol32 replaces the tolerance in float32, relative to the largest value.
	tol32 float64
}

// precision is a dtype of a sweep and its error bound, relative to the largest magnitude of
// a tensor.
type precision struct {
	dtype dtypes.DType
	tol   float64
}

var precisions = []precision{{dtypes.Float64, 1e-10}, {dtypes.Float32, 1e-5}}

// runJobs runs all jobs as one graph, in float64 and in float32, and checks each in a
// subtest. A result whose dtype differs from the inputs' fails the test.
func runJobs(t *testing.T, jobs ...job) {
	t.Helper()
	var runs []run
	for _, j := range jobs {
		for _, p := range precisions {
			runs = append(runs, run{job: j, precision: p})
		}
	}
	runAll(t, runs)
}

// manyJobs is the number of jobs above which a sweep is thinned on a compiling backend.
const manyJobs = 40

// runSweep is runJobs with every job in one of the two precisions, alternately, for sweeps
// over too many shapes to compile twice. On backends that compile every shape, sweeps with
// more than manyJobs run every other job; the pure Go backend runs all.
func runSweep(t *testing.T, jobs ...job) {
	t.Helper()
	thin := len(jobs) > manyJobs && !strings.HasPrefix(testbackend.New(t).Name(), "Go ")
	var runs []run
	for i, j := range jobs {
		if thin && i%4 != 0 && i%4 != 3 {
			continue
		}
		runs = append(runs, run{job: j, precision: precisions[i%len(precisions)]})
	}
	runAll(t, runs)
}

// run is a job in one precision with its results.
type run struct {
	job
	precision
	results []array
}

func runAll(t *testing.T, runs []run) {
	t.Helper()
	var inputs []*tensors.Tensor
	for _, r := range runs {
		for _, a := range r.in {
			inputs = append(inputs, a.tensor())
		}
	}
	flat := testbackend.RunAs[float64](t, func(nodes []*Node) (out []*Node) {
		for i, r := range runs {
			runs[i].results = nil
			for _, n := range r.build(nodes[:len(r.in)], r.dtype) {
				runs[i].results = append(runs[i].results, array{dims: n.Shape().Dimensions})
				out = append(out, ConvertDType(n, dtypes.Float64))
			}
			nodes = nodes[len(r.in):]
		}
		return out
	}, inputs...)
	for _, r := range runs {
		for k := range r.results {
			r.results[k].data, flat = flat[0], flat[1:]
		}
		t.Run(fmt.Sprintf("%s/%s", r.name, r.dtype), func(t *testing.T) { r.verify(t, r.results, r.precision) })
	}
}

// build builds the job's graph with inputs of one dtype.
func (j job) build(in []*Node, dtype dtypes.DType) []*Node {
	defer func() {
		if r := recover(); r != nil {
			panic(fmt.Errorf("%s: %v", j.name, r))
		}
	}()
	cast := make([]*Node, len(in))
	for i, n := range in {
		cast[i] = n
		if n.DType().IsFloat() {
			cast[i] = ConvertDType(n, dtype)
		}
	}
	out := j.graph(cast)
	for i, n := range out {
		must(n.DType() == dtype, "output %d: expected %s, got %s", i, dtype, n.DType())
	}
	return out
}

func (j job) verify(t *testing.T, got []array, p precision) {
	t.Helper()
	if j.check != nil {
		j.check(t, got)
		return
	}
	tol := p.tol
	if p.dtype == dtypes.Float32 && j.tol32 > 0 {
		tol = j.tol32
	}
	require.Len(t, got, len(j.want))
	for i, want := range j.want {
		requireClose(t, want, got[i], tol, "output %d", i)
	}
}
