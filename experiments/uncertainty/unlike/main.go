// Command unlike counts the windows that walrus-nano's record of familiar windows
// (walrus.Familiarity) flags: of test splits, of held-out data sets, of systems left out of the
// record, and of windows made wrong on purpose. ../README.md has its table.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/solve"
	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// left names the data sets of the record that hold a simulated system.
var left = map[string][]string{
	"advection":           {"advection", "advection_oblong"},
	"advection_diffusion": {"advection_diffusion"},
	"diffusion":           {"diffusion"},
	"radiative_layer":     {"radiative_layer"},
	"euler_periodic":      {"euler_periodic", "euler_open", "euler_multi_quadrants_periodicBC", "euler_multi_quadrants_openBC", "euler_3d"},
	"navier_stokes":       {"shear", "turbulence", "shear_flow"},
	"rayleigh_benard":     {"rayleigh_benard", "rayleigh_benard_simulated"},
	"rayleigh_taylor":     {"rayleigh_taylor", "rayleigh_benard", "rayleigh_benard_simulated"},
	"acoustics":           {"sound", "sound_small", "sound_room", "acoustic_scattering_inclusions", "acoustic_obstacle_mask", "acoustics_3d"},
	"burgers":             {"burgers"},
}

// count is the number of windows, of those with a score above the limit, and of those with fields
// that were not trained together.
type count struct{ windows, unlike, strange int }

func (c *count) add(f *walrus.Familiarity, w *data.Window) error {
	score, nearest, err := f.Score(w)
	c.windows++
	switch {
	case nearest == "":
		c.strange++
	case score > f.Limit:
		c.unlike++
	}
	return err
}

func (c count) String() string {
	return fmt.Sprintf("%d | %.0f %% | %.0f %%", c.windows, 100*float64(c.unlike)/float64(c.windows), 100*float64(c.strange)/float64(c.windows))
}

func main() {
	log.SetFlags(0)
	splits := flag.String("data", "testdata/data", "`folder` of the data sets of the training")
	heldout := flag.String("heldout", "out/heldout", "`folder` of the held-out data sets (experiments/nano/heldout), empty for none")
	flag.Parse()
	f, err := nano.Familiarity()
	if err == nil {
		fmt.Println("| windows | number | values unlike | fields not trained together |\n|---|---|---|---|")
		err = table(f, *splits, *heldout)
	}
	if err != nil {
		log.Fatalf("unlike: %v", err)
	}
}

// table prints a line for each kind of windows.
func table(f *walrus.Familiarity, splits, heldout string) error {
	total, kinds := count{}, map[string]*count{}
	var lines []string
	err := eachSet(splits, func(name string, ds data.Dataset) error {
		var c count
		rng := rand.New(rand.NewPCG(1, 2))
		err := eachWindow(ds, func(w *data.Window) error {
			for kind, spoil := range wrong {
				if kinds[kind] == nil {
					kinds[kind] = &count{}
				}
				v := clone(w)
				spoil(v, rng)
				if err := kinds[kind].add(f, v); err != nil {
					return err
				}
			}
			return c.add(f, w)
		})
		total.windows, total.unlike, total.strange = total.windows+c.windows, total.unlike+c.unlike, total.strange+c.strange
		lines = append(lines, fmt.Sprintf("| test split of %s | %v |", name, c))
		return err
	})
	if err != nil {
		return err
	}
	fmt.Printf("| all test splits | %v |\n", total)
	for _, l := range lines {
		fmt.Println(l)
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Printf("| test splits, %s | %v |\n", kind, *kinds[kind])
	}
	if err := leftOut(f); err != nil || heldout == "" {
		return err
	}
	return eachSet(heldout, func(name string, ds data.Dataset) error {
		var c count
		err := eachWindow(ds, func(w *data.Window) error { return c.add(f, w) })
		fmt.Printf("| held out: %s | %v |\n", name, c)
		return err
	})
}

// leftOut scores simulations of systems without their data sets in the record.
func leftOut(f *walrus.Familiarity) error {
	pool, err := solve.NewPool(solve.PoolOptions{})
	if err != nil {
		return err
	}
	defer pool.Close()
	for _, name := range slices.Sorted(maps.Keys(left)) {
		s, err := solve.Lookup(name)
		if err != nil {
			return err
		}
		rest := *f
		rest.Datasets = slices.DeleteFunc(slices.Clone(f.Datasets), func(d walrus.FamiliarDataset) bool { return slices.Contains(left[name], d.Name) })
		if n := len(f.Datasets) - len(rest.Datasets); n != len(left[name]) {
			return fmt.Errorf("%s: expected the data sets %v in the record, got %d of them", name, left[name], n)
		}
		ds, err := solve.NewStream(pool, solve.StreamOptions{System: s, Case: solve.Case{Grid: []int{32, 32}}, Trajectories: 6, Seed: 99, Split: "test"})
		if err != nil {
			return err
		}
		var with, without count
		if err := eachWindow(ds, func(w *data.Window) error {
			if err := with.add(f, w); err != nil {
				return err
			}
			return without.add(&rest, w)
		}); err != nil {
			return err
		}
		fmt.Printf("| simulated %s | %v |\n| the same, left out of the record | %v |\n", name, with, without)
	}
	return nil
}

// eachSet calls f for the test splits of the data sets in a folder.
func eachSet(folder string, f func(name string, ds data.Dataset) error) error {
	dirs, err := filepath.Glob(filepath.Join(folder, "*", "data", "test"))
	if err != nil || len(dirs) == 0 {
		return fmt.Errorf("%s: expected data sets with a split test, got none (%v)", folder, err)
	}
	for _, dir := range dirs {
		dir = filepath.Dir(filepath.Dir(dir))
		files, _ := filepath.Glob(filepath.Join(dir, "data", "test", "*.hdf5"))
		if len(files) == 0 {
			continue // a folder of damaged files
		}
		ds, err := well.Open(dir, well.Options{Split: "test"})
		if err == nil {
			err = f(filepath.Base(dir), ds)
			ds.Close()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

// eachWindow calls f for every third window of the trajectories.
func eachWindow(ds data.Dataset, f func(w *data.Window) error) error {
	frames := ds.Metadata().History()
	for i, t := range ds.Trajectories() {
		for start := 0; start+frames < t.Steps; start += 3 {
			w, err := ds.Read(context.Background(), data.Span{Trajectory: i, Start: start, Stride: 1, Frames: frames}, nil)
			if err == nil {
				err = f(w)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
