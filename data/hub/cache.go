package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// inner is the subfolder of a repository's folder that holds the cache's lists, parts and
// locks.
const inner = ".hub"

// root returns the folder of the cache.
func (c *Client) root() (string, error) {
	if c.Cache != "" {
		return c.Cache, nil
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("hub: cache: %w", err)
	}
	return filepath.Join(base, "gowalrus"), nil
}

// folder returns the folder of a repository.
func (c *Client) folder(r Repo) (string, error) {
	if err := r.Validate(); err != nil {
		return "", err
	}
	root, err := c.root()
	if err != nil {
		return "", err
	}
	return filepath.Join(root, string(r.Kind), filepath.FromSlash(r.Name), filepath.FromSlash(r.revision())), nil
}

// slot holds the paths of one file in the cache.
type slot struct {
	path  string // the complete file
	part  string // the part downloaded so far
	note  string // the state, as JSON
	guard string // the lock
}

func newSlot(dir, path string) slot {
	hidden := filepath.Join(dir, inner, filepath.FromSlash(path))
	return slot{path: filepath.Join(dir, filepath.FromSlash(path)), part: hidden + ".part", note: hidden + ".json", guard: hidden + ".lock"}
}

// state describes a slot between two downloads.
type state struct {
	// File identifies the version to which the part or the complete file belongs.
	File File `json:"file"`
	// ETag is the server's identifier of that version, empty if it sent none.
	ETag string `json:"etag,omitempty"`
	// Whole says that the complete file was verified.
	Whole bool `json:"whole,omitempty"`
}

// state reads the state. It returns the zero state if the note cannot be read; the file is
// then verified again.
func (s slot) state() state {
	var out state
	if raw, err := os.ReadFile(s.note); err != nil || json.Unmarshal(raw, &out) != nil {
		return state{}
	}
	return out
}

// has reports whether the slot holds a verified copy of f.
func (s slot) has(f File) bool {
	info, err := os.Stat(s.path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != f.Size {
		return false
	}
	known := s.state()
	return known.Whole && known.File == f
}

// adopt reports whether the slot holds f. It verifies a file that was copied there by hand
// and records the result.
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
	_ = writeJSON(s.note, state{File: f, Whole: true}) // if this fails, the file is verified again next time
	return true, nil
}

// have returns the size of the part in bytes.
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

// writeJSON writes a file, and its folder if that is missing.
func writeJSON(path string, value any) error {
	raw, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, raw)
}
