package walrus

// Load opens a checkpoint for emulation: a folder of this library, a folder
// with the release's extended_config.yaml and weights, or a weight file in
// such a folder (see [FindCheckpoint]). Load places the weights on the backend
// tensor by tensor. If tensors are missing, unexpected or of another shape, it returns
// a [LoadError] that lists them all.
//
// Fields are normalised as in the training of the weights, unless the options set
// Scaling. A checkpoint of this library records its scaling. For a checkpoint of the
// release, Load reads trainer.revin and trainer.epsilon of extended_config.yaml
// (docs/reference.md §13a). If the class of trainer.revin needs the statistics of a data
// set, Load reads stats.yaml next to the weights; without that file and without the
// option, Load returns an error.
//
// If there is a [CalibrationFile] next to the weights, forecasts have intervals
// ([EmulatorOptions.Calibration]). If there is a [FamiliarityFile], windows that are unlike
// those of the training get advice ([EmulatorOptions.Familiarity]).
//
// If the checkpoint has a record of the training windows ([Coverage]), Load logs it; see
// [Emulator.Advice].
func Load(path string, o EmulatorOptions) (*Emulator, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	found, err := FindCheckpoint(path)
	if err != nil {
		return nil, err
	}
	if _, err := scalingFor(o, found.Scaling, found.missing); err != nil {
		return nil, err
	}
	if err := o.checkWeightsMemory(found.Config); err != nil {
		return nil, err
	}
	w, _, err := found.Load(o.LoadOptions())
	if err != nil {
		return nil, err
	}
	o.OwnWeights = true
	e, err := NewEmulator(w, o)
	if err == nil && o.Calibration == nil {
		err = e.adoptCalibration(found.Weights)
	}
	if err == nil && o.Familiarity == nil {
		err = e.adoptFamiliarity(found.Weights)
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	if c := w.Coverage(); c.Windows() > 0 {
		e.opts.Log.Info("loaded", "path", path, "trained on", c.String())
	}
	return e, nil
}

// Close ends running rollouts with [ErrClosed] before their next step, also the rollout in
// whose loop it is called. It frees the compiled programs and, if OwnWeights is set or
// [Load] read them, the weights; if rollouts are running, the last one does so when it ends.
// Further calls do nothing.
func (e *Emulator) Close() { e.uses.Close(e.free) }

// free frees the memory of a closed emulator.
func (e *Emulator) free() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.programs.shrink(0)
	e.narrowed.close()
	e.shards.close()
	if e.opts.OwnWeights {
		e.weights.Close()
	}
}
