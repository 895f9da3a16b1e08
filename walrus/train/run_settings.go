package train

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus"
)

// settings lists the options that decide the course of a run, by name: "schedule.Base" is
// 0.001. design describes a network of another design than Walrus, else nil. A run that resumes with the same settings goes on as if it had not been
// interrupted.
func (o RunOptions) settings(design *walrus.Design) (map[string]string, error) {
	type system struct {
		Number, Batch int
		Weight        float64
		Cut           data.Cut
		Rotations     int
		Statistics    *data.Statistics
	}
	t := o.Trainer
	all := map[string]any{
		"epochs": o.Epochs, "updates": o.Updates, "accumulate": o.Accumulate, "schedule": o.Schedule, "per update": o.PerUpdate,
		"seed": t.Seed, "objective": t.Objective, "optimizer": t.AdamW.withDefaults(), "moving average": t.EMA,
		"freeze": t.Freeze, "adapters": t.LoRA, "no rolls": t.NoRolls, "skip non-finite": t.SkipNonFinite,
		"validation": o.Validation,
	}
	if design != nil {
		all["network"] = design
	}
	for i, s := range o.Systems {
		all["system "+s.Name] = system{i, s.Batch, s.Weight, s.Cut, len(s.Rotations), s.Statistics}
	}
	out := map[string]string{}
	for name, v := range all {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("train: run: settings: %s: %w", name, err)
		}
		var parts any
		if err := json.Unmarshal(text, &parts); err != nil {
			return nil, fmt.Errorf("train: run: settings: %s: %w", name, err)
		}
		flatten(out, name, parts)
	}
	return out, nil
}

// flatten adds the leaves of a JSON value to out.
func flatten(out map[string]string, name string, v any) {
	object, ok := v.(map[string]any)
	if !ok {
		out[name] = fmt.Sprint(v)
		return
	}
	for key, part := range object {
		flatten(out, name+"."+key, part)
	}
}

// changes lists the settings that differ: "schedule.Base: was 0.001, is 0.002".
func changes(was, is map[string]string) []string {
	var out []string
	names := maps.Clone(was)
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, had := was[name]
		b, has := is[name]
		switch {
		case !had:
			out = append(out, fmt.Sprintf("%s: was not set, is %s", name, b))
		case !has:
			out = append(out, fmt.Sprintf("%s: was %s, is not set", name, a))
		case a != b:
			out = append(out, fmt.Sprintf("%s: was %s, is %s", name, a, b))
		}
	}
	return out
}

// ChangedError is the cause of a [ResumeError] if the options differ from those of the
// interrupted run and [RunOptions.AllowChanges] is not set.
type ChangedError struct {
	// Changes has one sentence for each setting: "schedule.Base: was 0.001, is 0.002".
	Changes []string
}

// Error lists the changes.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("expected the settings of the interrupted run, got others (%s): restore them, train in another folder, or allow changes",
		strings.Join(e.Changes, "; "))
}
