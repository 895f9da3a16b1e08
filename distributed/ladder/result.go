package ladder

// Result is the outcome of a rung.
type Result struct {
	Rung    string `json:"rung"`
	Devices int    `json:"devices"`
	// Tokens were trained in Seconds of the simulation; Throughput is their ratio.
	Tokens     int     `json:"tokens"`
	Seconds    float64 `json:"seconds"`
	Throughput float64 `json:"throughput"`
	// Relative is the throughput in percent of the first rung, Paper that of the
	// paper's Figure 4 for 96 devices.
	Relative float64 `json:"relative"`
	Paper    float64 `json:"paper"`
	// Busy, Waiting and Communication are fractions of the devices' time: computing,
	// waiting for other devices to arrive, and waiting for the end of a transfer.
	Busy          float64 `json:"busy"`
	Waiting       float64 `json:"waiting"`
	Communication float64 `json:"communication"`
}

// Run simulates one rung. Equal setups give equal results.
func (s Setup) Run(r Rung) (Result, error) {
	if err := s.Validate(); err != nil {
		return Result{}, err
	}
	j, err := newJob(s, r)
	if err != nil {
		return Result{}, err
	}
	j.run()
	return j.result(), nil
}

// Ladder simulates all rungs in the order of [Rungs].
func (s Setup) Ladder() ([]Result, error) {
	var out []Result
	for _, r := range Rungs() {
		x, err := s.Run(r)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
		out[len(out)-1].Relative = 100 * x.Throughput / out[0].Throughput
	}
	return out, nil
}

// result sums the times of the devices. A device that ends early waits for the others.
func (j *job) result() Result {
	r := Result{Rung: j.rung.Name, Devices: len(j.devices), Tokens: j.tokens, Seconds: j.clock.now, Paper: j.rung.Paper, Relative: 100}
	total := r.Seconds * float64(len(j.devices))
	for _, d := range j.devices {
		r.Busy += d.busy / total
		r.Waiting += (d.waiting + r.Seconds - d.end) / total
		r.Communication += d.communication / total
	}
	r.Throughput = float64(r.Tokens) / r.Seconds
	return r
}
