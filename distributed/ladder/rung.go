package ladder

// Rung is one strategy of training. Every rung of [Rungs] keeps the options of the ones
// before it.
type Rung struct {
	Name string
	Form Form
	// Accumulate sums the gradients of several micro-batches before an exchange and an
	// update; otherwise each micro-batch has its update.
	Accumulate bool
	// Hybrid shards within groups, keeps encoders and decoders whole on every device,
	// and sums gradients between groups; otherwise everything is sharded over all
	// devices.
	Hybrid bool
	// Together lets all devices of a group draw the same data set; otherwise every
	// device draws separately.
	Together bool
	// Paper is the throughput in the paper's Figure 4, in percent of the first rung.
	Paper float64
}

// Rungs returns the rungs of the paper's Figure 4.
func Rungs() []Rung {
	r := Rung{Name: "naive", Paper: 100}
	out := []Rung{r}
	add := func(name string, paper float64, change func(*Rung)) {
		change(&r)
		r.Name, r.Paper = name, paper
		out = append(out, r)
	}
	add("adaptive patching", 78.1, func(r *Rung) { r.Form.Adaptive = true })
	add("differential batch", 184.7, func(r *Rung) { r.Form.Differential = true })
	add("gradient accumulation", 189.3, func(r *Rung) { r.Accumulate = true })
	add("HSDP", 197.3, func(r *Rung) { r.Hybrid = true })
	add("topology-aware sampling", 262.0, func(r *Rung) { r.Together = true })
	return out
}
