package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/walrus"
)

// share returns a task's operations per second divided by those of products of square
// matrices on the same backend and in the network's type, the best of twenty.
func share(b compute.Backend, c walrus.Config, s size, task string, half bool, seconds float64) (float64, error) {
	n, err := operations(c, s, task)
	if err != nil {
		return 0, err
	}
	width, products, dtype := 2048, 1, dtypes.Float32
	if onGPU(b) {
		width, products = 8192, 8
	}
	if half {
		dtype = dtypes.BFloat16
	}
	exec, err := NewExec(b, func(x *Node) *Node {
		x = ConvertDType(x, dtype)
		y := x
		for range products {
			y = Dot(y, x).Product()
		}
		return ConvertDType(ReduceAllMax(y), dtypes.Float32) // a small result, whose reading waits for the product
	})
	if err != nil {
		return 0, err
	}
	defer exec.Finalize()
	rng := rand.New(rand.NewPCG(1, 1))
	values := make([]float32, width*width)
	for i := range values {
		values[i] = float32(rng.NormFloat64() / math.Sqrt(float64(width))) // products keep this size
	}
	x := tensors.FromFlatDataAndDimensions(values, width, width)
	defer x.FinalizeAll()
	best := 0.0
	for range 20 {
		begin := time.Now()
		out, err := exec.Call(x)
		if err != nil {
			return 0, err
		}
		if _, err := tensors.CopyFlatData[float32](out[0]); err != nil {
			return 0, err
		}
		best = max(best, float64(2*products*width*width*width)/time.Since(begin).Seconds())
		out[0].FinalizeAll()
	}
	return n / seconds / best, nil
}

func onGPU(b compute.Backend) bool {
	c, ok := b.(interface{ IsCUDA() bool })
	return ok && c.IsCUDA()
}

// deviceMiB returns the GPU memory in use by all programs. Allocators keep the memory
// that they once used, so at the end of a program that has the GPU to itself this is
// the program's peak.
func deviceMiB() (int64, error) {
	out, err := exec.Command("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits").Output()
	if err != nil {
		return 0, fmt.Errorf("nvidia-smi: %w", err)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return strconv.ParseInt(strings.TrimSpace(first), 10, 64)
}

// operations counts the operations of the network alone: forward, or in training
// forward and backward. A forecast computes only the last frame, as a network that is
// not causal does.
func operations(c walrus.Config, s size, task string) (float64, error) {
	m, err := walrus.NewModel(c)
	if err != nil {
		return 0, err
	}
	w := window(s)
	plan, err := m.Plan(w.Grid, w.Boundaries)
	if err != nil {
		return 0, err
	}
	shape := distributed.BatchShape{Grid: w.Grid, Boundaries: w.Boundaries, Steps: s.frames, Variable: 5}
	c.Causal = task == "step"
	f := distributed.CountFLOPs(c, plan, shape)
	if task == "step" {
		return 3 * f.Total(), nil
	}
	return f.Total(), nil
}
