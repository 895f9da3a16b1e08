package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// Writer writes one file, a tensor at a time, in any order. It needs only a small
// buffer.
type Writer struct {
	path    string
	f       *atomicfile.File // nil after Close and Abort
	data    int64
	index   map[string]Info
	written map[string]bool
	broken  error // the first error; Close returns it again
}

// Create creates a file at path with the tensors of infos (name, dtype and shape; it
// computes the offsets) and the given metadata, which may be nil. Tensors are stored in
// the order of infos, wider dtypes first so that all values are aligned, as in the
// reference library. The bytes are written to a temporary file next to path until
// Close.
func Create(path string, infos []Info, metadata map[string]string) (*Writer, error) {
	ordered, err := layOut(infos)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: %w", path, err)
	}
	text, err := encodeHeader(ordered, metadata)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %s: %w", path, err)
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	w := &Writer{path: path, f: f, data: int64(len(text)),
		index: make(map[string]Info, len(ordered)), written: make(map[string]bool, len(ordered))}
	for _, info := range ordered {
		w.index[info.Name] = info
	}
	if _, err := f.WriteAt(text, 0); err != nil {
		w.Abort()
		return nil, fmt.Errorf("safetensors: %s: writing the header: %w", path, err)
	}
	return w, nil
}

// layOut checks infos and sets the byte range of each.
func layOut(infos []Info) ([]Info, error) {
	out := make([]Info, len(infos))
	sizes := make(map[string]int64, len(infos))
	for i, info := range infos {
		if info.Name == metadataKey {
			return nil, fmt.Errorf("expected tensor names other than %q", metadataKey)
		}
		if _, twice := sizes[info.Name]; twice {
			return nil, fmt.Errorf("tensor %q: expected every name once, got it twice", info.Name)
		}
		n, err := byteLength(info.DType, info.Shape)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", info.Name, err)
		}
		sizes[info.Name] = n
		out[i] = Info{Name: info.Name, DType: info.DType, Shape: slices.Clone(info.Shape)}
	}
	slices.SortStableFunc(out, func(a, b Info) int {
		return cmp.Compare(byteSizes[b.DType], byteSizes[a.DType])
	})
	at := int64(0)
	for i := range out {
		out[i].Begin = at
		at += sizes[out[i].Name]
		if at < out[i].Begin {
			return nil, errors.New("expected a total size that fits 63 bits, got an overflow")
		}
		out[i].End = at
	}
	return out, nil
}

// encodeHeader returns length and JSON, padded with spaces to eight bytes.
func encodeHeader(infos []Info, metadata map[string]string) ([]byte, error) {
	var text bytes.Buffer
	text.Write(make([]byte, 8)) // the length is set at the end
	text.WriteByte('{')
	if len(metadata) > 0 {
		if err := encodeEntry(&text, metadataKey, metadata); err != nil {
			return nil, err
		}
	}
	for _, info := range infos {
		if err := encodeEntry(&text, info.Name, newEntry(info)); err != nil {
			return nil, err
		}
	}
	text.WriteByte('}')
	for text.Len()%8 != 0 {
		text.WriteByte(' ')
	}
	if text.Len()-8 > MaxHeader {
		return nil, fmt.Errorf("expected a header of at most %d bytes, got %d", MaxHeader, text.Len()-8)
	}
	little.PutUint64(text.Bytes(), uint64(text.Len()-8))
	return text.Bytes(), nil
}

// encodeEntry appends one key and value to the object being written.
func encodeEntry(text *bytes.Buffer, key string, value any) error {
	if !utf8.ValidString(key) {
		return fmt.Errorf("expected names in UTF-8, got %q", key)
	}
	if text.Len() > 9 {
		text.WriteByte(',')
	}
	enc := json.NewEncoder(text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(key); err != nil {
		return fmt.Errorf("encoding %q: %w", key, err)
	}
	text.Truncate(text.Len() - 1) // Encode ends with a newline
	text.WriteByte(':')
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("encoding %q: %w", key, err)
	}
	text.Truncate(text.Len() - 1)
	return nil
}

// tensorEntry is the JSON of one tensor.
type tensorEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

func newEntry(info Info) tensorEntry {
	e := tensorEntry{DType: info.DType, Shape: info.Shape, Offsets: [2]int64{info.Begin, info.End}}
	if e.Shape == nil {
		e.Shape = []int{} // a scalar is [], not null
	}
	return e
}

// Close checks that every tensor was written, flushes the file to disk and renames it
// to path. After any error, this one or an earlier one, no temporary file is left and
// an existing file at path is unchanged.
func (w *Writer) Close() error {
	if w.f == nil {
		return w.broken
	}
	err := w.broken
	if err == nil {
		err = w.complete()
	}
	if err == nil {
		err = w.f.Commit()
	}
	if err != nil {
		w.broken = fmt.Errorf("safetensors: %s: %w", w.path, err)
		w.f.Abort()
	}
	w.f = nil
	return w.broken
}

// complete returns an error that names the tensors that were not written.
func (w *Writer) complete() error {
	var missing []string
	for name := range w.index {
		if !w.written[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("expected %d tensors, got %d; missing: %q", len(w.index), len(w.written), missing)
}

// Abort removes the unfinished file. After Close or a first Abort it does nothing, so
// that it can be deferred.
func (w *Writer) Abort() {
	if w.f == nil {
		return
	}
	w.f.Abort()
	w.f = nil
	if w.broken == nil {
		w.broken = errors.New("aborted")
	}
}

var _ io.Closer = (*Writer)(nil)
