package ladder

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/gowalrus/gowalrus/internal/atomicfile"
	"github.com/gowalrus/gowalrus/walrus"
)

// Times is a table of the measured times that one device needs for a micro-batch,
// forward and backward.
type Times struct {
	// Source says how and on which device they were measured.
	Source string `json:"source"`
	// Config is the network that was measured.
	Config  walrus.Config `json:"config"`
	Classes []Time        `json:"classes"`
}

// Time is one row of a table.
type Time struct {
	System string `json:"system"`
	Form
	Seconds float64 `json:"seconds"`
}

// ReadTimes reads a table.
func ReadTimes(path string) (*Times, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("ladder: times: %w", err)
	}
	t := &Times{}
	if err := json.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("ladder: times: %s: %w", path, err)
	}
	if err := t.Config.Validate(); err != nil {
		return nil, fmt.Errorf("ladder: times: %s: %w", path, err)
	}
	for _, c := range t.Classes {
		if !(c.Seconds > 0) {
			return nil, fmt.Errorf("ladder: times: %s: %s: expected positive seconds, got %v", path, c.System, c.Seconds)
		}
	}
	return t, nil
}

// Save writes a table. If it fails, an existing file stays as it was.
func (t *Times) Save(path string) error {
	text, err := json.MarshalIndent(t, "", " ")
	if err != nil {
		return fmt.Errorf("ladder: times: %w", err)
	}
	if err := atomicfile.WriteBytes(path, append(text, '\n')); err != nil {
		return fmt.Errorf("ladder: times: %w", err)
	}
	return nil
}

// find returns the measured time of a class.
func (t *Times) find(c Class) (float64, bool) {
	if t == nil {
		return 0, false
	}
	for _, x := range t.Classes {
		if x.System == c.Name && x.Form == c.Form {
			return x.Seconds, true
		}
	}
	return 0, false
}
