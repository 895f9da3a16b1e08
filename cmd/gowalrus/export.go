package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/internal/progress/meter"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// exportOptions are the flags of export.
type exportOptions struct{ weights, out string }

// export returns the subcommand export.
func (a *app) export() *cobra.Command {
	var o exportOptions
	c := a.command(&cobra.Command{
		Use:   "export",
		Short: "Write a checkpoint as a folder that PyTorch reads",
		Long: `Writes a checkpoint of this library, such as the result of a finetuning, in the layout of
the released weights, which the authors' PyTorch code reads: walrus.pt,
extended_config.yaml and, if the weights use the statistics of a data set, stats.yaml. If
that code cannot run the network as it was trained, export writes nothing and lists the
reasons.`,
		Example: `  gowalrus export --weights runs/shear/best --out exported`,
	}, func(context.Context) error { return a.runExport(o) })
	f := c.Flags()
	f.StringVar(&o.weights, "weights", "", weightsUsage)
	f.StringVar(&o.out, "out", "", "`folder` to write, new or empty")
	complete(c, "weights", nano.Names())
	return c
}

// runExport writes the folder and prints its files.
func (a *app) runExport(o exportOptions) error {
	if o.weights == "" || o.out == "" {
		return command.Usage("expected --weights CHECKPOINT and --out FOLDER")
	}
	m := meter.New(a.stderr, "export", "")
	defer m.Close()
	w, err := nano.OpenWeights(o.weights, walrus.LoadOptions{})
	if err != nil {
		return err
	}
	defer w.Close()
	if err := walrus.Export(o.out, w); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "wrote %s and %s to %s\n", walrus.ExportFile, walrus.ConfigFile, filepath.Clean(o.out))
	return err
}
