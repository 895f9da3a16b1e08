package backend

import (
	"fmt"
	"reflect"

	"github.com/gomlx/compute"
)

// openGo opens the pure Go backend with concurrent operations and an unbounded pool of
// workers, which cannot deadlock (see the package's documentation). If the pool cannot
// be reached operations run one after the other.
//
// It sets the pool as the option parallelism=-1 does. It does not use the option, which
// prints a line on the standard output of the program.
func openGo() (compute.Backend, error) {
	b, err := compute.NewWithConfig("go")
	if err != nil {
		return nil, err
	}
	if unbounded(b) {
		return b, nil
	}
	b.Finalize()
	return compute.NewWithConfig(goSequential)
}

// pool is the required part of the Go backend's pool of workers.
type pool interface {
	SetMaxParallelism(n int)
	IsUnlimited() bool
}

// unbounded removes the bound of b's pool and reports whether it could. gomlx does not
// export the type of b, but its field.
func unbounded(b compute.Backend) bool {
	v := reflect.Indirect(reflect.ValueOf(b))
	if v.Kind() != reflect.Struct {
		return false
	}
	f := v.FieldByName("Workers")
	if !f.IsValid() || !f.CanInterface() {
		return false
	}
	p, ok := f.Interface().(pool)
	if !ok {
		return false
	}
	p.SetMaxParallelism(-1)
	return p.IsUnlimited()
}

// newBackend is compute.NewWithConfig with an error instead of a panic for an unknown
// name, and openGo for the configuration of the Go backend that this package chooses.
func newBackend(config string) (b compute.Backend, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	if config == goConfig {
		return openGo()
	}
	return compute.NewWithConfig(config)
}
