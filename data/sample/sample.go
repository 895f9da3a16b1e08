package sample

import (
	"bytes"
	"compress/gzip"
	_ "embed" // for the data file
	"encoding/json"
	"fmt"
	"io"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/internal/safetensors"
)

//go:embed acoustic.safetensors.gz
var packed []byte

// fileName names the embedded file in errors.
const fileName = "acoustic.safetensors.gz"

// maxUnpacked is the largest size to which the embedded file may unpack, in bytes.
const maxUnpacked = 16 << 20

// Name is the name of the data set.
const Name = "acoustic_scattering_inclusions"

// Set is the whole data set: 6 trajectories for training, 2 for validation and 2 for
// testing, each a window of all its frames. The trajectories of different splits differ in
// inclusions and sources.
type Set struct {
	Train, Valid, Test []*data.Window
}

// Dataset returns the trajectories of a split, "train", "valid" or "test", as a data set.
func (s *Set) Dataset(split string) (*data.Memory, error) {
	windows, ok := map[string][]*data.Window{"train": s.Train, "valid": s.Valid, "test": s.Test}[split]
	if !ok {
		return nil, fmt.Errorf("sample: expected the split train, valid or test, got %q", split)
	}
	return data.NewMemory(Name, windows)
}

// Load unpacks the embedded file. Every call returns new arrays. If a tensor of the
// file is missing or has the wrong shape, the error names it.
func Load() (*Set, error) { return load(packed) }

func load(gz []byte) (*Set, error) {
	f, err := unpack(gz)
	if err != nil {
		return nil, fmt.Errorf("sample: %s: %w", fileName, err)
	}
	s := &Set{}
	for _, part := range []struct {
		name string
		dst  *[]*data.Window
	}{{"train", &s.Train}, {"valid", &s.Valid}, {"test", &s.Test}} {
		if *part.dst, err = readSplit(f, part.name); err != nil {
			return nil, fmt.Errorf("sample: %w", err)
		}
	}
	return s, nil
}

func unpack(gz []byte) (*safetensors.File, error) {
	z, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxUnpacked {
		return nil, fmt.Errorf("expected at most %d bytes after unpacking, got more", maxUnpacked)
	}
	return safetensors.NewFile(bytes.NewReader(raw), int64(len(raw)), fileName)
}

// readSplit reads name.0, name.1, … until the next one is missing.
func readSplit(f *safetensors.File, name string) ([]*data.Window, error) {
	var out []*data.Window
	for {
		id := fmt.Sprintf("%s.%d", name, len(out))
		if _, ok := f.Info(id + ".low"); !ok {
			break
		}
		w, err := readTrajectory(f, id)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: expected a tensor %q, got none", fileName, name+".0.low")
	}
	return out, nil
}

// readBoundaries decodes the release's codes, [[low, high] per axis].
func readBoundaries(f *safetensors.File) (data.Boundaries, error) {
	var codes [][2]int
	if err := json.Unmarshal([]byte(f.Metadata()["boundaries"]), &codes); err != nil {
		return nil, fmt.Errorf("%s: metadata boundaries: %w", fileName, err)
	}
	var out data.Boundaries
	for _, c := range codes {
		low, err := data.BCFromCode(c[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fileName, err)
		}
		high, err := data.BCFromCode(c[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fileName, err)
		}
		out = append(out, data.Boundary{Low: low, High: high})
	}
	return out, out.Validate(2)
}
