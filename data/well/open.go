package well

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
)

// Open opens a data set for reading. path is the folder of a data set (with data/<split>/
// in it), a folder of files, or a file. Open reads and checks the headers of all files but
// not the values; see [Dataset.Check].
//
// All files must describe the same system: data set, grid, fields and scalars. Errors name
// the file and the fault.
func Open(path string, o Options) (*Dataset, error) {
	files, root, err := listFiles(path, o)
	if err != nil {
		return nil, err
	}
	drv, err := driverFor(o.Driver)
	if err != nil {
		return nil, err
	}
	if o.MemoryBytes < 0 {
		return nil, fmt.Errorf("well: options: MemoryBytes: expected a number of bytes, or 0 for the default, got %d", o.MemoryBytes)
	}
	d := &Dataset{options: o, root: root, cache: newCache(o.CacheBytes), quota: newQuota(o.MemoryBytes, files)}
	var faults error // of all files, so that the user can fix all at once
	for _, name := range files {
		h, err := openFile(drv, name, d.quota)
		if err != nil {
			faults = errors.Join(faults, err)
			continue
		}
		d.files = append(d.files, h)
		faults = errors.Join(faults, h.sameSystem(d.files[0]))
		d.trajectories = slices.Grow(d.trajectories, h.trajectories)
		d.fileOf = slices.Grow(d.fileOf, h.trajectories)
		for i := range h.trajectories {
			d.trajectories = append(d.trajectories, data.Trajectory{File: name, Index: i, Steps: h.steps})
			d.fileOf = append(d.fileOf, len(d.files)-1)
		}
	}
	if faults != nil {
		return nil, errors.Join(faults, d.Close())
	}
	if err := d.describe(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Splits returns the splits of a data set: the folders in data/ that contain files.
func Splits(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(path, "data"))
	if err != nil {
		return nil, fmt.Errorf("well: %w", err)
	}
	var out []string
	for _, e := range entries {
		if files, err := hdf5Files(filepath.Join(path, "data", e.Name())); err == nil && len(files) > 0 {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// listFiles returns the files to open, sorted, and the folder of the data set, which
// contains stats.yaml.
func listFiles(path string, o Options) (files []string, root string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", fmt.Errorf("well: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, rootOf(filepath.Dir(path)), nil
	}
	folder := path
	if inner, err := os.Stat(filepath.Join(path, "data")); err == nil && inner.IsDir() {
		if folder, err = splitFolder(path, o.Split); err != nil {
			return nil, "", err
		}
	}
	if files, err = hdf5Files(folder); err != nil {
		return nil, "", fmt.Errorf("well: %w", err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return !o.keeps(name) })
	if len(files) == 0 {
		filters := ""
		if len(o.Include)+len(o.Exclude) > 0 {
			filters = fmt.Sprintf(" (include %q, exclude %q)", o.Include, o.Exclude)
		}
		err := fmt.Errorf("well: %s: expected files *.hdf5 or *.h5%s, got none", folder, filters)
		if other, _ := os.ReadDir(folder); folder == path && filters == "" && len(other) > 0 {
			err = &ForeignError{path, err}
		}
		return nil, "", err
	}
	return files, rootOf(folder), nil
}

// splitFolder returns the folder of a split. Without a name, the data set must have exactly
// one split.
func splitFolder(path, split string) (string, error) {
	names, err := Splits(path)
	if err != nil {
		return "", err
	}
	if split == "" && len(names) == 1 {
		split = names[0]
	}
	folder := filepath.Join(path, "data", split)
	if info, err := os.Stat(folder); err == nil && info.IsDir() && (split != "" || len(names) == 0) {
		return folder, nil // without files, the caller returns an error
	}
	if !slices.Contains(names, split) {
		return "", fmt.Errorf("well: %s: expected one of the splits %v, got %q", path, names, split)
	}
	return folder, nil
}

// rootOf returns the folder of the data set to which a folder of files belongs.
func rootOf(folder string) string {
	if parent := filepath.Dir(folder); filepath.Base(parent) == "data" {
		return filepath.Dir(parent)
	}
	return folder
}

func hdf5Files(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".hdf5" || ext == ".h5") {
			out = append(out, filepath.Join(folder, e.Name()))
		}
	}
	slices.Sort(out)
	return out, nil
}

// keeps reports whether the filters Include and Exclude accept a file.
func (o Options) keeps(name string) bool {
	has := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
	}
	return (len(o.Include) == 0 || has(o.Include)) && !has(o.Exclude)
}
