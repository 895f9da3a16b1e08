package solve

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// cache keeps trajectories as files in a folder. A file holds, in little-endian order: the
// CRC-32C of the rest of the file, the length of a JSON text, the text (the Case), and the
// values of the frames and constant fields as float32.
type cache struct {
	dir    string
	budget int64
	log    *slog.Logger

	mu    sync.Mutex
	files []stored // oldest first
	total int64
	full  bool // a file could not be written, and the error was logged
}

// stored is a file of a cache.
type stored struct {
	name  string
	bytes int64
}

// cacheVersion is part of the files' names. Change it when the format changes, or when a
// solver computes other values from the same draws.
const cacheVersion = "1"

const cacheSuffix = ".trajectory"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openCache lists the files of a folder, and creates the folder if it does not exist. It
// removes the oldest files above the budget, and unfinished files of killed processes.
func openCache(dir string, budget int64, log *slog.Logger) (*cache, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("solve: cache: %w", err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("solve: cache: %w", err)
	}
	c := &cache{dir: dir, budget: budget, log: log}
	ages := map[string]time.Time{}
	for _, f := range list {
		info, err := f.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		switch {
		case strings.HasSuffix(f.Name(), atomicfile.Suffix) && time.Since(info.ModTime()) > time.Hour:
			_ = os.Remove(filepath.Join(dir, f.Name())) // a file that cannot be removed only wastes disk space
		case strings.HasSuffix(f.Name(), cacheSuffix):
			ages[f.Name()] = info.ModTime()
			c.files = append(c.files, stored{f.Name(), info.Size()})
			c.total += info.Size()
		}
	}
	slices.SortStableFunc(c.files, func(a, b stored) int { return ages[a.name].Compare(ages[b.name]) })
	c.shrink(0)
	return c, nil
}

// name returns the name of a trajectory's file.
func (c *cache) name(k key) string {
	return fmt.Sprintf("%s-%s-%d%s", k.stream.name, cacheVersion, k.trajectory, cacheSuffix)
}

// load reads a trajectory. It returns nil if the file is missing or damaged.
func (c *cache) load(k key) *recording {
	path := filepath.Join(c.dir, c.name(k))
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var r *recording
	if err == nil {
		r, err = decode(k.stream, raw)
	}
	if err != nil {
		c.log.Warn("a cached trajectory cannot be used and is simulated again", "file", path, "error", err)
		return nil
	}
	return r
}

// store writes a trajectory to a temporary file and renames it. It logs the first error;
// the run continues without the file.
func (c *cache) store(k key, r *recording) {
	raw, err := encode(r)
	if err == nil {
		err = c.write(c.name(k), raw)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && !c.full {
		c.full = true
		c.log.Warn("a simulated trajectory cannot be kept", "folder", c.dir, "error", err)
	}
}

func (c *cache) write(name string, raw []byte) error {
	size := int64(len(raw))
	if size > c.budget {
		return fmt.Errorf("expected at most %d bytes, the budget, got a trajectory of %d", c.budget, size)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.files, func(f stored) bool { return f.name == name }); i >= 0 { // replaces a damaged file
		c.total -= c.files[i].bytes
		c.files = slices.Delete(c.files, i, i+1)
	}
	c.shrink(size)
	if err := atomicfile.WriteBytes(filepath.Join(c.dir, name), raw); err != nil {
		return err
	}
	c.files, c.total = append(c.files, stored{name, size}), c.total+size
	return nil
}

// shrink removes the oldest files until more bytes fit into the budget.
func (c *cache) shrink(more int64) {
	for len(c.files) > 0 && c.total+more > c.budget {
		f := c.files[0]
		c.files, c.total = c.files[1:], c.total-f.bytes
		if err := os.Remove(filepath.Join(c.dir, f.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.log.Warn("a cached trajectory cannot be removed", "error", err)
		}
	}
}

// encode returns the content of a trajectory's file.
func encode(r *recording) ([]byte, error) {
	text, err := json.Marshal(r.Case)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Write(make([]byte, 4))
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(text))))
	b.Write(text)
	for _, frame := range append(r.frames[:len(r.frames):len(r.frames)], r.constants) {
		for _, v := range frame {
			b.Write(binary.LittleEndian.AppendUint32(b.AvailableBuffer(), math.Float32bits(v)))
		}
	}
	raw := b.Bytes()
	binary.LittleEndian.PutUint32(raw, crc32.Checksum(raw[4:], castagnoli))
	return raw, nil
}

// decode checks and decodes the content of a file.
func decode(s *Stream, raw []byte) (*recording, error) {
	if len(raw) < 8 {
		return nil, fmt.Errorf("expected at least 8 bytes, got %d", len(raw))
	}
	if got, want := crc32.Checksum(raw[4:], castagnoli), binary.LittleEndian.Uint32(raw); got != want {
		return nil, fmt.Errorf("expected checksum %08x, got %08x", want, got)
	}
	text, values := int64(binary.LittleEndian.Uint32(raw[4:])), raw[8:]
	if int64(len(values)) != text+s.bytes {
		return nil, fmt.Errorf("expected %d bytes of values after %d bytes of text, got %d bytes in total", s.bytes, text, len(values))
	}
	r := &recording{}
	if err := json.Unmarshal(values[:text], &r.Case); err != nil {
		return nil, err
	}
	values = values[text:]
	take := func(channels int) []float32 {
		out := make([]float32, channels*s.empty.Points())
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(values[4*i:]))
		}
		values = values[4*len(out):]
		return out
	}
	for range s.o.Frames {
		r.frames = append(r.frames, take(len(s.empty.Channels(false))))
	}
	if n := len(s.empty.Channels(true)); n > 0 {
		r.constants = take(n)
	}
	return r, nil
}
