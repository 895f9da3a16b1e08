//go:build cgo

package backend

import (
	"os"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"
)

const whyNoXLA = "no PJRT plugin is installed"

// xlaPlugin returns the configuration of the best installed plugin, or "".
func xlaPlugin() string {
	plugins := pjrt.AvailablePlugins()
	for _, name := range []string{"cuda", "cpu"} {
		for have := range plugins {
			if strings.HasPrefix(have, name) {
				return "xla:" + have
			}
		}
	}
	return ""
}

// silent is held while the plugin cannot write to file descriptor 2, which is a state of
// the whole process.
var silent sync.Mutex

// open opens a choice. On a CPU a single XLA device is faster than the four that the
// plugin shows by default.
func open(c Choice) (b compute.Backend, err error) {
	name, isXLA := strings.CutPrefix(c.Config, "xla:")
	silent.Lock()
	defer silent.Unlock()
	// go-xla replaces os.Stderr and forgets the old file, whose descriptor, 2, the garbage
	// collector then closes: the next file that is opened would get everything that is
	// written to standard error (docs/upstream.md).
	stderr := os.Stderr
	defer func() {
		if os.Stderr != stderr {
			os.Stderr.Close()
			os.Stderr = stderr
		}
	}()
	pjrt.SuppressAbseilLoggingHack(func() {
		if isXLA && (name == "cpu" || strings.HasPrefix(name, "cpu,")) {
			b, err = xla.NewWithOptions(name, pjrt.NamedValuesMap{"cpu_device_count": int64(1)})
			return
		}
		b, err = newBackend(c.Config)
	})
	return b, err
}

// Users install the plugin on purpose; opening a backend never does.
func init() { xla.EnableAutoInstall(false) }
