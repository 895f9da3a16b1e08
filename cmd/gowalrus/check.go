package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/data/well"
	"github.com/gowalrus/gowalrus/internal/progress/command"
)

// check returns the subcommand check.
func (a *app) check() *cobra.Command {
	var path string
	var asJSON bool
	c := a.command(&cobra.Command{
		Use:   "check",
		Short: "Check a data set before a training",
		Long: `Reads every value of a data set and lists all problems: files that differ or cannot be
decoded, values that are not finite, a stats.yaml that is missing or disagrees with the
training split, trajectories that are there twice, for example in train and in test. The
exit status is 1 if there are problems.`,
		Example: `  gowalrus check --data testdata/data/shear_flow
  gowalrus check --data datasets --json`,
	}, func(ctx context.Context) error {
		if path == "" {
			return command.Usage("expected --data PATH")
		}
		return a.describeData(ctx, path, asJSON, well.Audit)
	})
	c.Flags().StringVar(&path, "data", "", "`path` or address of a data set, a folder of data sets, or a file")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
