package walrus_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/backend"
)

// tideCheckpoint writes a checkpoint of fresh weights and returns its folder.
func tideCheckpoint(parent string) string {
	w, err := walrus.InitWeights(tiny(), 1)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	dir := filepath.Join(parent, "last")
	c := walrus.Checkpoint{Weights: w, Step: 7, Extra: map[string]json.RawMessage{"note": json.RawMessage(`"first try"`)}}
	if err := walrus.SaveCheckpoint(dir, c); err != nil {
		log.Fatal(err)
	}
	return dir
}

// temporary returns a new folder and a function that removes it.
func temporary() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "walrus")
	if err != nil {
		log.Fatal(err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }
}

// Every part is compared with its checksum; a part that was changed is an error.
func ExampleOpenCheckpoint() {
	parent, remove := temporary()
	defer remove()
	dir := tideCheckpoint(parent)
	m, err := walrus.OpenCheckpoint(dir)
	if err != nil {
		log.Fatal(err)
	}
	part, ok := m.Part(walrus.WeightsFile)
	fmt.Println(m.Step, string(m.Extra["note"]), part.Name, ok, m.Path(part.Name) == filepath.Join(dir, part.Name))

	raw, err := os.ReadFile(m.Path(walrus.WeightsFile))
	if err != nil {
		log.Fatal(err)
	}
	raw[len(raw)-1]++
	if err := os.WriteFile(m.Path(walrus.WeightsFile), raw, 0o666); err != nil {
		log.Fatal(err)
	}
	_, err = walrus.OpenCheckpoint(dir)
	fmt.Println(strings.Contains(err.Error(), "SHA-256"))
	// Output:
	// 7 "first try" model.safetensors true true
	// true
}

// FindCheckpoint finds checkpoints of this library and of the release.
func ExampleFindCheckpoint() {
	parent, remove := temporary()
	defer remove()
	found, err := walrus.FindCheckpoint(tideCheckpoint(parent))
	if err != nil {
		log.Fatal(err)
	}
	w, report, err := found.Load(walrus.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	fmt.Println(found.Config.Name, found.Manifest.Step, report.Tensors)

	_, err = walrus.FindCheckpoint(parent)
	fmt.Println(strings.ReplaceAll(err.Error(), parent, "folder"))
	// Output:
	// tide 7 38
	// walrus: checkpoint folder: expected manifest.json, or extended_config.yaml with a .pt or .safetensors file, got last
}

// The reference reads exported weights, and so does Load. Export refuses a network with
// kernels, strides or token targets that the reference does not know.
func ExampleExport() {
	parent, remove := temporary()
	defer remove()
	w, err := walrus.InitWeights(walrus.Micro(), 1)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	w.SetScaling(walrus.Scaling{Normalization: walrus.NormalizeMeanStd, Eps: 1e-8})
	dir := filepath.Join(parent, "released")
	if err := walrus.Export(dir, w); err != nil {
		log.Fatal(err)
	}
	found, err := walrus.FindCheckpoint(dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(filepath.Base(found.Weights), found.Scaling.Normalization, found.Scaling.Eps)

	coarse, err := walrus.InitWeights(tiny(), 1)
	if err != nil {
		log.Fatal(err)
	}
	defer coarse.Close()
	fmt.Println(walrus.Export(filepath.Join(parent, "coarse"), coarse))
	// Output:
	// walrus.pt mean_std 1e-08
	// walrus: export: the reference cannot run this network: its kernels are [4 4], the strides of the reference need [8 4]; it aims at 4 tokens per axis in 2D, the reference at 32; it aims at 4 tokens per axis in 3D, the reference at 16
}

// DescribeWeights describes a weight file without reading its values.
func ExampleDescribeWeights() {
	parent, remove := temporary()
	defer remove()
	s, err := walrus.DescribeWeights(filepath.Join(tideCheckpoint(parent), walrus.WeightsFile))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Format, s.Tensors, s.Values, s.DTypes, s.Largest[0].Name, s.Largest[0].Shape)
	// Output: safetensors 38 94961 map[F32:38] embed.2.proj2.weight [32 8 4 4 4]
}

// CheckWeights compares names, types and shapes and reads no values.
func ExampleCheckWeights() {
	parent, remove := temporary()
	defer remove()
	path := filepath.Join(tideCheckpoint(parent), walrus.WeightsFile)
	wider := tiny()
	wider.Hidden = 64
	report, err := walrus.CheckWeights(path, wider, walrus.LoadOptions{})
	fmt.Println(err != nil, len(report.Missing), len(report.Unexpected), len(report.Mismatched))
	fmt.Println(report.Mismatched[0])
	// Output:
	// true 0 0 26
	// embed.2.proj2.weight: expected shape [64 8 4 4 4], got [32 8 4 4 4]
}

// Weights that are embedded in a program need no file.
func ExampleReadWeights() {
	parent, remove := temporary()
	defer remove()
	raw, err := os.ReadFile(filepath.Join(tideCheckpoint(parent), walrus.WeightsFile)) // or go:embed
	if err != nil {
		log.Fatal(err)
	}
	w, report, err := walrus.ReadWeights(bytes.NewReader(raw), int64(len(raw)), "embedded", tiny(), walrus.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	fmt.Println(report.Path, report.Tensors)
	// Output: embedded 38
}

func ExampleReadConfig() {
	dir, remove := temporary()
	defer remove()
	path := filepath.Join(dir, walrus.ConfigFile)
	var text strings.Builder
	if err := tiny().WriteYAML(&text, walrus.Scaling{}); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
		log.Fatal(err)
	}
	c, err := walrus.ReadConfig(path)
	fmt.Println(c.Name, c.Hidden, c.Registry.Len(), err)
	_, err = walrus.ReadConfig(filepath.Join(dir, "nosuch.yaml"))
	fmt.Println(strings.ReplaceAll(err.Error(), dir, "…"))
	// Output:
	// tide 32 7 <nil>
	// walrus: config: open …/nosuch.yaml: no such file or directory
}

// Only the lines of changed settings are replaced.
func ExampleReadRecipe() {
	dir, remove := temporary()
	defer remove()
	path := filepath.Join(dir, walrus.ConfigFile)
	fresh, err := walrus.NewRecipe(tiny(), walrus.Scaling{})
	if err != nil {
		log.Fatal(err)
	}
	text, err := fresh.Bytes()
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, "logger: # not ours\n  every: 10\n"...), 0o666); err != nil {
		log.Fatal(err)
	}
	r, err := walrus.ReadRecipe(path)
	if err != nil {
		log.Fatal(err)
	}
	r.Config.DropPath = 0.25
	text, err = r.Bytes()
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "drop_path") || strings.Contains(line, "logger") {
			fmt.Print(line)
		}
	}
	// Output:
	// drop_path: 0.25
	// logger: # not ours
}

func ExampleNewRecipe() {
	r, err := walrus.NewRecipe(tiny(), walrus.Scaling{})
	if err != nil {
		log.Fatal(err)
	}
	var blocks int
	fmt.Println(r.Decode("model.processor_blocks", &blocks), blocks)
	_, err = walrus.NewRecipe(walrus.Config{}, walrus.Scaling{})
	fmt.Println(strings.Split(err.Error(), "\n")[0])
	// Output:
	// <nil> 1
	// walrus: config: hidden: expected at least 1, got 0
}

// Constant fields, a mask or a material, are repeated for every frame.
func ExampleWithConstants() {
	b, err := backend.Go()
	if err != nil {
		log.Fatal(err)
	}
	history := tensors.FromFlatDataAndDimensions([]float32{1, 2, 3, 4}, 2, 1, 1, 2, 1, 1) // two frames of two points
	constants := tensors.FromFlatDataAndDimensions([]float32{8, 9}, 1, 1, 2, 1, 1)
	out := graph.MustExecOnce(b, walrus.WithConstants, history, constants)
	fmt.Println(out.Shape().Dimensions, tensors.MustCopyFlatData[float32](out))
	// Output: [2 1 2 2 1 1] [1 2 8 9 3 4 8 9]
}

// The network has one more block than the file; missing tensors may be allowed, and the
// report lists them.
func ExampleLoadError() {
	parent, remove := temporary()
	defer remove()
	path := filepath.Join(tideCheckpoint(parent), walrus.WeightsFile)
	deeper := tiny()
	deeper.Blocks = 2
	_, _, err := walrus.LoadWeights(path, deeper, walrus.LoadOptions{})
	var load *walrus.LoadError
	fmt.Println(errors.As(err, &load), len(load.Report.Missing), load.Report.Missing[0])

	w, report, err := walrus.LoadWeights(path, deeper, walrus.LoadOptions{AllowMissing: true, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	fmt.Println(report.Tensors, len(report.Missing))
	// Output:
	// true 21 blocks.1.space_mixing.norm1.weight
	// 38 21
}
