package zarr

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/lru"
	"github.com/gowalrus/gowalrus/internal/ndarray"
)

// Single is the name of the array of a store that is one array.
const Single = "array"

// Store is an open store. It is safe for concurrent use.
type Store struct {
	name    string
	fsys    fs.FS
	arrays  []*Array
	skipped []string
	root    map[string]any
	cache   *lru.Cache[string, []byte]
}

// Is reports whether a folder is a store: it has metadata of a group or of an array.
func Is(folder string) bool {
	for _, name := range []string{"zarr.json", ".zgroup", ".zarray", ".zmetadata"} {
		if info, err := os.Stat(path.Join(folder, name)); err == nil && !info.IsDir() {
			return true
		}
	}
	return false
}

// Open opens the store in a folder.
func Open(folder string) (*Store, error) {
	if !Is(folder) {
		return nil, fmt.Errorf("%s: expected a Zarr store with zarr.json, .zgroup or .zarray, got none of them", folder)
	}
	return OpenFS(os.DirFS(folder), folder)
}

// OpenFS opens the store in the root of a file system. The name is used in errors only.
func OpenFS(fsys fs.FS, name string) (*Store, error) {
	s := &Store{name: name, fsys: fsys, cache: lru.New[string, []byte](cacheBytes)}
	left := maxEntries
	if err := s.walk(".", 0, &left); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := s.readRoot(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// readRoot reads the attributes of the root group.
func (s *Store) readRoot() error {
	var group struct {
		Attributes map[string]any `json:"attributes"`
	}
	err := readJSON(s.fsys, "zarr.json", &group)
	if s.root = group.Attributes; errors.Is(err, fs.ErrNotExist) {
		err = readJSON(s.fsys, ".zattrs", &s.root)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// walk collects the arrays below a folder.
func (s *Store) walk(folder string, depth int, left *int) error {
	a, err := readArray(s.fsys, folder)
	name := folder
	if folder == "." {
		name = Single
	}
	if bad := (unreadable{}); errors.As(err, &bad) {
		s.skipped = append(s.skipped, fmt.Sprintf("%s (%v)", name, err))
		return nil
	}
	if err != nil {
		return fmt.Errorf("array %s: %w", name, err)
	}
	if a != nil {
		s.arrays = append(s.arrays, &Array{store: s, name: name, meta: a})
		return nil
	}
	if depth >= maxDepth {
		return fmt.Errorf("%s: expected at most %d levels of groups", folder, maxDepth)
	}
	entries, err := fs.ReadDir(s.fsys, folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if *left--; *left < 0 {
			return fmt.Errorf("expected at most %d entries in a store", maxEntries)
		}
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			if err := s.walk(path.Join(folder, e.Name()), depth+1, left); err != nil {
				return err
			}
		}
	}
	return nil
}

// Arrays returns the arrays, sorted by name. The name of an array in a group is its path.
func (s *Store) Arrays() []*Array { return s.arrays }

// Skipped lists the arrays that are not numbers.
func (s *Store) Skipped() []string { return s.skipped }

// Attributes returns the attributes of the root group.
func (s *Store) Attributes() map[string]any { return s.root }

// Dataset returns an array.
func (s *Store) Dataset(name string) (driver.Dataset, error) {
	var names []string
	for _, a := range s.arrays {
		if a.name == strings.Trim(name, "/") {
			return a, nil
		}
		names = append(names, a.name)
	}
	return nil, fmt.Errorf("%s: array %q: %w: the store has %.1000q", s.name, name, driver.ErrNotFound, names)
}

// Memory returns the bytes of decoded chunks in memory.
func (s *Store) Memory() int64 {
	return s.cache.Used()
}

// Close discards the cache.
func (s *Store) Close() error {
	s.cache.Clear()
	return nil
}

// Array is an array of a store. It implements driver.Dataset.
type Array struct {
	store *Store
	name  string
	meta  *array
}

// Name returns the path of the array in the store.
func (a *Array) Name() string { return a.name }

// Dimensions returns the names of the axes, nil if the store has none.
func (a *Array) Dimensions() []string { return a.meta.names }

// Attributes returns the attributes as decoded JSON.
func (a *Array) Attributes() map[string]any { return a.meta.attributes }

// Shape returns the lengths of the axes.
func (a *Array) Shape() []int { return a.meta.shape }

// Type returns the name of the element type.
func (a *Array) Type() string { return a.meta.typ.String() }

// Chunk returns the shape of a chunk.
func (a *Array) Chunk() []int { return a.meta.chunk }

// Float32 reads a block; see driver.Dataset.
func (a *Array) Float32(dst []float32, offset, count []int) error {
	return read(a, dst, offset, count, ndarray.Type.Float32s)
}

// Float64 reads a block; see driver.Dataset.
func (a *Array) Float64(dst []float64, offset, count []int) error {
	return read(a, dst, offset, count, ndarray.Type.Float64s)
}

func (a *Array) wrap(err error) error {
	return fmt.Errorf("%s: array %s: %w", a.store.name, a.name, err)
}

// read reads a block chunk by chunk.
func read[T float32 | float64](a *Array, dst []T, offset, count []int, decode ndarray.Decoder[T]) error {
	m := a.meta
	if err := ndarray.CheckBlock(m.shape, offset, count, len(dst)); err != nil {
		return a.wrap(err)
	}
	if len(dst) == 0 {
		return nil
	}
	strides := make([]int, len(count))
	for i, step := len(count)-1, 1; i >= 0; i-- {
		strides[i] = step
		step *= count[i]
	}
	layout, err := m.layout()
	if err != nil {
		return a.wrap(err)
	}
	first, last := make([]int, len(count)), make([]int, len(count))
	for i := range count {
		first[i], last[i] = offset[i]/m.chunk[i], (offset[i]+count[i]-1)/m.chunk[i]
	}
	for at := slices.Clone(first); ; {
		values, err := a.chunk(at)
		if err != nil {
			return a.wrap(fmt.Errorf("chunk %v: %w", at, err))
		}
		from, n, start := make([]int, len(at)), make([]int, len(at)), 0
		for i, k := range at {
			low := max(offset[i], k*m.chunk[i])
			from[i], n[i] = low-k*m.chunk[i], min(offset[i]+count[i], (k+1)*m.chunk[i])-low
			start += (low - offset[i]) * strides[i]
		}
		if values == nil { // not stored: the fill value
			l := layout
			l.Strides = make([]int64, len(n))
			err = ndarray.Copy(bytes.NewReader(m.fill), l, dst, start, strides, from, n, decode)
		} else {
			err = ndarray.Copy(bytes.NewReader(values), layout, dst, start, strides, from, n, decode)
		}
		if err != nil {
			return a.wrap(err)
		}
		if !advance(at, first, last) {
			return nil
		}
	}
}

// advance moves an index to the next one in row-major order; it returns false at the end.
func advance(at, first, last []int) bool {
	for i := len(at) - 1; i >= 0; i-- {
		if at[i]++; at[i] <= last[i] {
			return true
		}
		at[i] = first[i]
	}
	return false
}

// layout returns the layout of a decoded chunk.
func (m *array) layout() (ndarray.Layout, error) {
	n, err := ndarray.Bytes(m.typ, m.chunk)
	if err != nil || n > maxChunk {
		return ndarray.Layout{}, fmt.Errorf("expected chunks of at most %d MiB, got shape %v of %s", maxChunk>>20, m.chunk, m.typ)
	}
	l := ndarray.Layout{Type: m.typ, Shape: m.chunk, Strides: make([]int64, len(m.chunk))}
	step := int64(m.typ.Size)
	for _, axis := range slices.Backward(m.order) {
		l.Strides[axis] = step
		step *= int64(m.chunk[axis])
	}
	return l, nil
}

// chunk returns the decoded bytes of a chunk, nil if it is not stored.
func (a *Array) chunk(at []int) ([]byte, error) {
	m := a.meta
	key := a.name + "\x00" + fmt.Sprint(at)
	if b, ok := a.store.cache.Get(key); ok {
		return b, nil
	}
	n, _ := ndarray.Bytes(m.typ, m.chunk) // layout has checked it
	limit := n + n/2 + 1<<16              // of the encoded bytes
	var raw []byte
	var err error
	ok := true
	if m.shard != nil {
		raw, ok, err = m.shard.read(a.store, m.key(m.shard.outer(at)), at, limit)
	} else {
		raw, err = readFile(a.store.fsys, m.key(at), limit)
	}
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !ok) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if n > smallChunk && n > mostPacked*int64(len(raw)) {
		return nil, fmt.Errorf("expected %d bytes of at most %d MiB or %d times the encoded ones, got %d encoded bytes", n, smallChunk>>20, mostPacked, len(raw))
	}
	if raw, err = m.decoder.run(raw, int(n)); err != nil {
		return nil, err
	}
	a.store.cache.Put(key, raw, int64(len(raw)))
	return raw, nil
}

// A chunk above smallChunk bytes must not be more than mostPacked times its encoded bytes, so
// that a small store does not need much memory.
const (
	smallChunk = 64 << 20
	mostPacked = 256
)

// key returns the name of the file of a chunk.
func (m *array) key(at []int) string {
	parts := make([]string, len(at))
	for i, k := range at {
		parts[i] = strconv.Itoa(k)
	}
	name := strings.Join(parts, m.separator)
	switch {
	case m.version == 3 && len(at) == 0:
		name = "c"
	case m.version == 3:
		name = "c" + m.separator + name
	case len(at) == 0:
		name = "0"
	}
	return path.Join(m.prefix, name)
}

// cacheBytes bounds the decoded chunks that a store keeps.
const cacheBytes = 64 << 20
