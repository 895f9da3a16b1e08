//go:build !cgo

package backend

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute"
)

const whyNoXLA = "this program was built without cgo, which XLA needs"

func xlaPlugin() string { return "" }

func open(c Choice) (compute.Backend, error) {
	if strings.HasPrefix(c.Config, "xla") {
		return nil, fmt.Errorf("expected a build with cgo (CGO_ENABLED=1 and a C compiler), got one without")
	}
	return newBackend(c.Config)
}
