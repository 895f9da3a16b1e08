package command

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	flags := func() *flag.FlagSet {
		f := flag.NewFlagSet("tool", flag.ContinueOnError)
		f.Int("size", 3, "size of it")
		return f
	}
	var out bytes.Buffer
	require.NoError(t, Parse(flags(), []string{"-size", "4"}, &out))
	require.ErrorIs(t, Parse(flags(), []string{"-width"}, &out), ErrUsage)
	require.Empty(t, out.String())
	require.ErrorIs(t, Parse(flags(), []string{"-h"}, &out), flag.ErrHelp)
	require.Contains(t, out.String(), "size of it")
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		text   string
	}{
		{nil, 0, ""},
		{flag.ErrHelp, 0, ""},
		{fmt.Errorf("parsing: %w", flag.ErrHelp), 0, ""},
		{errors.New("tool: file a: gone"), 1, "tool failed: tool: file a: gone\n"},
		{errors.New("disk: full"), 1, "tool failed: disk: full\n"},
		{Usage("expected -size above %d", 2), 2, "tool failed: usage: expected -size above 2 (-h lists the flags)\n"},
	} {
		var out bytes.Buffer
		require.Equal(t, c.status, Status("tool", c.err, &out), c.err)
		require.Equal(t, c.text, out.String())
	}
}
