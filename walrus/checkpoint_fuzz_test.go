package walrus

import (
	"encoding/json"
	"testing"
)

// FuzzManifest checks that no text makes the reader panic, and that every accepted
// manifest names only files inside the folder and reads back the same.
func FuzzManifest(f *testing.F) {
	good, err := json.Marshal(Manifest{FormatVersion: 1, Config: Micro(), Step: 3,
		Files: []ManifestPart{{Name: WeightsFile, Bytes: 4, SHA256: "00"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	sealed, err := Manifest{FormatVersion: 3, Config: Micro(), Files: []ManifestPart{{Name: WeightsFile}}}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	for _, text := range []string{"", "{}", `{"format_version":1}`, `{"format_version":1e400}`, `{"format_version":1,"files":[{"name":"../x"}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseManifest(text)
		if err != nil {
			return
		}
		for _, part := range m.Files {
			if err := checkPartName(part.Name); err != nil {
				t.Fatal(err)
			}
		}
		again, err := m.encode()
		if err != nil {
			t.Fatalf("writing what was read: %v", err)
		}
		if _, err := parseManifest(again); err != nil {
			t.Fatalf("reading what was written: %v", err)
		}
	})
}
