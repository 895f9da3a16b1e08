package walrus

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// manifestVersion is the newest format that this library reads and writes. Version 2 added
// the strides of Config and Coverage, version 3 the SHA-256 of the manifest, version 4 Design.
// Manifests of Walrus networks have walrusVersion, so that older versions of the library read
// them.
const (
	manifestVersion = 4
	walrusVersion   = 3
)

// maxManifest bounds a manifest. Extra values are states of generators, not
// data.
const maxManifest = 64 << 20

// errForeignManifest is the error for a manifest.json that SaveCheckpoint did not write.
var errForeignManifest = errors.New("expected a format_version, got none (another program's manifest?)")

// Names of the files of a checkpoint folder. The code that writes further parts
// names them: the trainer's part is OptimizerFile.
const (
	ManifestFile  = "manifest.json"
	WeightsFile   = "model.safetensors"
	OptimizerFile = "optimizer.safetensors"
)

// Manifest describes a checkpoint folder.
type Manifest struct {
	FormatVersion int `json:"format_version"`
	// Config describes a Walrus network, its field registry included.
	Config Config `json:"config,omitzero"`
	// Design describes a network of another kind, which has no Config, no Scaling and no
	// Coverage; nil for a Walrus network.
	Design  *Design `json:"design,omitempty"`
	Scaling Scaling `json:"scaling"`
	Step    int64   `json:"step"`
	// Coverage counts the windows of the training; nil if they were not recorded.
	Coverage *Coverage                  `json:"coverage,omitempty"`
	Extra    map[string]json.RawMessage `json:"extra,omitempty"`
	Files    []ManifestPart             `json:"files"`
	// SHA256 is the checksum of the manifest's text with 64 zeros in place of these
	// digits; empty before format 3.
	SHA256 string `json:"sha256,omitempty"`
	// Dir is the folder that the manifest was read from.
	Dir string `json:"-"`
}

// ManifestPart is one file of a checkpoint.
type ManifestPart struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // in hexadecimal digits
}

// Part returns the entry of a file, and false if the checkpoint has no file of that
// name.
func (m *Manifest) Part(name string) (ManifestPart, bool) {
	for _, f := range m.Files {
		if f.Name == name {
			return f, true
		}
	}
	return ManifestPart{}, false
}

// Path returns the path of a file of the checkpoint.
func (m *Manifest) Path(name string) string { return filepath.Join(m.Dir, name) }

// readManifest reads and checks the manifest of a folder and the lengths of its
// parts.
func readManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, ManifestFile)
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("walrus: checkpoint: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("walrus: checkpoint %s: %w", path, err)
	}
	m, err := parseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("walrus: checkpoint %s: %w", path, err)
	}
	m.Dir = dir
	for _, part := range m.Files {
		if err := part.verifyLength(dir); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func parseManifest(text []byte) (*Manifest, error) {
	if len(text) > maxManifest {
		return nil, fmt.Errorf("expected at most %d bytes, got more", maxManifest)
	}
	if !utf8.Valid(text) {
		return nil, errors.New("the manifest is damaged: expected UTF-8 text")
	}
	var version struct {
		FormatVersion *int `json:"format_version"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return nil, fmt.Errorf("expected a JSON object: %w", err)
	}
	switch v := version.FormatVersion; {
	case v == nil:
		return nil, errForeignManifest
	case *v < 1 || *v > manifestVersion:
		return nil, fmt.Errorf("expected format_version 1 to %d, got %d; a newer version of this library may read it", manifestVersion, *v)
	}
	m := new(Manifest)
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(m); err != nil {
		return nil, err
	}
	if m.Design != nil && m.Design.Kind == "" {
		return nil, errors.New("design: expected a kind, got none")
	}
	if m.Design == nil {
		if err := m.Config.Validate(); err != nil {
			return nil, err
		}
	}
	if err := m.checkParts(); err != nil {
		return nil, err
	}
	return m, m.checkSum(text)
}

// encode returns the text of the manifest with its checksum.
func (m Manifest) encode() ([]byte, error) {
	m.SHA256 = noSum
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	text = append(text, '\n')
	sum := sha256.Sum256(text)
	at := bytes.LastIndex(text, []byte(noSum))
	hex.Encode(text[at:], sum[:])
	return text, nil
}

// noSum takes the place of the checksum while it is computed.
var noSum = strings.Repeat("0", 2*sha256.Size)

// checkSum compares the text with its checksum.
func (m *Manifest) checkSum(text []byte) error {
	if m.SHA256 == "" && m.FormatVersion < 3 {
		return nil
	}
	at := bytes.LastIndex(text, []byte(m.SHA256))
	if len(m.SHA256) != len(noSum) || at < 0 {
		return fmt.Errorf("the manifest is damaged: expected a SHA-256 of %d digits, got %q", len(noSum), m.SHA256)
	}
	text = bytes.Clone(text)
	copy(text[at:], noSum)
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != m.SHA256 {
		return fmt.Errorf("the manifest is damaged: expected SHA-256 %s, got %x", m.SHA256, sum)
	}
	return nil
}

// checkParts refuses names that leave the folder, and a manifest without
// weights.
func (m *Manifest) checkParts() error {
	seen := map[string]bool{}
	for _, f := range m.Files {
		if err := checkPartName(f.Name); err != nil {
			return err
		}
		if seen[f.Name] {
			return fmt.Errorf("part %q: expected every name once, got it twice", f.Name)
		}
		seen[f.Name] = true
	}
	if file := m.Design.File(); !seen[file] {
		return fmt.Errorf("expected a part %s, got %d others", file, len(seen))
	}
	return nil
}

func checkPartName(name string) error {
	if name == "" || name == "." || name == ".." || name == ManifestFile || filepath.Base(name) != name || !filepath.IsLocal(name) {
		return fmt.Errorf("part %q: expected a plain file name other than %s", name, ManifestFile)
	}
	return nil
}

// describePart returns the name, length and SHA-256 of a part on disk.
func describePart(dir, name string) (ManifestPart, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return ManifestPart{}, fmt.Errorf("part %q: %w", name, err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return ManifestPart{}, fmt.Errorf("part %q: %w", name, err)
	}
	return ManifestPart{Name: name, Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

// verifyLength compares the length of a part on disk.
func (f ManifestPart) verifyLength(dir string) error {
	path := filepath.Join(dir, f.Name)
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("walrus: checkpoint: %w", err)
	}
	return f.checkLength(path, info.Size())
}

func (f ManifestPart) checkLength(path string, got int64) error {
	if got != f.Bytes {
		return fmt.Errorf("walrus: checkpoint: %s is damaged: expected %d bytes, got %d", path, f.Bytes, got)
	}
	return nil
}

// open opens a part and compares its length and SHA-256. The content that it hashes is
// that of the open file, also if another file takes its name.
func (f ManifestPart) open(dir string) (*os.File, error) {
	path := filepath.Join(dir, f.Name)
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("walrus: checkpoint: %w", err)
	}
	if err := f.verify(file, path); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func (f ManifestPart) verify(file *os.File, path string) error {
	h := sha256.New()
	n, err := io.Copy(h, file)
	if err != nil {
		return fmt.Errorf("walrus: checkpoint %s: %w", path, err)
	}
	if err := f.checkLength(path, n); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != f.SHA256 {
		return fmt.Errorf("walrus: checkpoint: %s is damaged: expected SHA-256 %s, got %s", path, f.SHA256, got)
	}
	return nil
}
