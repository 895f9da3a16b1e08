package walrus

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// SetFromStore copies the variables of a gomlx store, which [Model.Build] made for a scope
// such as "/model", into the weights: the variable /model/blocks/0/norm1/weight into the
// tensor blocks.0.norm1.weight. A training loop on gomlx so hands its result to an
// [Emulator] or saves it. It returns the keys without a variable, whose tensors stay as they
// are: those of the encoders and decoders of dimensionalities that the store was not built
// for. A store without any of the variables is an error.
func (w *Weights) SetFromStore(store *model.Store, scope string) (missing []string, err error) {
	if store == nil {
		return nil, errors.New("walrus: weights: expected a store, got nil")
	}
	for _, p := range w.params {
		var v *model.Variable
		err := exceptions.TryCatch[error](func() { // a store that NewStore did not make
			v = store.GetVariable(strings.TrimSuffix(scope, "/") + "/" + strings.ReplaceAll(p.Key, ".", "/"))
		})
		if err != nil {
			return nil, fmt.Errorf("walrus: weights: %w", err)
		}
		if v == nil {
			missing = append(missing, p.Key)
			continue
		}
		value, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("walrus: weights: variable of %s: %w", p.Key, err)
		}
		copied, err := value.LocalClone()
		if err != nil {
			return nil, fmt.Errorf("walrus: weights: variable of %s: %w", p.Key, err)
		}
		if err := w.Set(p.Key, copied); err != nil {
			return nil, err
		}
	}
	if len(missing) == len(w.params) {
		return nil, fmt.Errorf("walrus: weights: expected variables such as %s/%s in the store, got none", strings.TrimSuffix(scope, "/"), strings.ReplaceAll(w.params[0].Key, ".", "/"))
	}
	return missing, nil
}
