package solve_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/data/well"
)

func ExampleLookup() {
	s, err := solve.Lookup("gray_scott")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Title, s.Grid, s.Boundaries)
	for _, p := range s.Parameters {
		fmt.Println(p.Name, p.Low, p.High, p.Doc)
	}
	// Output:
	// Gray–Scott reaction and diffusion: spots and labyrinths [64 64] [periodic periodic]
	// F 0.025 0.04 feed rate
	// k 0.055 0.06 kill rate
}

func ExampleSystems() {
	for _, s := range solve.Systems() {
		if len(s.Grid) == 3 {
			fmt.Println(s.Name, s.Fields)
		}
	}
	// Output:
	// acoustics_3d [{pressure 0 false} {velocity 1 false} {density 0 true} {speed_of_sound 0 true}]
	// burgers_3d [{velocity 1 false}]
	// euler_3d [{energy 0 false} {density 0 false} {pressure 0 false} {momentum 1 false}]
	// mhd_3d [{density 0 false} {pressure 0 false} {velocity 1 false} {magnetic_field 1 false}]
	// navier_stokes_3d [{pressure 0 false} {velocity 1 false}]
}

// Simulate writes a data set of eight runs in The Well's layout, with its statistics.
func ExampleSimulate() {
	dir, err := os.MkdirTemp("", "solve")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := solve.Lookup("diffusion")
	if err != nil {
		log.Fatal(err)
	}
	path, err := solve.Simulate(context.Background(), solve.Options{
		System: s, Out: dir, Train: 6, Valid: 1, Test: 1, Seed: 1,
		Grid: []int{16, 16}, Frames: 8, Fixed: map[string]float64{"diffusivity": 0.01},
	})
	if err != nil {
		log.Fatal(err)
	}
	ds, err := well.Open(path, well.Options{Split: "train"})
	if err != nil {
		log.Fatal(err)
	}
	defer ds.Close()
	fmt.Println(filepath.Base(path), ds.Metadata().Grid, len(ds.Trajectories()), ds.Trajectories()[0].Steps, ds.Statistics() != nil)
	// Output: diffusion [16 16] 6 8 true
}

// A run needs no files: it advances by any time and writes frames to a slice.
func ExampleSystem_Start() {
	s, err := solve.Lookup("diffusion")
	if err != nil {
		log.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	values, err := s.Draw(rng, map[string]float64{"diffusivity": 0.01})
	if err != nil {
		log.Fatal(err)
	}
	run, err := s.Start([]int{16, 16}, values, rng)
	if err != nil {
		log.Fatal(err)
	}
	frame := make([]float32, 16*16)
	for range 3 {
		run.Frame(frame)
		fmt.Printf("largest value %.3f\n", slices.Max(frame))
		if err := run.Advance(1); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// largest value 2.164
	// largest value 0.568
	// largest value 0.311
}

func ExampleSystem_Draw() {
	s, err := solve.Lookup("burgers")
	if err != nil {
		log.Fatal(err)
	}
	values, err := s.Draw(rand.New(rand.NewPCG(1, 2)), nil)
	fmt.Printf("viscosity %.3f %v\n", values["viscosity"], err)
	_, err = s.Draw(rand.New(rand.NewPCG(1, 2)), map[string]float64{"mu": 1})
	fmt.Println(err)
	// Output:
	// viscosity 0.134 <nil>
	// burgers: unknown parameter "mu": expected some of viscosity
}

// A wave on a ring moves to the left. After a quarter of the period, the crest has moved by
// a quarter of the ring.
func ExampleSystem_StartFrom() {
	s, err := solve.Lookup("advection")
	if err != nil {
		log.Fatal(err)
	}
	const n = 16
	frame := make([]float32, n*n)
	for y := range n {
		frame[8*n+y] = 1 // a ridge at the ninth point along x
		frame[7*n+y], frame[9*n+y] = 0.5, 0.5
	}
	run, err := s.StartFrom([]int{n, n}, map[string]float64{"speed": 0.25}, solve.Initial{Frame: frame})
	if err != nil {
		log.Fatal(err)
	}
	if err := run.Advance(s.Length[0] / 4 / 0.25); err != nil {
		log.Fatal(err)
	}
	run.Frame(frame)
	crest := 0
	for x := range n {
		if frame[x*n] > frame[crest*n] {
			crest = x
		}
	}
	fmt.Printf("crest at %d, height %.2f\n", crest, frame[crest*n])
	// Output: crest at 4, height 1.00
}

// A stream simulates a trajectory when it is read or announced.
func ExampleNewStream() {
	pool, err := solve.NewPool(solve.PoolOptions{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	s, err := solve.Lookup("diffusion")
	if err != nil {
		log.Fatal(err)
	}
	ds, err := solve.NewStream(pool, solve.StreamOptions{System: s, Case: solve.Case{Grid: []int{16, 24}}, Frames: 8, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	ds.Prefetch(1001)
	w, err := ds.Read(context.Background(), data.Span{Trajectory: 1000, Start: 2, Stride: 1, Frames: 4}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(ds.Trajectories()), w.Name, w.Grid, len(w.Frames))
	// Output: 65536 diffusion trajectory 1000 frame 2 stride 1 (simulated) [16 24] 4
}
