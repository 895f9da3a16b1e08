package hdf5

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/data/well/driver"
)

// maxLinks is the largest number of soft links on the way to an object, including those
// that other links lead through.
const maxLinks = 32

// find returns the address of the object header at a path.
func (f *File) find(p string) (uint64, error) {
	w := pathWalk{f: f, links: maxLinks}
	return w.walk(f.super.root, p)
}

// pathWalk follows one path.
type pathWalk struct {
	f     *File
	links int // soft links that may still be followed
}

// walk follows a path from the group at an address. The names "" and "." mean the same
// group; ".." is an ordinary name, as in the format.
func (w *pathWalk) walk(at uint64, p string) (uint64, error) {
	if strings.HasPrefix(p, "/") {
		at = w.f.super.root
	}
	for i := 0; i < len(p); {
		name, _, _ := strings.Cut(p[i:], "/")
		parent := p[:i]
		i += len(name) + 1
		if name == "" || name == "." {
			continue
		}
		list, err := w.f.group(at)
		if err != nil {
			return 0, err
		}
		l, ok := lookup(list, name)
		if !ok {
			if len(parent) > 1 {
				parent = strings.TrimRight(parent, "/")
			}
			return 0, fmt.Errorf("%w: %q has no member %q", driver.ErrNotFound, parent, name)
		}
		if at, err = w.follow(l, at); err != nil {
			return 0, err
		}
	}
	return at, nil
}

// follow returns the object that a link in the group at an address points to.
func (w *pathWalk) follow(l link, group uint64) (uint64, error) {
	switch l.kind {
	case hardLink:
		return l.address, nil
	case softLink:
		if w.links--; w.links < 0 {
			return 0, fmt.Errorf("more than %d soft links on the way", maxLinks)
		}
		return w.walk(group, l.target)
	}
	return 0, fmt.Errorf("%q is a link to another file, which is not supported", l.name)
}

// Children lists the names of a group's members, sorted.
func (f *File) Children(group string) ([]string, error) {
	at, err := f.find(group)
	if err != nil {
		return nil, f.wrap(group, err)
	}
	list, err := f.group(at)
	if err != nil {
		return nil, f.wrap(group, err)
	}
	names := make([]string, len(list))
	for i, l := range list {
		names[i] = l.name
	}
	return names, nil
}

// IsGroup reports whether the object at a path exists and is a group.
func (f *File) IsGroup(p string) (bool, error) {
	at, err := f.find(p)
	if errors.Is(err, driver.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, f.wrap(p, err)
	}
	o, err := f.object(at)
	if err != nil {
		return false, f.wrap(p, err)
	}
	return o.isGroup(), nil
}
