package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gowalrus/gowalrus/internal/progress/command"
	"github.com/gowalrus/gowalrus/walrus"
	"github.com/gowalrus/gowalrus/walrus/nano"
)

// app is one call of the program.
type app struct {
	stdout, stderr io.Writer
	// ran is set when a subcommand starts. Errors before that are mistakes in the
	// arguments.
	ran bool
}

// run runs the program and returns the name of the subcommand, for messages, and its error.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (name string, err error) {
	a := &app{stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(doubled(root, args))
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := unknown(root, args); err != nil {
		return root.Name(), err
	}
	c, err := root.ExecuteContextC(ctx)
	if err != nil && !a.ran && !errors.Is(err, command.ErrUsage) {
		err = command.Usage("%w", err)
	}
	return c.CommandPath(), err
}

// root returns the program's command with all subcommands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "gowalrus",
		Short: "Forecast physical fields with Walrus",
		Long: `gowalrus forecasts physical fields on 1D, 2D and 3D grids with Walrus, a transformer
(arXiv 2511.15684). It comes with small weights, walrus-nano, so that no download is
needed to start.`,
		SilenceErrors: true, // main prints them once
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2, // edits
	}
	root.AddCommand(a.forecast(), a.serve(), a.train(), a.finetune(), a.evaluate(), a.compare(), a.calibrate(), a.simulate(), a.importFiles(), a.convert(),
		a.split(), a.subset(), a.merge(), a.downsample(), a.check(), a.fetch(), a.inspect(), a.export(), a.ladder(), a.version())
	return root
}

// unknown returns the error of arguments whose first word names no subcommand.
func unknown(root *cobra.Command, args []string) error {
	var names []string // without those that the command library adds
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	if _, _, err := root.Find(args); err == nil {
		return nil
	}
	word := args[slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") })]
	if word == cobra.ShellCompRequestCmd || word == cobra.ShellCompNoDescRequestCmd {
		return nil // the command library answers the shell
	}
	if list := root.SuggestionsFor(word); len(list) > 0 {
		return command.Usage("unknown command %q: did you mean %s?", word, strings.Join(list, " or "))
	}
	return command.Usage("unknown command %q: expected %s", word, strings.Join(names, ", "))
}

// command completes a subcommand that runs f and has no arguments but flags.
func (a *app) command(c *cobra.Command, f func(context.Context) error) *cobra.Command {
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return command.Usage("expected flags only, got %q", args)
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		a.ran = true
		return f(c.Context())
	}
	c.Flags().SortFlags = false
	return c
}

// doubled returns the arguments with two dashes before every long flag of the subcommand
// that has one dash, as programs with Go's package flag take them.
func doubled(root *cobra.Command, args []string) []string {
	c, _, err := root.Find(args)
	if err != nil {
		return args
	}
	c.InitDefaultHelpFlag()
	out := slices.Clone(args)
	for i, arg := range out {
		if arg == "--" {
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if name != arg && len(name) > 1 && c.Flags().Lookup(name) != nil {
			out[i] = "-" + arg
		}
	}
	return out
}

// complete gives the values of a flag to the completions of shells.
func complete(c *cobra.Command, flag string, values []string) {
	err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveDefault))
	if err != nil {
		panic(err) // the flag does not exist
	}
}

// Texts of flags that several subcommands have.
var (
	weightsUsage = "`weights`: " + strings.Join(nano.Names(), " or ") + ", which come with the program, or a checkpoint (folder, .pt or .safetensors)"
	dropUsage    = "`fields` of the data to leave out, such as constant ones that the weights do not know, separated by commas"
	autoUsage    = "use XLA if a plugin is installed, instead of the pure Go backend"
)

// holdFlag adds the flag --hold.
func holdFlag(c *cobra.Command, p *walrus.Precision) {
	c.Flags().Func("hold", "`type` in which the weights are held in memory: float32 (the default), bfloat16 or int8", func(s string) (err error) {
		*p, err = walrus.ParsePrecision(s)
		return err
	})
	complete(c, "hold", []string{"float32", "bfloat16", "int8"})
}

// weightsFlag adds the flag --weights with its completions.
func weightsFlag(c *cobra.Command, p *string) {
	c.Flags().StringVar(p, "weights", nano.Name, weightsUsage)
	complete(c, "weights", nano.Names())
}
