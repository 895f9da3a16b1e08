package backend

import (
	"fmt"
	"reflect"

	"github.com/gomlx/compute"
)

// openGo opens the pure Go backend with operations side by side and a pool of workers
// without bound, which is what keeps it from waiting for itself (see the package's
// documentation), or one operation after the other where the pool cannot be reached.
//
// The pool is set as the option parallelism=-1 sets it. The option is not used because
// it prints a line on the standard output of the program.
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

// pool is what is needed of the Go backend's pool of workers.
type pool interface {
	SetMaxParallelism(n int)
	IsUnlimited() bool
}

// unbounded takes the bound off the pool of b and reports whether it could. The type of
// b is not exported by gomlx, its field is.
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

// newBackend is compute.NewWithConfig with its panic on an unknown name turned
// into an error, and openGo for the form of the Go backend that this package chooses.
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
