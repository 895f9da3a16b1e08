package torchpt

import (
	"archive/zip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"

	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// archive holds the zip's entries by name, relative to the folder that torch puts them
// in.
type archive struct {
	r       io.ReaderAt
	size    int64
	entries map[string]*zip.File
	skipCRC bool
}

// openArchive reads the zip's directory and finds data.pkl.
func openArchive(r io.ReaderAt, size int64, skipCRC bool) (*archive, error) {
	if size == 0 {
		return nil, errors.New("expected a zip archive, got an empty file")
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("expected a zip archive as torch.save has written since torch 1.6, got something else or a truncated file: %w", err)
	}
	prefix, found := "", 0
	for _, f := range z.File {
		if folder, ok := strings.CutSuffix(f.Name, "data.pkl"); ok && strings.Count(folder, "/") == 1 && strings.HasSuffix(folder, "/") {
			prefix, found = folder, found+1
		}
	}
	if found != 1 {
		return nil, fmt.Errorf("expected a zip archive with one <name>/data.pkl, got %d of them", found)
	}
	a := &archive{r: r, size: size, skipCRC: skipCRC, entries: map[string]*zip.File{}}
	for _, f := range z.File {
		name, ok := strings.CutPrefix(f.Name, prefix)
		if !ok {
			continue
		}
		if a.entries[name] != nil {
			return nil, fmt.Errorf("expected every entry of the archive once, got %q twice", f.Name)
		}
		a.entries[name] = f
	}
	return a, a.checkByteOrder()
}

// checkByteOrder reads the entry that newer versions write.
func (a *archive) checkByteOrder() error {
	if a.entries["byteorder"] == nil {
		return nil
	}
	text, err := a.readAll("byteorder", 16)
	if err != nil {
		return err
	}
	if string(text) != "little" {
		return fmt.Errorf("expected byte order little, got %q", text)
	}
	return nil
}

// entry returns an entry and its length after checking that its bytes are stored
// uncompressed in the file.
func (a *archive) entry(name string) (*zip.File, int64, error) {
	f := a.entries[name]
	if f == nil {
		return nil, 0, fmt.Errorf("expected an entry %q in the archive, got none", name)
	}
	if f.Method != zip.Store || f.Flags&1 != 0 {
		return nil, 0, fmt.Errorf("entry %q: expected it stored plainly as torch.save writes it, got it compressed or encrypted (zip method %d); load and save it with torch", name, f.Method)
	}
	if f.UncompressedSize64 != f.CompressedSize64 || f.UncompressedSize64 > uint64(a.size) {
		return nil, 0, fmt.Errorf("entry %q: expected a length within the file's %d bytes, got %d and %d", name, a.size, f.CompressedSize64, f.UncompressedSize64)
	}
	return f, int64(f.UncompressedSize64), nil
}

// readAll returns a small entry's bytes.
func (a *archive) readAll(name string, most int64) ([]byte, error) {
	f, n, err := a.entry(name)
	if err != nil {
		return nil, err
	}
	if n > most {
		return nil, fmt.Errorf("entry %q: expected at most %d bytes, got %d", name, most, n)
	}
	at, err := f.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("entry %q: %w", name, err)
	}
	b := make([]byte, n)
	if got, err := a.r.ReadAt(b, at); got < len(b) {
		return nil, fmt.Errorf("entry %q: expected %d bytes, got %d: %w", name, n, got, err)
	}
	if a.skipCRC {
		return b, nil
	}
	return b, checkCRC(f, crc32.ChecksumIEEE(b))
}

// checkCRC compares the CRC-32 of an entry's bytes.
func checkCRC(f *zip.File, got uint32) error {
	if got != f.CRC32 {
		return fmt.Errorf("entry %q is damaged: expected CRC-32 %08x, got %08x (if torch wrote the file with set_crc32_options(False), set LoadOptions.SkipCRC)", f.Name, f.CRC32, got)
	}
	return nil
}

// storage is one entry under data/ as elements of a dtype.
type storage struct {
	file     *File
	key      string
	dtype    string
	size     int // bytes of an element
	elements int64
	entry    *zip.File
}

// storage finds the entry of a key and checks that it has the given number of elements.
func (f *File) storage(key, dtype string, elements int64) (*storage, error) {
	e, length, err := f.archive.entry("data/" + key)
	if err != nil {
		return nil, err
	}
	size, ok := safetensors.ByteSize(dtype)
	if !ok {
		return nil, fmt.Errorf("expected a known dtype, got %q", dtype)
	}
	if elements < 0 || elements > math.MaxInt64/int64(size) || elements*int64(size) > length {
		return nil, fmt.Errorf("expected %d elements of %s, got an entry of %d bytes", elements, dtype, length)
	}
	return &storage{file: f, key: key, dtype: dtype, size: size, elements: elements, entry: e}, nil
}

// readAt fills raw with whole elements from position at, which is in range.
func (s *storage) readAt(raw []byte, at int64) error {
	start, err := s.entry.DataOffset()
	if err != nil {
		return fmt.Errorf("storage %q: %w", s.key, err)
	}
	offset := start + at*int64(s.size)
	if got, err := s.file.archive.r.ReadAt(raw, offset); got < len(raw) {
		return fmt.Errorf("storage %q: expected %d bytes at %d, got %d: %w", s.key, len(raw), offset, got, err)
	}
	return nil
}
