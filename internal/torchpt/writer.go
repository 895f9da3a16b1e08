package torchpt

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/gowalrus/gowalrus/internal/safetensors"
)

// alignment is the alignment of storages in the file, in bytes. torch maps storages into
// memory.
const alignment = 64

// Info describes a float32 tensor to write.
type Info struct {
	Name  string
	Shape []int
}

// Writer writes a checkpoint as torch.save does: a tree of dictionaries whose innermost
// one, the state dict, holds float32 tensors. torch.load(weights_only=True) reads it unless
// it holds a namespace, which needs weights_only=False.
type Writer struct {
	zip     *zip.Writer
	written int64 // bytes of the file
	folder  string
	infos   []Info
	next    int // tensor to write
}

// Entry is a value under a key.
type Entry struct {
	Key   string
	Value any
}

// NewWriter begins a checkpoint with the tensors of infos, in their order, under the
// keys of path: NewWriter(f, "walrus", infos, "app", "model"). The archive's entries
// are in a folder of the given name. Nothing is buffered but small parts of tensors.
func NewWriter(out io.Writer, folder string, infos []Info, path ...string) (*Writer, error) {
	return NewWriterWith(out, folder, infos, nil, path...)
}

// NewWriterWith is NewWriter with more entries in the outermost dictionary, before the
// first key of path, of which there must be one. Their values are None, bools, numbers,
// strings, lists, tuples, dicts and namespaces.
func NewWriterWith(out io.Writer, folder string, infos []Info, more []Entry, path ...string) (*Writer, error) {
	if len(more) > 0 && len(path) == 0 {
		return nil, fmt.Errorf("torchpt: entry %q: expected a key for the tensors next to it, got none", more[0].Key)
	}
	w := &Writer{folder: folder, infos: infos}
	w.zip = zip.NewWriter(counter{out, &w.written})
	seen := map[string]bool{}
	for _, info := range infos {
		if seen[info.Name] {
			return nil, fmt.Errorf("torchpt: tensor %q: expected every name once, got it twice", info.Name)
		}
		seen[info.Name] = true
		if _, err := safetensors.Elements(info.Shape); err != nil {
			return nil, fmt.Errorf("torchpt: tensor %q: %w", info.Name, err)
		}
	}
	tree, err := pickled(infos, more, path)
	if err != nil {
		return nil, fmt.Errorf("torchpt: %w", err)
	}
	for _, e := range [][2]string{{"data.pkl", string(tree)}, {"byteorder", "little"}} {
		if err := w.entry(e[0], []byte(e[1])); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// WriteFloat32 writes the values of the next tensor, row major.
func (w *Writer) WriteFloat32(values []float32) error {
	if w.next >= len(w.infos) {
		return fmt.Errorf("torchpt: expected %d tensors, got more", len(w.infos))
	}
	info := w.infos[w.next]
	if n, _ := safetensors.Elements(info.Shape); n != len(values) {
		return fmt.Errorf("torchpt: tensor %q: expected %d values for shape %v, got %d", info.Name, n, info.Shape, len(values))
	}
	out, err := w.create(fmt.Sprintf("data/%d", w.next))
	if err != nil {
		return err
	}
	var raw []byte
	for part := range slices.Chunk(values, 1<<14) {
		raw = raw[:0]
		for _, v := range part {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		if _, err := out.Write(raw); err != nil {
			return fmt.Errorf("torchpt: tensor %q: %w", info.Name, err)
		}
	}
	w.next++
	return nil
}

// Close ends the archive. The error is that of tensors that were not written.
func (w *Writer) Close() error {
	if w.next != len(w.infos) {
		return fmt.Errorf("torchpt: expected %d tensors, got %d", len(w.infos), w.next)
	}
	if err := w.entry("version", []byte("3\n")); err != nil {
		return err
	}
	if err := w.zip.Close(); err != nil {
		return fmt.Errorf("torchpt: %w", err)
	}
	return nil
}

// entry writes a small entry.
func (w *Writer) entry(name string, body []byte) error {
	out, err := w.create(name)
	if err != nil {
		return err
	}
	if _, err := out.Write(body); err != nil {
		return fmt.Errorf("torchpt: entry %s: %w", name, err)
	}
	return nil
}

// create begins an uncompressed entry at a multiple of the alignment.
func (w *Writer) create(name string) (io.Writer, error) {
	if w.folder == "" {
		return nil, errors.New("torchpt: expected a folder for the archive's entries, got none")
	}
	if err := w.zip.Flush(); err != nil {
		return nil, fmt.Errorf("torchpt: entry %s: %w", name, err)
	}
	name = w.folder + "/" + name
	const header, descriptor = 30, 16 // bytes before an entry's name and after its content
	at := w.written + header + int64(len(name))
	if w.written > 0 {
		at += descriptor
	}
	out, err := w.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Extra: padding(at)})
	if err != nil {
		return nil, fmt.Errorf("torchpt: entry %s: %w", name, err)
	}
	return out, nil
}

// padding returns the extra field that moves the start of an entry's content from a
// position to a multiple of the alignment. The field's header has four bytes.
func padding(at int64) []byte {
	n := int(alignment - at%alignment)
	if n < 4 {
		n += alignment
	}
	extra := make([]byte, n)
	copy(extra, "FB")
	binary.LittleEndian.PutUint16(extra[2:], uint16(n-4))
	return extra
}

// counter counts the bytes that pass.
type counter struct {
	io.Writer
	n *int64
}

// Write implements io.Writer.
func (c counter) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	*c.n += int64(n)
	return n, err
}
