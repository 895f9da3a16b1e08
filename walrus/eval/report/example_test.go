package report_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/eval"
	"github.com/gowalrus/gowalrus/walrus/eval/picture"
	"github.com/gowalrus/gowalrus/walrus/eval/report"
)

// wave returns a run of a wave on 8×8 points.
func wave() *data.Window {
	w := &data.Window{Name: "wave", Grid: []int{8, 8}, Fields: []data.Field{{Name: "height"}},
		Boundaries: data.Boundaries{data.Both(data.Periodic), data.Both(data.Periodic)}}
	for t := range 8 {
		f := make([]float32, 64)
		for i := range f {
			f[i] = float32(math.Sin(2*math.Pi*float64(i/8)/8 - 0.5*float64(t)))
		}
		w.Frames = append(w.Frames, f)
	}
	return w
}

// A report of one data set has Markdown, JSON, one page of HTML and an animation.
func ExampleWrite() {
	w := wave()
	ds, err := data.NewMemory("wave", []*data.Window{w})
	if err != nil {
		log.Fatal(err)
	}
	forecasters := eval.Baselines()
	result, err := eval.Evaluate(context.Background(), ds, forecasters, eval.Protocol{Input: 2, Horizons: []eval.Horizon{{From: 1, To: 1}, {From: 1, To: 4}}})
	if err != nil {
		log.Fatal(err)
	}
	truth, err := w.Slice(2, 6)
	if err != nil {
		log.Fatal(err)
	}
	history, err := w.Slice(0, 2)
	if err != nil {
		log.Fatal(err)
	}
	forecast, err := forecasters["linear"](context.Background(), history, 4)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "report")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	entries := []report.Entry{{Result: result, Sample: &report.Sample{Truth: truth, Forecast: forecast}}}
	if err := report.Write(dir, "Waves", []string{"linear", "persistence"}, entries); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{report.MarkdownFile, report.JSONFile, report.HTMLFile, "wave.gif"} {
		_, err := os.Stat(filepath.Join(dir, name))
		fmt.Println(name, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, report.MarkdownFile))
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "|") {
			fmt.Print(line)
		}
	}
	// Output:
	// report.md <nil>
	// report.json <nil>
	// report.html <nil>
	// wave.gif <nil>
	// | data set | steps | linear | persistence | places | spread |
	// |---|---|---|---|---|---|
	// | wave | 1 | **0.243** | 0.491 | 6 | 0.243 ± 0.000 |
	// | wave | 1:4 | **1.112** | 1.116 | 3 | 1.112 ± 0.000 |
}

// A chart of the error over the steps.
func ExampleCurves() {
	ds, err := data.NewMemory("wave", []*data.Window{wave()})
	if err != nil {
		log.Fatal(err)
	}
	result, err := eval.Evaluate(context.Background(), ds, eval.Baselines(), eval.Protocol{Input: 2, Horizons: []eval.Horizon{{From: 1, To: 4}}})
	if err != nil {
		log.Fatal(err)
	}
	chart, err := report.Curves(&result.Horizons[0], []string{"linear", "persistence"})
	if err != nil {
		log.Fatal(err)
	}
	var png bytes.Buffer
	if err := picture.EncodePNG(&png, chart); err != nil {
		log.Fatal(err)
	}
	for _, l := range chart.Lines {
		fmt.Println(l.Name, len(l.Values))
	}
	// Output:
	// linear 4
	// persistence 4
}
