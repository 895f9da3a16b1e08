// Command memory compares the predictions of distributed.Estimate and
// walrus.EstimateForecast with the peak memory of training and of forecasts: for each size
// one process trains or forecasts for a few steps and prints its peak.
//
//	PJRT_PLUGIN_LIBRARY_PATH=… GOMLX_BACKEND=xla:cpu go run ./benchmarks/memory
//	PJRT_PLUGIN_LIBRARY_PATH=… GOMLX_BACKEND=xla:cpu go run ./benchmarks/memory -task forecast
//
// The prediction is the estimate plus the memory of a process that does the same with a
// miniature of the network: the runtime, XLA and its compiler. All processes use one arena
// of glibc's malloc (MALLOC_ARENA_MAX=1), so that the peak is the memory of programs,
// not the memory that the allocator keeps for later.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/internal/machine"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// size is a network and its micro-batch.
type size struct {
	Name                  string
	Hidden, Blocks, Heads int
	Grid                  []int
	Steps, Batch          int
	// Checkpoint recomputes every n-th block.
	Checkpoint int
	// Tokens is the target number per axis; 0 is the release's.
	Tokens int
	// Rank is the rank of adapters that are trained instead of the weights, or 0.
	Rank int
}

// miniature returns the same network with small sizes.
func (s size) miniature() size {
	s.Hidden, s.Batch, s.Tokens = 12*s.Heads, 1, 4
	s.Grid = slices.Repeat([]int{16}, len(s.Grid))
	return s
}

var sizes = []size{
	{"small", 256, 4, 4, []int{128, 128}, 6, 1, 0, 0, 0},
	{"small, all blocks recomputed", 256, 4, 4, []int{128, 128}, 6, 1, 1, 0, 0},
	{"half, two windows", 128, 2, 4, []int{128, 128}, 6, 2, 0, 0, 0},
	{"half, all blocks recomputed", 128, 2, 4, []int{128, 128}, 6, 2, 1, 0, 0},
	{"volume", 128, 2, 4, []int{64, 64, 64}, 3, 1, 0, 0, 0},
	{"volume, all blocks recomputed", 128, 6, 4, []int{64, 64, 64}, 3, 1, 1, 0, 0},
	{"small, adapters of rank 8", 256, 4, 4, []int{128, 128}, 6, 1, 0, 0, 8},
	{"wide, adapters of rank 8", 512, 4, 8, []int{128, 128}, 3, 1, 0, 0, 8},
	{"half, adapters of rank 4", 128, 2, 4, []int{128, 128}, 6, 2, 0, 0, 4},
	{"volume, adapters of rank 4", 128, 2, 4, []int{64, 64, 64}, 3, 1, 0, 0, 4},
}

// measurement is the output of a child process.
type measurement struct {
	Backend string `json:"backend"`
	// Peak is the largest resident memory of the process in bytes.
	Peak int64 `json:"peak"`
}

func main() {
	one := flag.String("one", "", "measure here the size given as JSON")
	only := flag.String("only", "", "measure only sizes whose names contain this")
	steps := flag.Int("steps", 3, "training steps")
	task := flag.String("task", "train", "train or forecast")
	path := flag.String("write", "", "write here random weights of the size given as JSON")
	flag.Parse()
	var err error
	switch {
	case *path != "":
		err = write(*one, *path)
	case *one != "" && *task == "forecast":
		err = childForecast(*one)
	case *one != "":
		err = child(*one, *steps)
	case *task == "forecast":
		err = compareForecasts(*only)
	default:
		err = compare(*only, *steps)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "memory:", err)
		os.Exit(1)
	}
}

// compare runs a child per size and prints a table.
func compare(only string, steps int) error {
	fmt.Println("| size | runtime, MiB | weights, gradients, moments | activations | inputs | predicted | measured | predicted/measured |\n|---|---|---|---|---|---|---|---|")
	for _, s := range sizes {
		if !strings.Contains(s.Name, only) {
			continue
		}
		f, err := s.estimate()
		if err != nil {
			return err
		}
		before, err := start(s.miniature(), steps)
		if err != nil {
			return fmt.Errorf("%s in miniature: %w", s.Name, err)
		}
		m, err := start(s, steps)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		predicted := f.Total() + before.Peak
		fmt.Printf("| %s | %d | %d | %d | %d | %d | %d | %.2f |\n", s.Name, before.Peak>>20, (f.Weights+f.Gradients+f.Moments)>>20,
			f.Activations>>20, f.Inputs>>20, predicted>>20, m.Peak>>20, float64(predicted)/float64(m.Peak))
	}
	return nil
}

// estimate returns the estimate of a size.
func (s size) estimate() (distributed.Footprint, error) {
	if s.Rank > 0 {
		return distributed.EstimateLoRA(s.config(), distributed.Local(), s.shape(), s.Rank)
	}
	return distributed.Estimate(s.config(), distributed.Local(), s.shape())
}

// start measures a size in a separate process.
func start(s size, steps int) (m measurement, err error) {
	err = spawn(&m, "-one", text(s), "-steps", fmt.Sprint(steps))
	return m, err
}

// spawn runs this program with arguments in a separate process and reads its last line.
func spawn(m *measurement, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), "MALLOC_ARENA_MAX=1")
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return json.Unmarshal([]byte(lines[len(lines)-1]), m)
}

// child trains a network and prints the peak.
func child(text string, steps int) error {
	var s size
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	b, err := backend.Default()
	if err != nil {
		return err
	}
	m := measurement{Backend: b.Name()}
	w, err := walrus.InitWeights(s.config(), 1)
	if err != nil {
		return err
	}
	o := train.Options{Backend: b, Seed: 1}
	if s.Rank > 0 {
		o.LoRA, o.Freeze = &train.LoRA{Rank: s.Rank}, []string{"*"}
	}
	tr, err := train.New(w, o)
	if err != nil {
		return err
	}
	batch := &train.Batch{}
	for range s.Batch {
		batch.Windows = append(batch.Windows, s.window())
	}
	for range steps {
		if _, err := tr.Step(batch, 2e-4); err != nil {
			return err
		}
	}
	usage, err := machine.Used()
	if err != nil {
		return err
	}
	m.Peak = usage.Peak
	return json.NewEncoder(os.Stdout).Encode(m)
}

func (s size) config() walrus.Config {
	c := walrus.Walrus()
	c.Hidden, c.Intermediate, c.Blocks, c.Heads, c.Groups = s.Hidden, s.Hidden/4, s.Blocks, s.Heads, 4
	c.DropPath, c.CheckpointEvery = 0, s.Checkpoint
	c.Tokens = [3]int{s.Tokens, s.Tokens, s.Tokens}
	if len(s.Grid) == 3 {
		c.Dims = []int{3}
	}
	return c
}

func (s size) boundaries() data.Boundaries {
	return data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall), data.Both(data.Periodic)}[:len(s.Grid)]
}

// shape is the shape of the window below: two scalars and a vector.
func (s size) shape() distributed.BatchShape {
	return distributed.BatchShape{Grid: s.Grid, Boundaries: s.boundaries(), Steps: s.Steps, Size: s.Batch, Variable: 5, Alone: true}
}

// window is a ramp that steepens.
func (s size) window() *data.Window {
	w := &data.Window{Name: "ramp", Grid: s.Grid, Boundaries: s.boundaries(),
		Fields: []data.Field{{Name: "pressure"}, {Name: "density"}, {Name: "velocity", Order: 1}}}
	frame := make([]float32, len(w.Channels(false))*w.Points())
	for range s.Steps + 1 {
		for i := range frame {
			frame[i] += float32(i%97) / 97
		}
		w.Frames = append(w.Frames, slices.Clone(frame))
	}
	return w
}
