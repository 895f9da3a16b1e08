// Package limits checks the sizes of configurations.
package limits

// Size reports a size that is not from 1 to most.
func Size(addf func(format string, args ...any), name string, value, most int) {
	if value < 1 || value > most {
		addf("%s: expected 1 to %d, got %d", name, most, value)
	}
}
