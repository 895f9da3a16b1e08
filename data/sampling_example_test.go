package data_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"

	"github.com/gowalrus/gowalrus/data"
)

// series returns a data set in memory with one trajectory per length. The values of its
// frames count from 0 on a grid of 1×2 points.
func series(name string, lengths ...int) *data.Memory {
	var list []*data.Window
	for _, n := range lengths {
		w := &data.Window{Name: name, Grid: []int{1, 2}, Fields: []data.Field{{Name: "u"}},
			Boundaries: data.Boundaries{data.Both(data.Open), data.Both(data.Open)}}
		for t := range n {
			w.Frames = append(w.Frames, []float32{float32(t), float32(t)})
		}
		list = append(list, w)
	}
	ds, err := data.NewMemory(name, list)
	if err != nil {
		log.Fatal(err)
	}
	return ds
}

// Your own simulations need no files.
func ExampleNewMemory() {
	ds := series("mine", 5, 7)
	w, err := ds.Read(context.Background(), data.Span{Trajectory: 1, Start: 2, Stride: 2, Frames: 3}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ds.Metadata().Channels(), ds.Trajectories()[1].Steps)
	fmt.Println(w.Origin, w.Frames)
	_, err = ds.Read(context.Background(), data.Span{Trajectory: 1, Start: 4, Stride: 2, Frames: 3}, nil)
	fmt.Println(err)
	// Output:
	// [u] 7
	// mine trajectory 1 frame 2 stride 2 (mine) [[2 2] [4 4] [6 6]]
	// data: data set mine: trajectory 1 has 7 frames: cannot take 3 from frame 4 with stride 2
}

func ExampleMetadata() {
	m := series("mine", 3).Metadata()
	fmt.Println(m.Name, m.Grid, m.Axes, m.Cartesian(), m.History(), m.Batch())
	// Output: mine [1 2] [x y] true 6 2
}

// Windows of three frames of history and one to forecast: one for every frame at which a
// window can start.
func ExampleNewWindows() {
	windows, err := data.NewWindows(series("mine", 5, 7), data.Cut{Input: 3, Output: 1, MaxStride: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(windows.Len(), windows.Span(1, 1), windows.Span(2, 2))
	fmt.Println(windows.Draw(rand.New(rand.NewPCG(1, 2)), 2))
	_, err = data.NewWindows(series("short", 3), data.Cut{Input: 3, Output: 1})
	fmt.Println(err)
	// Output:
	// 6 {0 1 1 4} {1 0 2 4}
	// {1 0 1 4}
	// data: short: trajectory 0 has 3 frames: expected at least 4 for windows of 3+1 frames at stride 1
}

func ExampleCut() {
	c := data.Cut{Input: 6, Output: 1, MaxStride: 5}
	low, high := c.StrideRange(20, 5)
	fmt.Println(c.Frames(), c.Count(20), low, high)
	fmt.Println(data.Cut{Output: 1}.Validate())
	// Output:
	// 7 14 1 2
	// data: cut: expected at least one input and one output frame, got 0 and 1
}

// Whole trajectories, forecast from their first frames.
func ExampleFullTrajectories() {
	spans, err := data.FullTrajectories(series("mine", 5, 7), data.Horizon{Input: 2})
	fmt.Println(spans, err)
	// Output: [{0 0 1 5} {1 0 1 5}] <nil>
}

func ExampleSubset() {
	ds := series("mine", 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)
	train, valid, test := data.SplitTrajectories(len(ds.Trajectories()), 1)
	fmt.Println(train, valid, test)
	sub, err := data.Subset(ds, test)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(sub.Trajectories()), sub.Trajectories()[0].Steps)
	// Output:
	// [0 1 3 5 6 7 8 9] [4] [2]
	// 1 7
}

func ExampleSplitTrajectories() {
	for _, n := range []int{2, 3, 20} {
		train, valid, test := data.SplitTrajectories(n, 1)
		fmt.Println(len(train), len(valid), len(test))
	}
	// Output:
	// 2 0 0
	// 1 1 1
	// 16 2 2
}

// All trajectories of [data.Memory] belong to one "file", so they stay together.
func ExampleSplitFiles() {
	train, valid, test := data.SplitFiles(series("mine", 5, 6, 7), 1)
	fmt.Println(train, valid, test)
	// Output: [0 1 2] [] []
}

// Two systems are drawn at random; the state says where to continue.
func ExampleNewMixture() {
	var systems []data.System
	for _, name := range []string{"flow", "heat"} {
		windows, err := data.NewWindows(series(name, 6, 8), data.Cut{Input: 3, Output: 1})
		if err != nil {
			log.Fatal(err)
		}
		systems = append(systems, data.System{Name: name, Windows: windows, Batch: 2})
	}
	mix, err := data.NewMixture(systems, data.MixtureOptions{Seed: 1, Length: 4})
	if err != nil {
		log.Fatal(err)
	}
	var half data.MixtureState
	for draw, ok := mix.Next(); ok; draw, ok = mix.Next() {
		fmt.Println(systems[draw.System].Name, draw.Spans)
		if mix.State().Step == 3 {
			half = mix.State()
		}
	}
	if err := mix.Restore(half); err != nil {
		log.Fatal(err)
	}
	draw, _ := mix.Next()
	fmt.Println("again", systems[draw.System].Name, draw.Spans)
	// Output:
	// heat [{0 1 1 4} {0 0 1 4}]
	// flow [{1 2 1 4} {1 0 1 4}]
	// flow [{1 3 1 4} {1 1 1 4}]
	// heat [{1 3 1 4} {1 2 1 4}]
	// again heat [{1 3 1 4} {1 2 1 4}]
}

// A loader reads ahead while its caller works, and reuses the windows that are released.
func ExampleNewLoader() {
	ds := series("mine", 9)
	at := 0
	next := func() (data.Request, bool) {
		at++
		return data.Request{Dataset: ds, Span: data.Span{Start: 2 * (at - 1), Stride: 1, Frames: 2}}, at <= 3
	}
	l := data.NewLoader(context.Background(), next, data.LoaderOptions{Workers: 2})
	defer l.Close()
	for {
		w, request, err := l.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(request.Span.Start, w.Frames)
		l.Release(w)
	}
	// Output:
	// 0 [[0 0] [1 1]]
	// 2 [[2 2] [3 3]]
	// 4 [[4 4] [5 5]]
}
