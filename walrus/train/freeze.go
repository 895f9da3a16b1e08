package train

import (
	"fmt"
	"path"

	"github.com/gowalrus/gowalrus/walrus"
)

// matching returns the names of the tensors that patterns match.
func matching(params []walrus.Param, patterns []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, pattern := range patterns {
		matched := false
		for _, p := range params {
			ok, err := path.Match(pattern, p.Key)
			if err != nil {
				return nil, fmt.Errorf("train: freeze: pattern %q: %w", pattern, err)
			}
			if ok {
				out[p.Key], matched = true, true
			}
		}
		if !matched {
			return nil, fmt.Errorf("train: freeze: pattern %q matches none of the network's %d tensors, such as %s", pattern, len(params), params[0].Key)
		}
	}
	return out, nil
}
