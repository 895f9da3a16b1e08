package recipe

import (
	"context"
	"errors"
	"fmt"

	"github.com/gowalrus/gowalrus/data"
	"github.com/gowalrus/gowalrus/walrus/train"
)

// checkGiven checks an entry whose data sets the caller opened.
func (d Data) checkGiven() error {
	switch {
	case d.Path != "" || d.Simulate != "" || !d.Simulated.isZero():
		return errors.New("expected either data sets (TrainSet, ValidSet), a path or a system to simulate, got several of them")
	case d.Transforms != nil:
		return fmt.Errorf("expected no transforms of a data set that was given: apply them to its windows, got %v", d.Transforms)
	}
	return nil
}

// given returns the system of data sets that the caller opened.
func (o *Opened) given(r *Recipe, d Data) (train.System, error) {
	s := train.System{Name: d.Name, Weight: d.Weight}
	if s.Name == "" {
		s.Name = d.TrainSet.Metadata().Name
	}
	var err error
	if s.Train, err = data.Drop(d.TrainSet, d.Drop...); err != nil {
		return s, err
	}
	if d.ValidSet == nil {
		o.Notes = append(o.Notes, fmt.Sprintf("data set %s: no validation data were given: the run is not validated on it", s.Name))
	} else if s.Valid, err = data.Drop(d.ValidSet, d.Drop...); err != nil {
		return s, err
	}
	var computed *data.Statistics
	if r.Objective.Statistics == "dataset" {
		if computed, err = data.ComputeStatistics(context.Background(), s.Train); err != nil {
			return s, err
		}
	}
	fields := s.Train.Metadata().Fields
	if s.Statistics, err = r.statistics(computed, fields, *o.Options.Trainer.Objective.Scaling); err != nil {
		return s, err
	}
	o.Notes = append(o.Notes, zeros(s.Name, computed, fields)...)
	if s.Rotations, err = rotations(d.Rotations); err != nil {
		return s, err
	}
	return s, r.sample(&s, d)
}
