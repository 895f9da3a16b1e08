package well

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/gowalrus/gowalrus/data/well/driver"
	"github.com/gowalrus/gowalrus/internal/hdf5"
)

// DefaultDriver is the name of the pure Go driver.
const DefaultDriver = "go"

var (
	driversMu sync.RWMutex
	drivers   = map[string]driver.Driver{DefaultDriver: goDriver{}}
)

// RegisterDriver registers an HDF5 driver under a name. Drivers call it when their package
// is imported. It panics if the driver is nil or the name empty or already registered.
func RegisterDriver(name string, d driver.Driver) {
	driversMu.Lock()
	defer driversMu.Unlock()
	if _, taken := drivers[name]; taken || name == "" || d == nil {
		panic(fmt.Sprintf("well: RegisterDriver: driver %q is nil, nameless or registered twice", name))
	}
	drivers[name] = d
}

// Drivers returns the sorted names of the registered drivers.
func Drivers() []string {
	driversMu.RLock()
	defer driversMu.RUnlock()
	return slices.Sorted(maps.Keys(drivers))
}

// driverFor returns the driver of a name, or the default driver if the name is empty.
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

// goDriver is the driver of package internal/hdf5.
type goDriver struct{}

func (goDriver) Open(path string) (driver.File, error) {
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (goDriver) OpenReader(r io.ReaderAt, size int64, name string) (driver.File, error) {
	f, err := hdf5.NewFile(r, size, name)
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
