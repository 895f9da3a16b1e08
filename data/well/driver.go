package well

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/hdf5"
)

// DefaultDriver is the name of the driver in pure Go.
const DefaultDriver = "go"

var (
	driversMu sync.RWMutex
	drivers   = map[string]driver.Driver{DefaultDriver: goDriver{}}
)

// RegisterDriver makes an HDF5 driver available under a name. Drivers do this
// when their package is imported; a name that is taken makes it panic.
func RegisterDriver(name string, d driver.Driver) {
	driversMu.Lock()
	defer driversMu.Unlock()
	if _, taken := drivers[name]; taken || name == "" || d == nil {
		panic(fmt.Sprintf("well: RegisterDriver: driver %q is nil, nameless or registered twice", name))
	}
	drivers[name] = d
}

// Drivers lists the names of the registered drivers, sorted.
func Drivers() []string {
	driversMu.RLock()
	defer driversMu.RUnlock()
	return slices.Sorted(maps.Keys(drivers))
}

// driverFor returns a driver; the empty name is the default one.
func driverFor(name string) (driver.Driver, error) {
	if name == "" {
		name = DefaultDriver
	}
	driversMu.RLock()
	d, ok := drivers[name]
	driversMu.RUnlock()
	if !ok {
		return nil, fmt.Errorf("well: unknown HDF5 driver %q: expected one of %s", name, strings.Join(Drivers(), ", "))
	}
	return d, nil
}

// goDriver is package internal/hdf5.
type goDriver struct{}

func (goDriver) Open(path string) (driver.File, error) {
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (goDriver) Create(path string) (driver.Writer, error) {
	w, err := hdf5.Create(path)
	if err != nil {
		return nil, err
	}
	return w, nil
}
