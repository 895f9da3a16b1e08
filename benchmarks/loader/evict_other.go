//go:build !linux

package main

import "errors"

// keepCold is for Linux alone.
func keepCold(string) (stop func(), err error) { return nil, errors.ErrUnsupported }
