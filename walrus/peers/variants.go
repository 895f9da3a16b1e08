package peers

import (
	"fmt"
	"strings"

	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/peers/dpot"
	"github.com/gowalrus/gowalrus/walrus/peers/mpp"
	"github.com/gowalrus/gowalrus/walrus/peers/poseidon"
)

// Variants describes the presets of all networks: the published variants, and those that the
// Walrus paper compares (Table 4).
func Variants() []Description {
	var out []Description
	add := func(kind Kind, name string, parameters int64, params []walrus.Param, err error) {
		if err == nil { // presets are valid
			out = append(out, Description{Kind: kind, Name: name, Tensors: len(params), Parameters: parameters, Licence: kind.Licence()})
		}
	}
	for _, c := range poseidon.Presets() {
		params, err := c.Params()
		add(Poseidon, c.Name, c.Parameters(), params, err)
	}
	for _, c := range dpot.Presets() {
		params, err := c.Params()
		add(DPOT, c.Name, c.Parameters(), params, err)
	}
	for _, c := range mpp.Presets() {
		params, err := c.Params()
		add(MPP, c.Name, c.Parameters(), params, err)
	}
	return out
}

// Variant returns the description of Variants with the given name: "poseidon-l".
func Variant(name string) (*Description, error) {
	var names []string
	for _, d := range Variants() {
		if d.Name == name {
			return &d, nil
		}
		names = append(names, d.Name)
	}
	return nil, fmt.Errorf("peers: variant: expected one of %s, got %q", strings.Join(names, ", "), name)
}
