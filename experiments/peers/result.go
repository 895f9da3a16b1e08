package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

// line is the result of one training.
type line struct {
	Data       string  `json:"data"`
	Network    string  `json:"network"`
	Seed       uint64  `json:"seed"`
	Updates    int     `json:"updates"`
	Rate       float64 `json:"rate"`
	Split      string  `json:"split"`
	Parameters int64   `json:"parameters"`
	Seconds    float64 `json:"seconds"`
	// Errors holds the median VRMSE over the horizons, null if forecasts diverged: of the
	// network, of persistence and of linear extrapolation.
	Errors map[string][]*float64 `json:"errors"`
	// Windows is the number of places of each horizon.
	Windows []int `json:"windows"`
}

// same reports whether two lines are of the same training.
func (l line) same(other line) bool {
	return l.Data == other.Data && l.Network == other.Network && l.Seed == other.Seed && l.Updates == other.Updates && l.Rate == other.Rate && l.Split == other.Split
}

// record keeps the medians of an evaluation.
func (l *line) record(r *eval.Result) {
	l.Errors = map[string][]*float64{}
	for _, h := range r.Horizons {
		l.Windows = append(l.Windows, h.Windows)
		for name, s := range h.Scores {
			var v *float64
			if !math.IsInf(s.Median, 0) {
				v = &s.Median
			}
			l.Errors[name] = append(l.Errors[name], v)
		}
	}
}

// read reads the lines of a file, none if there is none.
func read(path string) ([]line, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var out []line
	for i, one := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var l line
		if err == nil {
			err = json.Unmarshal([]byte(one), &l)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, i+1, err)
		}
		out = append(out, l)
	}
	return out, nil
}

// add appends a line to a file.
func add(path string, l line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}

// numbers returns errors as text, with a dash for those of forecasts that diverged.
func numbers(errors []*float64) []string {
	var out []string
	for _, v := range errors {
		text := "–"
		if v != nil {
			text = fmt.Sprintf("%.3f", *v)
		}
		out = append(out, text)
	}
	return out
}
