package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build describes how the program was built.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// Experiments is GOEXPERIMENT at the time of the build; simd makes the Go backend fast.
	Experiments string            `json:"goexperiment"`
	Cgo         bool              `json:"cgo"`
	Modules     map[string]string `json:"modules"`
}

// version returns the subcommand version.
func (a *app) version() *cobra.Command {
	var asJSON bool
	c := a.command(&cobra.Command{
		Use:   "version",
		Short: "Print the version and how the program was built",
		Long: `Prints the version of the program, of Go and of the numeric libraries, and whether the
program was built with GOEXPERIMENT=simd, without which the pure Go backend is slow.`,
		Example: "  gowalrus version",
	}, func(context.Context) error { return readBuild().print(a.stdout, asJSON) })
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// readBuild reads the record of the build in the running program.
func readBuild() build {
	b := build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Modules: map[string]string{}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "GOEXPERIMENT":
			b.Experiments = s.Value
		case "CGO_ENABLED":
			b.Cgo = s.Value == "1"
		}
	}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/gomlx/gomlx", "github.com/gomlx/compute", "github.com/gomlx/go-xla":
			b.Modules[m.Path] = m.Version
		}
	}
	return b
}

// print writes the description as text or as JSON.
func (b build) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(b)
	}
	fmt.Fprintf(w, "gowalrus %s\n%s, %s", b.Version, b.Go, b.Platform)
	if b.Revision != "" {
		fmt.Fprintf(w, ", revision %s", b.Revision)
	}
	fmt.Fprintf(w, "\ncgo: %v (XLA needs it)\nGOEXPERIMENT: %q (simd makes the Go backend fast)\n", b.Cgo, b.Experiments)
	for _, path := range []string{"github.com/gomlx/gomlx", "github.com/gomlx/compute", "github.com/gomlx/go-xla"} {
		if v := b.Modules[path]; v != "" {
			fmt.Fprintf(w, "%s %s\n", path, v)
		}
	}
	return nil
}
