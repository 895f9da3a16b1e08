package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well"
)

// dataReport is the report of -data.
type dataReport struct {
	Datasets []datasetReport `json:"datasets"`
}

// datasetReport describes one data set; Problems are the reasons why it cannot be used.
type datasetReport struct {
	Path       string        `json:"path"`
	Name       string        `json:"name,omitempty"`
	GridType   string        `json:"grid_type,omitempty"`
	Axes       []string      `json:"axes,omitempty"`
	Grid       []int         `json:"grid,omitempty"`
	Fields     []fieldReport `json:"fields,omitempty"`
	Scalars    []string      `json:"scalars,omitempty"`
	Boundaries []string      `json:"boundaries,omitempty"`
	Statistics bool          `json:"statistics"`
	Splits     []splitReport `json:"splits,omitempty"`
	Problems   []string      `json:"problems"`
}

type fieldReport struct {
	Name     string `json:"name"`
	Order    int    `json:"order"`
	Constant bool   `json:"constant"`
}

// splitReport counts the contents of a split; Windows have 6+1 frames.
type splitReport struct {
	Split        string   `json:"split"`
	Files        int      `json:"files"`
	Bytes        int64    `json:"bytes"`
	Trajectories int      `json:"trajectories"`
	Steps        []int    `json:"steps"`
	Windows      int      `json:"windows"`
	Boundaries   []string `json:"boundaries"`
}

// inspectData reports on the data sets at a path and returns the reasons why some
// cannot be used.
func inspectData(path string) (*dataReport, error) {
	paths, err := findDatasets(path)
	if err != nil {
		return nil, err
	}
	r := &dataReport{}
	var all error
	for _, p := range paths {
		d := datasetReport{Path: p, Problems: []string{}}
		splits := []string{""}
		if names, err := well.Splits(p); err == nil && len(names) > 0 {
			splits = names
		}
		for _, split := range splits {
			if err := d.split(p, split); err != nil {
				all = errors.Join(all, err)
				for _, fault := range faults(err) {
					d.Problems = append(d.Problems, fault.Error())
				}
			}
		}
		r.Datasets = append(r.Datasets, d)
	}
	return r, all
}

// faults returns the errors that errors.Join joined.
func faults(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, faults(e)...)
	}
	return all
}

// writeStatistics computes the statistics of the training split of a data set and
// writes its stats.yaml, which must not exist.
func writeStatistics(ctx context.Context, path string, stdout io.Writer) error {
	splits, err := well.Splits(path)
	if err != nil || !slices.Contains(splits, "train") {
		return fmt.Errorf("%s: expected the folder of a data set with files in data/train, for -stats", path)
	}
	file := filepath.Join(path, well.StatisticsFile)
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s: it is there already: remove it to compute it again", file)
	}
	if err := well.UpdateStatistics(ctx, path); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "wrote %s\n", file)
	return err
}

// findDatasets returns path itself if it is a file, or a folder with files or splits;
// otherwise it returns the folders of that kind below path.
func findDatasets(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() || holdsData(path) {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if p := filepath.Join(path, e.Name()); e.IsDir() && holdsData(p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: expected a data set (data/<split>/*.hdf5), a folder of *.hdf5 files, or a folder of data sets, got none", path)
	}
	return out, nil
}

func holdsData(path string) bool {
	if splits, err := well.Splits(path); err == nil && len(splits) > 0 {
		return true
	}
	entries, err := os.ReadDir(path)
	return err == nil && slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		ext := filepath.Ext(e.Name())
		return !e.IsDir() && (ext == ".hdf5" || ext == ".h5")
	})
}

// split opens a split, describes it and reads every value.
func (d *datasetReport) split(path, split string) error {
	ds, err := well.Open(path, well.Options{Split: split})
	if err != nil {
		return err
	}
	defer ds.Close()
	m := ds.Metadata()
	if d.Name != "" && d.Name != m.Name {
		return fmt.Errorf("%s: split %s: expected data set %s as in the other splits, got %s", path, split, d.Name, m.Name)
	}
	d.Name, d.GridType, d.Axes, d.Grid, d.Statistics = m.Name, m.GridType, m.Axes, m.Grid, ds.Statistics() != nil
	d.Scalars = append(slices.Clone(m.Scalars), m.ConstantScalars...)
	d.Fields = nil
	for _, f := range m.Fields {
		d.Fields = append(d.Fields, fieldReport{f.Name, f.Order, f.Constant})
	}
	s := splitReport{Split: split, Trajectories: len(ds.Trajectories())}
	for _, f := range ds.Files() {
		s.Files++
		s.Bytes += f.Bytes
		for _, kind := range describeBoundaries(f.Boundaries) {
			if !slices.Contains(s.Boundaries, kind) {
				s.Boundaries = append(s.Boundaries, kind)
			}
		}
	}
	for _, t := range ds.Trajectories() {
		if !slices.Contains(s.Steps, t.Steps) {
			s.Steps = append(s.Steps, t.Steps)
		}
	}
	d.Boundaries = s.Boundaries
	windows, err := data.NewWindows(ds, data.Cut{Input: 6, Output: 1})
	if err == nil {
		s.Windows = windows.Len()
	}
	d.Splits = append(d.Splits, s)
	return errors.Join(err, ds.Check(context.Background(), nil))
}

// describeBoundaries returns "x periodic, y wall/open".
func describeBoundaries(b data.Boundaries) []string {
	var parts []string
	for i, x := range b {
		parts = append(parts, fmt.Sprintf("axis %d %s", i, x))
	}
	return []string{strings.Join(parts, ", ")}
}

// write prints the report, as one JSON object or as text.
func (r *dataReport) write(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	var b strings.Builder
	for _, d := range r.Datasets {
		d.text(&b)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// numbers writes "31" or "18, 31".
func numbers(list []int) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ", ")
}

func (d *datasetReport) text(b *strings.Builder) {
	fmt.Fprintln(b, d.Path)
	if d.Name != "" {
		fmt.Fprintf(b, "  name        %s\n", d.Name)
		fmt.Fprintf(b, "  grid        %v, %s, axes %s\n", d.Grid, d.GridType, strings.Join(d.Axes, " "))
	}
	for _, f := range d.Fields {
		kind := map[int]string{0: "scalar", 1: "vector", 2: "tensor of order 2"}[f.Order]
		if f.Constant {
			kind += ", constant"
		}
		fmt.Fprintf(b, "  field       %s: %s\n", f.Name, kind)
	}
	if len(d.Scalars) > 0 {
		fmt.Fprintf(b, "  scalars     %s\n", strings.Join(d.Scalars, ", "))
	}
	for _, s := range d.Splits {
		fmt.Fprintf(b, "  %-11s %d files (%.1f MB), %d trajectories of %s frames, %d windows of 6+1\n",
			s.Split, s.Files, float64(s.Bytes)/1e6, s.Trajectories, numbers(s.Steps), s.Windows)
		for _, kind := range s.Boundaries {
			fmt.Fprintf(b, "  %-11s %s\n", "", kind)
		}
	}
	if d.Name != "" {
		fmt.Fprintf(b, "  statistics  %s\n", map[bool]string{true: "yes", false: "no (stats.yaml is missing, -stats writes it)"}[d.Statistics])
	}
	for _, p := range d.Problems {
		fmt.Fprintf(b, "  PROBLEM     %s\n", p)
	}
}
