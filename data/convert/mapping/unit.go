package mapping

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// unit is a group of files that together hold one or more trajectories: all files that
// differ in {time} and {array} only.
type unit struct {
	// captures holds the texts that all files share.
	captures map[string]string
	// steps holds the files in the order of their times, one group per time.
	steps  []stepFiles
	byTime map[string]int

	trajectories, frames int
	// starts holds, for files per step, the first frame of each and the number of frames.
	starts []int
	// times holds one list, or one per trajectory.
	times       [][]float32
	coordinates [][]float32
	scalars     []series
}

// stepFiles holds the files of one time by the array that they hold, "" for all.
type stepFiles struct {
	captures map[string]string
	paths    map[string]string
}

// first returns the path of a file of the unit, for messages.
func (u *unit) first() string { return u.steps[0].first() }

func (s stepFiles) first() string { return s.paths[keysOf(s.paths)[0]] }

// path returns the file that holds a source at a step, and whether the name of the file is
// that of the array.
func (s *schema) path(u *unit, step int, src Source) (path string, named bool, err error) {
	files := u.steps[step]
	if src.File != "" {
		captures := maps.Clone(files.captures)
		captures[arrayName] = src.Array
		if path, err = substitute(src.File, captures); err != nil {
			return "", false, err
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.Dir, filepath.FromSlash(path))
		}
		return path, slices.Contains(patternNames(src.File), arrayName), nil
	}
	if path, ok := files.paths[""]; ok {
		return path, false, nil
	}
	path, ok := files.paths[src.Array]
	if !ok {
		return "", true, fmt.Errorf("expected a file of the array, got none beside %s", u.first())
	}
	return path, true, nil
}

// open calls do with the array of a source at a step. Errors of the file are of type
// [*Error]; those of do are not changed.
func (d *Dataset) open(u *unit, step int, key string, src Source, do func(path string, a driver.Dataset) error) error {
	path, named, err := d.schema.path(u, step, src)
	if err == nil {
		src.Array, err = substitute(src.Array, u.steps[step].captures)
	}
	if err != nil {
		return d.schema.fault(key, "%w", err).of("", src)
	}
	inner := false
	err = d.pool.with(path, func(h *handle) error {
		a, err := h.array(src.Array, named)
		if err != nil {
			return err
		}
		inner = true
		return do(path, a)
	})
	if err == nil || inner {
		return err
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return d.schema.fault(key, "%w", err).of(path, src)
}
