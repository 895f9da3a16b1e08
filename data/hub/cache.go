package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// inner is the folder for what the cache itself needs, in the folder of a
// repository.
const inner = ".hub"

// folder returns where the files of a repository are kept.
func (c *Client) folder(r Repo) (string, error) {
	if err := r.Validate(); err != nil {
		return "", err
	}
	root := c.Cache
	if root == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("hub: cache: %w", err)
		}
		root = filepath.Join(base, "gowalrus")
	}
	return filepath.Join(root, string(r.Kind), filepath.FromSlash(r.Name), filepath.FromSlash(r.revision())), nil
}

// slot is the place of a file in the cache.
type slot struct {
	path  string // of the whole file
	part  string // of what has come so far
	note  string // of the state
	guard string // of the lock
}

func newSlot(dir, path string) slot {
	hidden := filepath.Join(dir, inner, filepath.FromSlash(path))
	return slot{path: filepath.Join(dir, filepath.FromSlash(path)), part: hidden + ".part", note: hidden + ".json", guard: hidden + ".lock"}
}

// state is what is known about a slot between two downloads.
type state struct {
	// File is what the part or the whole file is a version of.
	File File `json:"file"`
	// ETag is the server's name of that version, empty if it gave none.
	ETag string `json:"etag,omitempty"`
	// Whole says that the file was checked.
	Whole bool `json:"whole,omitempty"`
}

// state reads what is known. A note that cannot be read is no note: what it
// describes is checked again.
func (s slot) state() state {
	var out state
	if raw, err := os.ReadFile(s.note); err != nil || json.Unmarshal(raw, &out) != nil {
		return state{}
	}
	return out
}

// has reports whether the slot holds the file. A file that was put there by other
// means is checked once.
func (s slot) has(f File) bool {
	info, err := os.Stat(s.path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != f.Size {
		return false
	}
	known := s.state()
	return known.Whole && known.File == f
}

// adopt reports whether the slot holds the file. One that was put there by other
// means is checked and noted.
func (s slot) adopt(ctx context.Context, f File) (bool, error) {
	if s.has(f) {
		return true, nil
	}
	info, err := os.Stat(s.path)
	if err != nil || !info.Mode().IsRegular() {
		return false, nil
	}
	var bad *damaged
	if err := f.verify(ctx, s.path); errors.As(err, &bad) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	_ = writeJSON(s.note, state{File: f, Whole: true}) // without a note it is checked the next time, too
	return true, nil
}

// have returns the number of bytes of the part.
func (s slot) have() int64 {
	info, err := os.Stat(s.part)
	if err != nil {
		return 0
	}
	return info.Size()
}

// drop removes the part.
func (s slot) drop() error {
	if err := os.Remove(s.part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// writeJSON writes a file, beside the old one and then in its place.
func writeJSON(path string, value any) error {
	raw, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
