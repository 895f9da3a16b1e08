package walrus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
)

// maxBeside bounds the files of saveBeside.
const maxBeside = 64 << 20

// saveBeside writes v as JSON: to a file, or next to the weights of a folder under the given
// name. what names it in errors.
func saveBeside(path, name, what string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("walrus: saving %s to %s: %w", what, path, err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, name)
	}
	if err := atomicfile.WriteBytes(path, append(text, '\n')); err != nil {
		return fmt.Errorf("walrus: saving %s: %w", what, err)
	}
	return nil
}

// readBeside reads what saveBeside wrote into v and returns the path of the file.
func readBeside(path, name, what string, v any) (string, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, name)
		info, err = os.Stat(path)
	}
	if err != nil {
		return path, fmt.Errorf("walrus: %s: %w", what, err)
	}
	if info.Size() > maxBeside {
		return path, fmt.Errorf("walrus: %s %s: expected at most %d bytes, got %d", what, path, maxBeside, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return path, fmt.Errorf("walrus: %s: %w", what, err)
	}
	if err := decodeBeside(text, v); err != nil {
		return path, fmt.Errorf("walrus: %s %s: %w", what, path, err)
	}
	return path, nil
}

// decodeBeside reads JSON and refuses unknown keys.
func decodeBeside(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
