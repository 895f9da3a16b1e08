// Package command parses the flags of the example programs and exits them. Help is a
// success (exit status 0), mistakes in the flags have status 2, other errors 1.
package command

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// ErrUsage marks mistakes in the flags.
var ErrUsage = errors.New("usage")

// Usage returns an error for a mistake in the flags.
func Usage(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrUsage, fmt.Errorf(format, args...))
}

// Parse parses flags, which must be made with flag.ContinueOnError. For -help it prints
// them and returns flag.ErrHelp.
func Parse(f *flag.FlagSet, args []string, stdout io.Writer) error {
	f.SetOutput(io.Discard)
	err := f.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		f.SetOutput(stdout)
		f.Usage()
		return err
	case err != nil:
		return Usage("%w", err)
	}
	return nil
}

// Status prints the error that a program ends with, if any, and returns the program's
// exit status.
func Status(name string, err error, stderr io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if !errors.Is(err, ErrUsage) {
		fmt.Fprintf(stderr, "%s failed: %v\n", name, err)
		return 1
	}
	fmt.Fprintf(stderr, "%s failed: %v (-h lists the flags)\n", name, err)
	return 2
}
