package zarr

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// shard describes the codec sharding_indexed: a file holds the chunks of a larger chunk,
// and an index of their offsets and sizes.
type shard struct {
	shape []int // of the outer chunk, in inner chunks
	end   bool  // the index is at the end of the file
	sum   bool  // the index has a checksum
}

// maxIndex bounds the chunks of a shard.
const maxIndex = 1 << 20

// setShard sets the chunk to the inner one.
func (a *array) setShard(c named) error {
	config := struct {
		Shape    []int   `json:"chunk_shape"`
		Codecs   []named `json:"codecs"`
		Index    []named `json:"index_codecs"`
		Location string  `json:"index_location"`
	}{Location: "end"}
	if err := c.configure(&config); err != nil {
		return err
	}
	if len(config.Shape) != len(a.chunk) {
		return fmt.Errorf("sharding_indexed: expected a chunk length for each of %d axes, got %v", len(a.chunk), config.Shape)
	}
	s := &shard{}
	chunks := 1
	for i, n := range config.Shape {
		if n < 1 || a.chunk[i]%n != 0 || a.chunk[i]/n > maxIndex/chunks {
			return fmt.Errorf("sharding_indexed: expected at most %d chunks that fill a shard of %v, got %v", maxIndex, a.chunk, config.Shape)
		}
		s.shape = append(s.shape, a.chunk[i]/n)
		chunks *= a.chunk[i] / n
	}
	switch config.Location {
	case "start":
	case "end":
		s.end = true
	default:
		return fmt.Errorf("sharding_indexed: index_location: expected start or end, got %q", config.Location)
	}
	for i, codec := range config.Index {
		if codec.Name == "crc32c" && i == len(config.Index)-1 {
			s.sum = true
			continue
		}
		t, err := byteOrder(codec, a.typ)
		if err != nil || codec.Name != "bytes" || (t.Big && t.Size > 1) {
			return fmt.Errorf("sharding_indexed: index_codecs: expected bytes, little-endian, and crc32c, got %q (%v)", codec.Name, err)
		}
	}
	a.chunk, a.shard = config.Shape, s
	var err error
	a.order, a.decoder, a.typ, err = parseCodecs(config.Codecs, a.typ, len(a.shape))
	if err != nil {
		return fmt.Errorf("sharding_indexed: %w", err)
	}
	return nil
}

// sized is an open file of known size.
type sized struct {
	io.ReaderAt
	size int64
}

// openFile opens a file for positioned reads. Files of file systems that lack them are read
// whole, up to 1 GiB.
func openFile(fsys fs.FS, name string) (sized, io.Closer, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return sized{}, nil, err
	}
	info, err := f.Stat()
	r, ok := f.(io.ReaderAt)
	if err == nil && (!ok || info.IsDir()) {
		err = errors.New("expected a file with positioned reads")
	}
	if err != nil {
		return sized{}, nil, errors.Join(err, f.Close())
	}
	return sized{r, info.Size()}, f, nil
}

// read returns the encoded bytes of one chunk of a shard; ok is false for a chunk that is
// not stored. at holds the index of the chunk within the array.
func (s *shard) read(store *Store, name string, at []int, limit int64) (raw []byte, ok bool, err error) {
	f, closer, err := openFile(store.fsys, name)
	if err != nil {
		return nil, false, err
	}
	defer closer.Close()
	chunks, number := 1, 0
	for i, n := range s.shape {
		chunks *= n
		number = number*n + at[i]%n
	}
	index, err := s.index(store, f, name, chunks)
	if err != nil {
		return nil, false, fmt.Errorf("index: %w", err)
	}
	entry := index[16*number:]
	offset, size := binary.LittleEndian.Uint64(entry), binary.LittleEndian.Uint64(entry[8:])
	if offset == ^uint64(0) && size == offset {
		return nil, false, nil
	}
	if offset > uint64(f.size) || size > uint64(f.size)-offset || int64(size) > limit {
		return nil, false, fmt.Errorf("expected a chunk of at most %d bytes within the file's %d, got %d at %d", limit, f.size, size, offset)
	}
	raw = make([]byte, size)
	if _, err := f.ReadAt(raw, int64(offset)); err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	return raw, true, nil
}

// index returns the offsets and sizes of the chunks of a shard. It is cached.
func (s *shard) index(store *Store, f sized, name string, chunks int) ([]byte, error) {
	key := "index\x00" + name
	if index, ok := store.cache.Get(key); ok {
		return index, nil
	}
	index := make([]byte, 16*chunks, 16*chunks+4)
	if s.sum {
		index = index[:cap(index)]
	}
	start := int64(0)
	if s.end {
		start = f.size - int64(len(index))
	}
	if start < 0 || f.size < int64(len(index)) {
		return nil, fmt.Errorf("expected %d bytes, the file has %d", len(index), f.size)
	}
	if _, err := f.ReadAt(index, start); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if s.sum {
		var err error
		if index, err = checksum(index, 0); err != nil {
			return nil, err
		}
	}
	store.cache.Put(key, index, int64(len(index)))
	return index, nil
}

// outer returns the index of the shard of a chunk.
func (s *shard) outer(at []int) []int {
	out := slices.Clone(at)
	for i, n := range s.shape {
		out[i] /= n
	}
	return out
}
