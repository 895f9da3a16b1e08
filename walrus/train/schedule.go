package train

import (
	"fmt"
	"math"
)

// ScheduleKind is the course of the learning rate after the warm-up.
type ScheduleKind uint8

const (
	// SqrtCooldown falls with the inverse square root and ends in a square-root
	// cooldown: the release's InverseSqrtLinearWarmupSqrtCooldown, with which the
	// weights were trained.
	SqrtCooldown ScheduleKind = iota
	// LinearRamps falls with the inverse square root, too, and ends in a linear
	// cooldown: the release's InverseSqrtLinearRamps, the default of its configuration.
	LinearRamps
	// Constant stays at the base rate after the warm-up.
	Constant
)

var scheduleNames = []string{"sqrt_cooldown", "linear_ramps", "constant"}

// String returns "sqrt_cooldown", "linear_ramps" or "constant".
func (k ScheduleKind) String() string {
	if int(k) < len(scheduleNames) {
		return scheduleNames[k]
	}
	return fmt.Sprintf("ScheduleKind(%d)", uint8(k))
}

// UnmarshalText reads a name that String returns.
func (k *ScheduleKind) UnmarshalText(text []byte) error {
	for i, name := range scheduleNames {
		if name == string(text) {
			*k = ScheduleKind(i)
			return nil
		}
	}
	return fmt.Errorf("schedule: expected one of %v, got %q", scheduleNames, text)
}

// Schedule is the learning rate over epochs 0, 1, …, Epochs−1 (docs/reference.md §8), or
// over updates if all three lengths count updates. The zero value is the release's
// pretraining: 200 epochs, 10 of warm-up, 10 of cooldown, base rate 2e-4.
type Schedule struct {
	Kind ScheduleKind
	// Base is the largest rate; 0 means 2e-4.
	Base float64
	// Epochs is the length of the training; 0 means 200. Warmup and Cooldown are the
	// lengths of its first and last part; 0 means 10, a negative number means none.
	Epochs, Warmup, Cooldown int
	// WarmupFactor times Base is the rate of epoch 0; 0 means 0.1.
	WarmupFactor float64
	// CooldownFactor sets the slope of the cooldown of LinearRamps (g in
	// [Schedule.Rate]); 0 means 0.001. SqrtCooldown does not use it, as in the release.
	CooldownFactor float64
}

// offset is the number of epochs by which the inverse square root is shifted.
const offset = 128

func (s Schedule) withDefaults() Schedule {
	number := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	length := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
		*v = max(*v, 0)
	}
	number(&s.Base, 2e-4)
	number(&s.WarmupFactor, 0.1)
	number(&s.CooldownFactor, 1e-3)
	length(&s.Epochs, 200)
	length(&s.Warmup, 10)
	length(&s.Cooldown, 10)
	return s
}

// Validate checks the ranges.
func (s Schedule) Validate() error {
	s = s.withDefaults()
	switch {
	case int(s.Kind) >= len(scheduleNames):
		return fmt.Errorf("train: schedule: expected one of %v, got %v", scheduleNames, s.Kind)
	case !(s.Base > 0) || math.IsInf(s.Base, 0):
		return fmt.Errorf("train: schedule: expected a positive base rate, got %v", s.Base)
	case !(s.WarmupFactor > 0 && s.WarmupFactor <= 1):
		return fmt.Errorf("train: schedule: expected a warm-up factor above 0 and at most 1, got %v", s.WarmupFactor)
	case !(s.CooldownFactor >= 0 && s.CooldownFactor <= 1):
		return fmt.Errorf("train: schedule: expected a cooldown factor from 0 to 1, got %v", s.CooldownFactor)
	case s.Warmup+s.Cooldown > s.Epochs:
		return fmt.Errorf("train: schedule: expected warm-up and cooldown within %d epochs, got %d and %d", s.Epochs, s.Warmup, s.Cooldown)
	}
	return nil
}

// Times returns the schedule with all lengths multiplied by n, the number of updates of an
// epoch: a schedule over epochs becomes one over updates (the release's
// step_mult_factor). The offset of the inverse square root does not change.
func (s Schedule) Times(n int) Schedule {
	s = s.withDefaults()
	none := func(v int) int {
		if v == 0 {
			return -1
		}
		return v * n
	}
	s.Epochs, s.Warmup, s.Cooldown = s.Epochs*n, none(s.Warmup), none(s.Cooldown)
	return s
}

// Rate returns the learning rate of epoch e = 0, 1, …, for w epochs of warm-up, c
// of cooldown, M in all, f = WarmupFactor and a(x) = √(128+x) − √128:
//
//	e ≤ w        base·(f + (1−f)·e/w)
//	e ≤ M−c      base/(1 + a(e−w))                                   SqrtCooldown
//	             base·(1 + a(1))/(1 + a(e−w+1))                      LinearRamps
//	e > M−c      base/(1 + a(M−c))·(1 − √((e−(M−c)−1)/c))            SqrtCooldown
//	             rate(M−c)·(1 − d·(e−(M−c)−1))/(1+d), d = (1−g)/c    LinearRamps
//
// with g = CooldownFactor. In the cooldown of SqrtCooldown w is not subtracted, so the rate
// jumps a little where the cooldown begins, as in the release. The formulas hold for e < M.
// Beyond that the release's rate falls below zero; here it is 0.
func (s Schedule) Rate(e int) float64 {
	s = s.withDefaults()
	a := func(x int) float64 { return math.Sqrt(float64(offset+x)) - math.Sqrt(offset) }
	w, c, begin := s.Warmup, float64(s.Cooldown), s.Epochs-s.Cooldown
	into := float64(e - begin - 1)
	switch {
	case e <= w && w > 0:
		return s.Base * (s.WarmupFactor + (1-s.WarmupFactor)*float64(e)/float64(w))
	case s.Kind == Constant:
		return s.Base
	case s.Kind == SqrtCooldown && e > begin:
		return max(0, s.Base/(1+a(begin))*(1-math.Sqrt(into/c)))
	case s.Kind == SqrtCooldown:
		return s.Base / (1 + a(e-w))
	case e > begin:
		d := (1 - s.CooldownFactor) / c
		return max(0, s.ramp(begin)*(1-d*into)/(1+d))
	}
	return s.ramp(e)
}

// ramp returns the rate of LinearRamps after the warm-up.
func (s Schedule) ramp(e int) float64 {
	a := func(x int) float64 { return math.Sqrt(float64(offset+x)) - math.Sqrt(offset) }
	if e <= s.Warmup {
		return s.Base
	}
	return s.Base * (1 + a(1)) / (1 + a(e-s.Warmup+1))
}
