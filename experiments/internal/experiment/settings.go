package experiment

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"github.com/gomlx/compute"

	"github.com/gowalrus/gowalrus/walrus/backend"
)

// Settings are the flags that every experiment has.
type Settings struct {
	// Out is the folder of data, networks and results.
	Out string
	// Updates is the length of a training, Runs the number of simulations for training.
	Updates, Runs int
	// Seeds are the seeds of simulations and trainings.
	Seeds []uint64
	// Auto uses XLA if a plugin is installed.
	Auto bool
}

// Flags adds the flags of the settings to f. By default the seed is 1 and the folder
// has the experiment's name under out.
func (s *Settings) Flags(f *flag.FlagSet, name string, updates, runs int) {
	s.Seeds = []uint64{1}
	f.StringVar(&s.Out, "out", "out/"+name, "folder for data, networks, result.json and a picture")
	f.IntVar(&s.Updates, "updates", updates, "training updates of each network")
	f.IntVar(&s.Runs, "runs", runs, "simulations of each system to learn from")
	f.Func("seeds", "seeds of the simulations and the training, such as 1,2,3 (default 1)", func(text string) (err error) {
		s.Seeds, err = ParseSeeds(text)
		return err
	})
	f.BoolVar(&s.Auto, "auto", false, "use XLA where a plugin is installed, instead of the pure Go backend")
}

// ParseSeeds parses a list such as "1,2,3".
func ParseSeeds(text string) ([]uint64, error) {
	var out []uint64
	for _, part := range strings.Split(text, ",") {
		seed, err := strconv.ParseUint(strings.TrimSpace(part), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("seeds: expected whole numbers such as 1,2,3, got %q", part)
		}
		out = append(out, seed)
	}
	return out, nil
}

// Main parses the flags, opens the backend and runs an experiment until it ends or is
// interrupted. It then exits the program, with a message if there was an error.
func Main(s *Settings, name string, updates, runs int, run func(context.Context, compute.Backend) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s.Flags(flag.CommandLine, name, updates, runs)
	flag.Parse()
	b, err := backend.Pick(s.Auto)
	if err == nil {
		err = run(ctx, b)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		stop()
		os.Exit(1)
	}
}
