package well

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/lru"
)

// Open opens a data set for reading. path is the folder of a data set (with data/<split>/
// in it), a folder of files, or a file, on this machine or at an address:
//
//	hf://datasets/OWNER/NAME[@REVISION][/PATH]  on the hub
//	https://HOST/PATH                           on a server; folders need a page that lists their files
//
// Open reads and checks the headers of all files but not the values; see [Dataset.Check].
// Open and Read download only the parts of files that they need from an address, into a cache
// on disk of 8 GiB; see [Options.Hub].
//
// All files must describe the same system: data set, grid, fields and scalars. Errors name
// the file and the fault.
func Open(path string, o Options) (*Dataset, error) {
	drv, err := driverFor(o.Driver)
	if err != nil {
		return nil, err
	}
	if o.MemoryBytes < 0 {
		return nil, fmt.Errorf("well: options: MemoryBytes: expected a number of bytes, or 0 for the default, got %d", o.MemoryBytes)
	}
	p, name, err := newPlace(path, o.Hub)
	if err != nil {
		return nil, err
	}
	files, root, err := p.listFiles(name, o)
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	d := &Dataset{options: o, place: p, root: root, cache: lru.New[cacheKey, []float32](cmp.Or(o.CacheBytes, defaultCacheBytes))}
	if err := d.openFiles(drv, files); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if err := d.describe(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// openFiles opens the files. The error joins the faults of all files, so that the user can
// fix all at once.
func (d *Dataset) openFiles(drv driver.Driver, files []string) error {
	d.place.warm(files)
	sizes := make([]int64, len(files))
	var total int64
	for i, name := range files {
		if info, err := d.place.stat(name); err == nil { // else opening it fails
			sizes[i] = info.Size()
			total += sizes[i]
		}
	}
	d.quota = newQuota(d.options.MemoryBytes, total)
	var faults error
	for i, name := range files {
		h, err := openFile(drv, d.place, name, d.quota)
		if err != nil {
			faults = errors.Join(faults, err)
			continue
		}
		h.bytes = sizes[i]
		d.files = append(d.files, h)
		faults = errors.Join(faults, h.sameSystem(d.files[0]))
		d.trajectories = slices.Grow(d.trajectories, h.trajectories)
		d.fileOf = slices.Grow(d.fileOf, h.trajectories)
		for i := range h.trajectories {
			d.trajectories = append(d.trajectories, data.Trajectory{File: h.path, Index: i, Steps: h.steps})
			d.fileOf = append(d.fileOf, len(d.files)-1)
		}
	}
	return faults
}

// Splits returns the splits of a data set: the folders in data/ that contain files. path is
// the folder of the data set, or its address (see [Open]).
func Splits(path string) ([]string, error) {
	p, name, err := newPlace(path, nil)
	if err != nil {
		return nil, err
	}
	names, err := p.splits(name)
	return names, errors.Join(err, p.close())
}

func (p place) splits(name string) ([]string, error) {
	entries, err := p.list(p.join(name, "data"))
	if err != nil {
		return nil, fmt.Errorf("well: %w", err)
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() && p.tree != nil {
			continue // without a request
		}
		if files, err := p.hdf5Files(p.join(name, "data", e.Name())); err == nil && len(files) > 0 {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// listFiles returns the files to open, sorted, and the folder of the data set, which
// contains stats.yaml.
func (p place) listFiles(name string, o Options) (files []string, root string, err error) {
	info, err := p.stat(name)
	if err != nil {
		return nil, "", fmt.Errorf("well: %w", err)
	}
	if !info.IsDir() {
		return []string{name}, p.rootOf(p.dir(name)), nil
	}
	folder := name
	if p.isDir(p.join(name, "data")) {
		if folder, err = p.splitFolder(name, o.Split); err != nil {
			return nil, "", err
		}
	}
	if files, err = p.hdf5Files(folder); err != nil {
		return nil, "", fmt.Errorf("well: %w", err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return !o.keeps(p.show(name)) })
	if len(files) == 0 {
		filters := ""
		if len(o.Include)+len(o.Exclude) > 0 {
			filters = fmt.Sprintf(" (include %q, exclude %q)", o.Include, o.Exclude)
		}
		err := fmt.Errorf("well: %s: expected files *.hdf5 or *.h5%s, got none", p.show(folder), filters)
		if other, _ := p.list(folder); folder == name && filters == "" && len(other) > 0 {
			err = &ForeignError{p.show(name), err}
		}
		return nil, "", err
	}
	return files, p.rootOf(folder), nil
}

// splitFolder returns the folder of a split. Without a name, the data set must have exactly
// one split.
func (p place) splitFolder(name, split string) (string, error) {
	names, err := p.splits(name)
	if err != nil {
		return "", err
	}
	if split == "" && len(names) == 1 {
		split = names[0]
	}
	folder := p.join(name, "data", split)
	if (split != "" || len(names) == 0) && (slices.Contains(names, split) || p.isDir(folder)) {
		return folder, nil // without files, the caller returns an error
	}
	if !slices.Contains(names, split) {
		return "", fmt.Errorf("well: %s: expected one of the splits %v, got %q", p.show(name), names, split)
	}
	return folder, nil
}

// rootOf returns the folder of the data set to which a folder of files belongs.
func (p place) rootOf(folder string) string {
	if parent := p.dir(folder); p.base(parent) == "data" {
		return p.dir(parent)
	}
	return folder
}

func (p place) hdf5Files(folder string) ([]string, error) {
	entries, err := p.list(folder)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if ext := path.Ext(e.Name()); !e.IsDir() && (ext == ".hdf5" || ext == ".h5") {
			out = append(out, p.join(folder, e.Name()))
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
