// Package atomicfile writes files and folders that are complete when they appear under
// their names. Each is written under a temporary name in the same folder, flushed to disk
// and renamed. After an error, or if the process ends, the previous file is unchanged.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Suffix ends the names of temporary files. A process that was killed leaves them behind.
const Suffix = ".partial"

// File is a temporary file in the folder of the path that it gets with Commit.
type File struct {
	*os.File
	path string
	done bool
}

// Create opens a temporary file in the folder of path, with the permissions of a new file. The
// caller ends it with Commit or Abort.
func Create(path string) (*File, error) {
	dir, base := filepath.Split(path)
	if base == "" {
		return nil, fmt.Errorf("expected the path of a file, got %q", path)
	}
	for range 100 {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%08x%s", base, rand.Uint32(), Suffix))
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &File{File: f, path: path}, nil
	}
	return nil, fmt.Errorf("expected a free name for a temporary file next to %s, got none in 100 attempts", path)
}

// Commit flushes the file to disk, closes it and renames it to its path. After an error no
// temporary file is left.
func (f *File) Commit() error {
	if f.done {
		return os.ErrClosed
	}
	f.done = true
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Abort closes and removes the temporary file. After Commit it does nothing.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	f.Close()
	os.Remove(f.Name())
}

// Write makes the file at path from what write writes.
func Write(path string, write func(io.Writer) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Abort()
		return err
	}
	return f.Commit()
}

// WriteBytes makes the file at path from data.
func WriteBytes(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
