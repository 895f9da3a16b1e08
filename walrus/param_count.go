package walrus

import "strings"

// ParamCount counts the tensors of a network and their values.
type ParamCount struct {
	// Tensors is the number of tensors, Parameters the number of their trained values.
	Tensors    int   `json:"tensors"`
	Parameters int64 `json:"parameters"`
	// Bytes is the size of all tensors in float32.
	Bytes int64 `json:"bytes"`
	// Constants is the number of values that are saved but not trained.
	Constants int64 `json:"constants"`
	// Parts are the parameters by the first name of their keys, in the order of the
	// network: embed, blocks, debed, ….
	Parts []ParamPart `json:"parts,omitempty"`
}

// ParamPart counts the parameters whose keys have the same first name.
type ParamPart struct {
	Name       string `json:"name"`
	Parameters int64  `json:"parameters"`
}

// Count counts the tensors of [Config.Params]. It allocates none of them.
func (c Config) Count() (ParamCount, error) {
	params, err := c.Params()
	if err != nil {
		return ParamCount{}, err
	}
	out := ParamCount{Tensors: len(params)}
	for _, p := range params {
		n := int64(p.Size())
		out.Bytes += 4 * n
		if p.Init.Buffer {
			out.Constants += n
			continue
		}
		out.Parameters += n
		name, _, _ := strings.Cut(p.Key, ".")
		if k := len(out.Parts) - 1; k < 0 || out.Parts[k].Name != name {
			out.Parts = append(out.Parts, ParamPart{Name: name})
		}
		out.Parts[len(out.Parts)-1].Parameters += n
	}
	return out, nil
}
