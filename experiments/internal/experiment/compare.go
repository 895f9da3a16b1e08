package experiment

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

// Comparison says how often, and by how much, one method is better than another.
type Comparison struct {
	// Better of Of pairs have a lower error with the first method.
	Better int `json:"better"`
	Of     int `json:"of"`
	// Improvement is the median over the pairs of the percentage by which the first
	// error is lower; it is negative if it is higher.
	Improvement float64 `json:"improvement"`
}

// Compare compares pairs of errors, with and without a method.
func Compare(with, without []float64) Comparison {
	c := Comparison{Of: len(with)}
	var gains []float64
	for i, e := range with {
		gains = append(gains, 100*(1-e/without[i]))
		if e < without[i] {
			c.Better++
		}
	}
	c.Improvement = eval.Median(gains)
	return c
}

// Middle returns the median of curves of one length, step by step.
func Middle(curves [][]float64) []float64 {
	var out []float64
	for k := range curves[0] {
		var step []float64
		for _, c := range curves {
			step = append(step, c[k])
		}
		out = append(out, eval.Median(step))
	}
	return out
}

// WriteJSON writes result.json into a folder.
func WriteJSON(dir string, result any) error {
	text, err := json.MarshalIndent(result, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "result.json"), append(text, '\n'), 0o666)
}
