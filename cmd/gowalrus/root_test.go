package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gowalrus/gowalrus/internal/progress/command"
)

// dataDir holds the data sets of the tests.
var dataDir = filepath.Join("..", "..", "testdata", "data")

// fails runs the program and returns its error.
func fails(args ...string) error {
	_, err := run(context.Background(), args, io.Discard, io.Discard)
	return err
}

// output runs the program and returns what it prints to standard output.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	_, err := run(context.Background(), args, &out, io.Discard)
	require.NoError(t, err)
	return out.String()
}

// commands returns all subcommands but those that the command library adds.
func commands() []*cobra.Command {
	return (&app{stdout: io.Discard, stderr: io.Discard}).root().Commands()
}

// TestHelp: every subcommand explains itself to a stranger: a sentence, a paragraph, an
// example that names the subcommand, and a text for every flag.
func TestHelp(t *testing.T) {
	all := output(t)
	for _, c := range commands() {
		assert.Contains(t, all, "  "+c.Name())
		text := output(t, c.Name(), "-h")
		assert.Equal(t, text, output(t, c.Name(), "-help"), "one dash")
		for _, want := range []string{c.Long, "Examples:\n", "  gowalrus " + c.Name(), "--help"} {
			assert.Contains(t, text, want)
		}
		assert.Greater(t, len(c.Long), len(c.Short), c.Name())
		_, flags, _ := strings.Cut(text, "\nFlags:\n")
		for line := range strings.Lines(flags) {
			if strings.HasPrefix(strings.TrimSpace(line), "--") {
				assert.Regexp(t, `--\S+ .*\w+ \w+`, line)
			}
		}
	}
}

// TestMistakes: a mistake in the arguments is one line with exit status 2 and names the
// subcommand.
func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"nothing"}, "gowalrus failed: usage: unknown command \"nothing\": expected calibrate, convert, evaluate, export, fetch, finetune, forecast, import, inspect, ladder, serve, simulate, train, version (-h lists the flags)\n"},
		{[]string{"forcast", "--steps", "3"}, "gowalrus failed: usage: unknown command \"forcast\": did you mean forecast? (-h lists the flags)\n"},
		{[]string{"--nothing"}, "gowalrus failed: usage: unknown flag: --nothing (-h lists the flags)\n"},
		{[]string{"version", "--colour"}, "gowalrus version failed: usage: unknown flag: --colour (-h lists the flags)\n"},
		{[]string{"version", "more"}, "gowalrus version failed: usage: expected flags only, got [\"more\"] (-h lists the flags)\n"},
	} {
		name, err := run(context.Background(), c.args, io.Discard, io.Discard)
		require.ErrorIs(t, err, command.ErrUsage)
		var screen bytes.Buffer
		assert.Equal(t, 2, command.Status(name, err, &screen))
		assert.Equal(t, c.want, screen.String())
	}
}

// TestDoubled: long flags work with one dash, as in programs that use Go's package flag.
func TestDoubled(t *testing.T) {
	root := (&app{}).root()
	for args, want := range map[string]string{
		"version -json":         "version --json",
		"version -json=true -h": "version --json=true -h",
		"version --json":        "version --json",
		"version -- -json":      "version -- -json",
		"version -colour":       "version -colour",
		"nothing -json":         "nothing -json",
	} {
		assert.Equal(t, strings.Fields(want), doubled(root, strings.Fields(args)))
	}
}

func TestVersion(t *testing.T) {
	var b build
	require.NoError(t, json.Unmarshal([]byte(output(t, "version", "-json")), &b))
	assert.NotEmpty(t, b.Version)
	assert.Contains(t, b.Go, "go1.")
	text := output(t, "version")
	assert.Contains(t, text, b.Platform)
	assert.Contains(t, text, "(simd makes the Go backend fast)")
}

// TestCompletion: the scripts of shells exist, and flags complete their values.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		assert.Contains(t, output(t, "completion", shell), "gowalrus")
	}
	assert.Contains(t, output(t, "__complete", "ver"), "version\tPrint the version")
}
