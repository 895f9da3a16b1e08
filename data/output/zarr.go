package output

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// zarrFile writes a Zarr v2 folder.
type zarrFile struct {
	folder   *atomicfile.PartialFolder
	layout   *layout
	encoder  *zstd.Encoder
	metadata map[string]any // content of the consolidated file
	raw      []byte
}

// zstdLevel is the level that the metadata state. Readers do not need it.
const zstdLevel = 3

// consolidated is the file that holds the metadata of all arrays.
const consolidated = ".zmetadata"

func createZarr(path string, l *layout) (format, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(zstdLevel)))
	if err != nil {
		return nil, err
	}
	folder, err := atomicfile.CreateFolder(path)
	if err != nil {
		return nil, err
	}
	z := &zarrFile{folder: folder, layout: l, encoder: encoder, metadata: map[string]any{}}
	if err := z.begin(); err != nil {
		z.abort()
		return nil, err
	}
	return z, nil
}

// begin writes all metadata, coordinates and constant channels.
func (z *zarrFile) begin() error {
	attributes := map[string]any{"Conventions": conventions}
	for _, a := range z.layout.attributes() {
		attributes[a[0]] = a[1]
	}
	if err := z.put(".zgroup", map[string]any{"zarr_format": 2}); err != nil {
		return err
	}
	if err := z.put(".zattrs", attributes); err != nil {
		return err
	}
	if err := z.list(timeName, z.layout.Times); err != nil {
		return err
	}
	for i, axis := range z.layout.axes {
		if err := z.list(axis, z.layout.coordinates[i]); err != nil {
			return err
		}
	}
	if m := z.layout.Members; m > 0 {
		numbers := make([]float32, m)
		for i := range numbers {
			numbers[i] = float32(i)
		}
		if err := z.list(memberName, numbers); err != nil {
			return err
		}
	}
	for _, constant := range []bool{false, true} {
		names := z.layout.variable
		if constant {
			names = z.layout.constant
		}
		dims, lengths := z.layout.dimensions(constant)
		for i, name := range names {
			if err := z.array(name, dims, lengths, len(lengths)-len(z.layout.axes)); err != nil {
				return err
			}
			if !constant {
				continue
			}
			values := z.layout.Start.Constants[i*z.layout.points : (i+1)*z.layout.points]
			if err := z.chunk(name, make([]int, len(dims)), values); err != nil {
				return err
			}
		}
	}
	return z.put(consolidated, map[string]any{"zarr_consolidated_format": 1, "metadata": z.metadata})
}

// list writes the array of an axis.
func (z *zarrFile) list(name string, values []float32) error {
	if err := z.array(name, []string{name}, []int{len(values)}, 0); err != nil {
		return err
	}
	return z.chunk(name, []int{0}, values)
}

// array writes the metadata of an array, whose chunks have one entry along each of the first
// axes, as many as single says.
func (z *zarrFile) array(name string, dims []string, lengths []int, single int) error {
	chunk := append([]int{}, lengths...)
	for i := range single {
		chunk[i] = 1
	}
	if err := os.Mkdir(filepath.Join(z.folder.Partial, name), 0o777); err != nil {
		return err
	}
	if err := z.put(name+"/.zarray", map[string]any{"zarr_format": 2, "shape": lengths, "chunks": chunk, "dtype": "<f4", "order": "C", "fill_value": nil,
		"filters": nil, "compressor": map[string]any{"id": "zstd", "level": zstdLevel}}); err != nil {
		return err
	}
	return z.put(name+"/.zattrs", map[string]any{"_ARRAY_DIMENSIONS": dims})
}

// put writes a file of metadata and keeps it for the consolidated file.
func (z *zarrFile) put(name string, content map[string]any) error {
	if name != consolidated {
		z.metadata[name] = content
	}
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(z.folder.Partial, filepath.FromSlash(name)), text, 0o666)
}

// chunk writes a chunk.
func (z *zarrFile) chunk(name string, at []int, values []float32) error {
	raw := z.raw[:0]
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	z.raw = raw
	key := strings.Trim(strings.ReplaceAll(fmt.Sprint(at), " ", "."), "[]")
	return os.WriteFile(filepath.Join(z.folder.Partial, name, key), z.encoder.EncodeAll(raw, nil), 0o666)
}

func (z *zarrFile) step(k int, frames [][]float32) error {
	for m, frame := range frames {
		at := []int{k}
		if z.layout.Members > 0 {
			at = append(at, m)
		}
		at = append(at, make([]int, len(z.layout.axes))...)
		for c, name := range z.layout.variable {
			if err := z.chunk(name, at, frame[c*z.layout.points:(c+1)*z.layout.points]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (z *zarrFile) commit() error { return z.folder.Commit() }

func (z *zarrFile) abort() { z.folder.Abort() }
