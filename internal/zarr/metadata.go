// Package zarr reads Zarr stores of the versions 2 and 3 from a file system. It was written
// from the two specifications (https://zarr-specs.readthedocs.io).
//
// It reads the compressors gzip, zlib, bz2, lz4, zstd and blosc (with lz4, zlib, zstd and
// snappy inside), the filter shuffle, and the codecs bytes, transpose, crc32c and
// sharding_indexed. The error names every other one.
//
// Nothing in a store is trusted. A metadata file has at most 16 MiB, a store at most 65,536
// entries in 16 levels of groups. A decoded chunk has at most 512 MiB, and above 64 MiB at
// most 256 times its encoded bytes. A chunk must decode to exactly the bytes of its shape. A read needs memory for one encoded and one decoded
// chunk; decoded chunks are cached up to 64 MiB per store.
package zarr

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/gowalrus/gowalrus/internal/ndarray"
)

// Bounds of a store.
const (
	maxMetadata = 16 << 20
	maxEntries  = 1 << 16
	maxDepth    = 16
	maxRank     = 32
)

// maxChunk bounds the bytes of a decoded chunk. The fuzz target lowers it.
var maxChunk int64 = 512 << 20

// array holds the parsed metadata of an array, of either version.
type array struct {
	typ   ndarray.Type
	shape []int
	// chunk is the shape of a chunk that is decoded on its own: the inner chunk of a shard.
	chunk []int
	fill  []byte
	// keys
	prefix, separator string
	version           int
	names             []string
	attributes        map[string]any
	// order is the order of the axes in a decoded chunk, slowest first.
	order   []int
	decoder pipeline
	shard   *shard
}

// v2Metadata is the content of .zarray.
type v2Metadata struct {
	Format     int             `json:"zarr_format"`
	Shape      []int           `json:"shape"`
	Chunks     []int           `json:"chunks"`
	DType      json.RawMessage `json:"dtype"`
	Compressor *codecConfig    `json:"compressor"`
	Filters    []codecConfig   `json:"filters"`
	Fill       json.RawMessage `json:"fill_value"`
	Order      string          `json:"order"`
	Separator  string          `json:"dimension_separator"`
}

// v3Metadata is the content of zarr.json.
type v3Metadata struct {
	Format    int             `json:"zarr_format"`
	Node      string          `json:"node_type"`
	Shape     []int           `json:"shape"`
	DType     json.RawMessage `json:"data_type"`
	Grid      named           `json:"chunk_grid"`
	Keys      named           `json:"chunk_key_encoding"`
	Codecs    []named         `json:"codecs"`
	Fill      json.RawMessage `json:"fill_value"`
	Names     []*string       `json:"dimension_names"`
	Attrs     map[string]any  `json:"attributes"`
	Transform []any           `json:"storage_transformers"`
}

// named is an extension point of version 3: a name with a configuration.
type named struct {
	Name   string          `json:"name"`
	Config json.RawMessage `json:"configuration"`
}

// UnmarshalJSON also accepts a name alone.
func (n *named) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &n.Name)
	}
	type plain named
	return json.Unmarshal(b, (*plain)(n))
}

// configure decodes the configuration of an extension point.
func (n named) configure(v any) error {
	if len(n.Config) == 0 {
		return nil
	}
	if err := json.Unmarshal(n.Config, v); err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	return nil
}

// readFile reads a file of at most limit bytes.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("expected at most %d bytes, got more", limit)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// readJSON reads a metadata file. Infinity and NaN, which some writers of version 2 leave
// unquoted, are errors.
func readJSON(fsys fs.FS, name string, v any) error {
	b, err := readFile(fsys, name, maxMetadata)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// readArray reads the metadata of the array in a folder. It returns nil for a group.
func readArray(fsys fs.FS, folder string) (*array, error) {
	var v3 v3Metadata
	err := readJSON(fsys, path.Join(folder, "zarr.json"), &v3)
	if err == nil {
		if v3.Node == "group" {
			return nil, nil
		}
		return newV3(folder, v3)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var v2 v2Metadata
	err = readJSON(fsys, path.Join(folder, ".zarray"), &v2)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a, err := newV2(folder, v2)
	if err != nil {
		return nil, err
	}
	if err := readJSON(fsys, path.Join(folder, ".zattrs"), &a.attributes); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if list, ok := a.attributes["_ARRAY_DIMENSIONS"].([]any); ok && len(list) == len(a.shape) {
		for _, x := range list {
			name, _ := x.(string)
			a.names = append(a.names, name)
		}
	}
	return a, nil
}

func newV2(folder string, m v2Metadata) (*array, error) {
	var descr string
	if err := json.Unmarshal(m.DType, &descr); err != nil {
		return nil, errType(m.DType)
	}
	t, err := ndarray.ParseType(descr)
	if err != nil {
		return nil, unreadable{err}
	}
	a := &array{typ: t, shape: m.Shape, chunk: m.Chunks, prefix: folder, separator: ".", version: 2}
	if m.Separator != "" {
		a.separator = m.Separator
	}
	if a.separator != "." && a.separator != "/" {
		return nil, fmt.Errorf(`dimension_separator: expected "." or "/", got %q`, a.separator)
	}
	if err := a.checkShape(); err != nil {
		return nil, err
	}
	switch m.Order {
	case "C", "":
		a.order = counted(len(a.shape))
	case "F":
		a.order = counted(len(a.shape))
		slices.Reverse(a.order)
	default:
		return nil, fmt.Errorf(`order: expected "C" or "F", got %q`, m.Order)
	}
	if a.fill, err = fillBytes(t, m.Fill); err != nil {
		return nil, err
	}
	a.decoder, err = newV2Pipeline(m)
	return a, err
}

func newV3(folder string, m v3Metadata) (*array, error) {
	if m.Format != 3 || m.Node != "array" {
		return nil, fmt.Errorf("zarr.json: expected the format 3 and an array, got %d and %q", m.Format, m.Node)
	}
	if len(m.Transform) > 0 {
		return nil, fmt.Errorf("storage_transformers: expected none, got %v", m.Transform)
	}
	var name string
	if err := json.Unmarshal(m.DType, &name); err != nil {
		return nil, errType(m.DType)
	}
	t, err := ndarray.ParseType(name)
	if err != nil {
		return nil, unreadable{err}
	}
	a := &array{typ: t, shape: m.Shape, prefix: folder, version: 3, separator: "/", attributes: m.Attrs}
	var grid struct {
		Shape []int `json:"chunk_shape"`
	}
	if err := m.Grid.configure(&grid); err != nil || m.Grid.Name != "regular" {
		return nil, fmt.Errorf("chunk_grid: expected a regular one, got %q (%v)", m.Grid.Name, err)
	}
	a.chunk = grid.Shape
	if err := a.checkShape(); err != nil {
		return nil, err
	}
	if err := a.setKeys(m.Keys); err != nil {
		return nil, err
	}
	if len(m.Names) == len(a.shape) {
		for _, n := range m.Names {
			if n == nil {
				n = new(string)
			}
			a.names = append(a.names, *n)
		}
	}
	if a.fill, err = fillBytes(a.typ, m.Fill); err != nil {
		return nil, err
	}
	if err := a.setCodecs(m.Codecs); err != nil {
		return nil, fmt.Errorf("codecs: %w", err)
	}
	// The codec "bytes" sets the byte order, which the fill value follows.
	a.fill, err = fillBytes(a.typ, m.Fill)
	return a, err
}

// setKeys sets how the keys of chunks are made.
func (a *array) setKeys(keys named) error {
	var c struct {
		Separator string `json:"separator"`
	}
	if err := keys.configure(&c); err != nil {
		return err
	}
	switch keys.Name {
	case "default", "":
	case "v2":
		a.version, a.separator = 2, "."
	default:
		return fmt.Errorf("chunk_key_encoding: expected default or v2, got %q", keys.Name)
	}
	if c.Separator != "" {
		a.separator = c.Separator
	}
	if a.separator != "." && a.separator != "/" {
		return fmt.Errorf(`chunk_key_encoding: expected the separator "." or "/", got %q`, a.separator)
	}
	return nil
}

// unreadable is the error of an array whose type has no numbers.
type unreadable struct{ error }

func errType(raw json.RawMessage) error {
	return unreadable{fmt.Errorf("expected an array of plain numbers, got the type %.100s", raw)}
}

// checkShape checks shape and chunks.
func (a *array) checkShape() error {
	if len(a.shape) > maxRank || len(a.chunk) != len(a.shape) {
		return fmt.Errorf("expected at most %d axes and a chunk length for each, got shape %v and chunks %v", maxRank, a.shape, a.chunk)
	}
	if _, err := ndarray.Bytes(a.typ, a.shape); err != nil {
		return err
	}
	for _, n := range a.chunk {
		if n < 1 {
			return fmt.Errorf("expected chunks of positive lengths, got %v", a.chunk)
		}
	}
	if n, err := ndarray.Bytes(a.typ, a.chunk); err != nil || n > math.MaxInt64/2 {
		return fmt.Errorf("expected chunks of at most 2^60 bytes, got %v", a.chunk)
	}
	return nil
}

// counted returns 0, 1, …, n−1.
func counted(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// fillBytes encodes the fill value of missing chunks. A missing fill value is 0.
func fillBytes(t ndarray.Type, raw json.RawMessage) ([]byte, error) {
	bad := func() ([]byte, error) {
		return nil, fmt.Errorf("fill_value: expected a number of type %s, got %.100s", t, raw)
	}
	text := strings.TrimSpace(string(raw))
	if text == "" || text == "null" {
		return make([]byte, t.Size), nil
	}
	if word, ok := strings.CutPrefix(strings.Trim(text, `"`), "0x"); ok && text[0] == '"' {
		bits, err := strconv.ParseUint(word, 16, 8*t.Size)
		if err != nil {
			return bad()
		}
		return encode(t, bits), nil
	}
	text = strings.Trim(text, `"`)
	switch text {
	case "true":
		text = "1"
	case "false":
		text = "0"
	}
	switch t.Kind {
	case ndarray.Float:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return bad()
		}
		switch t.Size {
		case 8:
			return encode(t, math.Float64bits(v)), nil
		case 4:
			return encode(t, uint64(math.Float32bits(float32(v)))), nil
		}
		if v != 0 {
			return nil, fmt.Errorf("fill_value: expected 0 for float16, got %s", text)
		}
		return make([]byte, 2), nil
	case ndarray.Int:
		v, err := strconv.ParseInt(text, 10, 8*t.Size)
		if err != nil {
			return bad()
		}
		return encode(t, uint64(v)), nil
	}
	v, err := strconv.ParseUint(text, 10, 8*t.Size)
	if err != nil {
		return bad()
	}
	return encode(t, v), nil
}

// encode returns the bytes of an element.
func encode(t ndarray.Type, bits uint64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, bits)[:t.Size]
	if t.Big {
		slices.Reverse(b)
	}
	return b
}
