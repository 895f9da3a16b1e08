// Command speed compares this library with the same network in PyTorch (peer.py), eager
// and with compiled blocks. The programs take turns, with the same settings of the
// allocator, on the same machine.
//
//	PJRT_PLUGIN_LIBRARY_PATH=… GOMLX_BACKEND=xla:cpu go run ./benchmarks/speed -task step
//	PJRT_PLUGIN_LIBRARY_PATH=… GOMLX_BACKEND=xla:cuda go run ./benchmarks/speed -task step -sizes released
//
// The tasks are step, a training step (forward, backward, clipping, AdamW); forecast, a
// frame of a rollout from the whole window; and cached, a frame of a rollout with a
// warm KV cache. PyTorch, like the release, has no cache, so its peer for cached is the
// plain rollout. The command needs python3 with torch. Seconds are the least of the
// steps of all turns.
//
// The tasks rollout, gradient and product need -one: the forecast of five frames, its
// gradient with respect to the window, and a comparison of VJP with JVP.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/machine"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// size is a network and its input, as in peer.py.
type size struct {
	name                  string
	hidden, blocks, heads int
	grid                  []int
	frames                int
}

var sizes = []size{
	{"small", 256, 4, 4, []int{128, 128}, 6},
	{"medium", 512, 8, 8, []int{256, 256}, 6},
	{"volume", 128, 2, 4, []int{64, 64, 64}, 3},
	{"released", 1408, 40, 16, []int{256, 256}, 6},
}

// allocator holds settings under which page faults cost little on both sides.
var allocator = []string{"GLIBC_TUNABLES=glibc.malloc.hugetlb=1", "MALLOC_MMAP_MAX_=0",
	"MALLOC_TRIM_THRESHOLD_=100000000000", "MALLOC_TOP_PAD_=100000000"}

// measurement is the output of each program.
type measurement struct {
	Program string `json:"program"`
	Size    string `json:"size"`
	Seconds struct {
		Min    float64 `json:"min"`
		Median float64 `json:"median"`
	} `json:"seconds"`
	// First is the time of the first step, compilation included.
	First float64 `json:"first"`
	// CPU is the least CPU time of all cores for a step. Unlike Seconds it is also
	// meaningful on a busy machine.
	CPU     float64 `json:"cpu_seconds"`
	PeakMiB int64   `json:"peak_mib"`
	// DeviceMiB is the largest GPU memory of the program, including the memory that its
	// allocator keeps.
	DeviceMiB int64 `json:"device_mib,omitempty"`
	// Product is the relative difference between VJP and JVP, of the task product.
	Product float64 `json:"product,omitempty"`
	// Share is the network's operations per second divided by those of a matrix
	// product, where operations are counted.
	Share float64 `json:"share,omitempty"`
}

func main() {
	one := flag.String("one", "", "measure this size here, without the peer")
	task := flag.String("task", "step", "what to measure: step, forecast or cached; with -one also rollout, gradient or product, and several, separated by commas")
	names := flag.String("sizes", "small,medium,volume", "sizes to compare")
	steps := flag.Int("steps", 5, "steps of each turn, the first of which is not counted")
	turns := flag.Int("turns", 2, "turns of each program")
	recompute := flag.Int("checkpoint", 0, "recompute every n-th block instead of keeping its activations (with -one)")
	half := flag.Bool("bfloat16", false, "compute the network in bfloat16")
	python := flag.String("python", "python3", "interpreter with torch")
	flag.Parse()
	tasks := strings.Split(*task, ",")
	for _, t := range tasks {
		alone := derivatives[t] != nil || len(tasks) > 1
		if t != "step" && t != "forecast" && t != "cached" && derivatives[t] == nil || *one == "" && alone {
			fmt.Fprintf(os.Stderr, "speed: expected the task step, forecast or cached, or with -one also rollout, gradient or product, and several, separated by commas, got %q\n", *task)
			os.Exit(2)
		}
	}
	err := fmt.Errorf("no such size: %q", *one)
	if *one != "" {
		for _, s := range sizes {
			if s.name == *one {
				err = measure(s, tasks, *steps, *recompute, *half)
			}
		}
	} else {
		err = compare(strings.Split(*names, ","), *task, *python, *steps, *turns, *half)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

// compare runs all programs in turns and prints a table.
func compare(names []string, task, python string, steps, turns int, half bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	peer := filepath.Join("benchmarks", "speed", "peer.py")
	common := []string{"--task", task, "--steps", strconv.Itoa(steps)}
	if half {
		common = append(common, "--bfloat16")
	}
	theirs := common
	if strings.HasPrefix(os.Getenv(backend.Env), "xla:cuda") {
		theirs = append(theirs[:len(theirs):len(theirs)], "--cuda")
	}
	fmt.Println("| size | program | seconds, least (median) | of all cores | peak MiB | of the GPU | share of matrix products | slower than gowalrus |\n|---|---|---|---|---|---|---|---|")
	for _, name := range names {
		programs := [][]string{slices.Concat([]string{self, "-one", name}, common), slices.Concat([]string{python, peer, name}, theirs),
			slices.Concat([]string{python, peer, name, "--compile"}, theirs)}
		best := make([]measurement, len(programs))
		for range turns {
			for i, p := range programs {
				m, err := start(p)
				if err != nil {
					return fmt.Errorf("%v: %w", p, err)
				}
				if best[i].Program == "" || m.Seconds.Min < best[i].Seconds.Min {
					best[i] = m
				}
			}
		}
		for _, m := range best {
			share := "–"
			if m.Share > 0 {
				share = fmt.Sprintf("%.0f %%", 100*m.Share)
			}
			fmt.Printf("| %s | %s | %.4g (%.4g) | %.2f | %d | %d | %s | %.2f× |\n", name, m.Program, m.Seconds.Min, m.Seconds.Median, m.CPU, m.PeakMiB, m.DeviceMiB, share, m.Seconds.Min/best[0].Seconds.Min)
		}
	}
	return nil
}

// start runs a program and reads the last line it prints.
func start(command []string) (m measurement, err error) {
	c := exec.Command(command[0], command[1:]...)
	c.Env = append(os.Environ(), allocator...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return m, err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return m, json.Unmarshal([]byte(lines[len(lines)-1]), &m)
}

// measure measures tasks of this library, one after the other, and prints a line for
// each.
func measure(s size, tasks []string, steps, recompute int, half bool) error {
	c := walrus.Walrus()
	c.Hidden, c.Intermediate, c.Blocks, c.Heads, c.Groups = s.hidden, s.hidden/4, s.blocks, s.heads, 4
	c.DropPath, c.CheckpointEvery = 0, recompute
	if len(s.grid) == 3 {
		c.Dims = []int{3}
	}
	w, err := walrus.InitWeights(c, 1)
	if err != nil {
		return err
	}
	b, err := backend.Default()
	if err != nil {
		return err
	}
	for _, task := range tasks {
		m, err := run(b, w, s, task, steps, half)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
			return err
		}
	}
	return nil
}

// run measures one task.
func run(b compute.Backend, w *walrus.Weights, s size, task string, steps int, half bool) (m measurement, err error) {
	var times, cpu []float64
	begin, used := time.Now(), cpuSeconds()
	count := func() {
		times, cpu = append(times, time.Since(begin).Seconds()), append(cpu, cpuSeconds()-used)
		begin, used = time.Now(), cpuSeconds()
	}
	if task == "step" {
		err = trainSteps(w, train.Options{Backend: b, Seed: 1, Objective: train.Objective{BFloat16: half}}, s, steps, count)
	} else {
		o := walrus.EmulatorOptions{Backend: b, Seed: 1, Divergence: walrus.Divergence{Factor: -1}}
		if task == "cached" {
			o.Cache = &walrus.Cache{Refresh: -1}
		}
		if half {
			o.Precision = walrus.BFloat16
		}
		if derivatives[task] != nil {
			m.Product, err = differentiate(w, o, s, task, steps, count)
		} else {
			err = forecast(w, o, s, steps, count)
		}
	}
	if err != nil {
		return m, err
	}
	m.Program, m.Size, m.First = "gowalrus "+b.Name(), s.name, times[0]
	first := min(1, steps-1)
	times, cpu = times[first:], cpu[first:]
	slices.Sort(times)
	m.Seconds.Min, m.Seconds.Median, m.CPU = times[0], times[len(times)/2], slices.Min(cpu)
	usage, err := machine.Used()
	if err != nil {
		return m, err
	}
	m.PeakMiB = usage.Peak >> 20
	if onGPU(b) {
		if m.DeviceMiB, err = deviceMiB(); err != nil {
			return m, err
		}
	}
	if task != "cached" && derivatives[task] == nil {
		m.Share, err = share(b, w.Config(), s, task, half, m.Seconds.Min)
	}
	return m, err
}

// trainSteps makes training steps.
func trainSteps(w *walrus.Weights, o train.Options, s size, steps int, count func()) error {
	tr, err := train.New(w, o)
	if err != nil {
		return err
	}
	defer tr.Close()
	batch := &train.Batch{Windows: []*data.Window{window(s)}}
	for range steps {
		if _, err := tr.Step(batch, 2e-4); err != nil {
			return err
		}
		count()
	}
	return nil
}

// forecast makes frames of a rollout. The time of the first one includes compilation
// and, with a cache, all frames of the window.
func forecast(w *walrus.Weights, o walrus.EmulatorOptions, s size, steps int, count func()) error {
	em, err := walrus.NewEmulator(w, o)
	if err != nil {
		return err
	}
	defer em.Close()
	seen, err := window(s).Slice(0, s.frames)
	if err != nil {
		return err
	}
	for _, err := range em.Rollout(context.Background(), seen, steps) {
		if err != nil {
			return err
		}
		count()
	}
	return nil
}

// cpuSeconds returns the CPU time of all threads of this process so far.
func cpuSeconds() float64 {
	used, err := machine.Used()
	if err != nil {
		return 0
	}
	return used.CPU.Seconds()
}

// window returns a random walk of five channels, periodic along x, between walls along
// y.
func window(s size) *data.Window {
	w := &data.Window{Name: "walk", Grid: s.grid, Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Wall)},
		Fields: []data.Field{{Name: "pressure"}, {Name: "density"}, {Name: "velocity", Order: 1}}}
	if len(s.grid) == 3 {
		w.Boundaries = append(w.Boundaries, data.Both(data.Periodic))
	}
	rng := rand.New(rand.NewPCG(1, 1))
	frame := make([]float32, len(w.Channels(false))*w.Points())
	for range s.frames + 1 {
		for i := range frame {
			frame[i] += float32(rng.NormFloat64())
		}
		w.Frames = append(w.Frames, slices.Clone(frame))
	}
	return w
}
