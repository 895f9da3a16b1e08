package ladder

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gowalrus/gowalrus/distributed"
	"github.com/gowalrus/gowalrus/walrus/eval"
)

// bench measures a trial.
type bench struct {
	Trial
	rounds map[string]round // by rung
	costs  map[string]cost  // by mesh and form
}

// round is the measured run of a rung.
type round struct {
	mesh    distributed.Mesh
	classes []Class
	draws   [][]int       // [group] classes of all micro-batches
	spent   [][][]float64 // [update][group][micro] seconds of each device of a group
	wall    float64
}

// cost is the measured cost of a mesh.
type cost struct {
	seconds []float64 // of a device for a micro-batch of each class
	update  float64   // seconds of a device for an update
}

func costKey(m distributed.Mesh, f Form) string { return fmt.Sprint(m, f) }

// repeats is the number of micro-batches of each class that are timed on a mesh.
const repeats = 3

// measure runs the rungs with fixed or with adaptive patches, and measures the costs of
// the meshes that they need.
func (b *bench) measure(ctx context.Context, adaptive bool) error {
	meshes := []distributed.Mesh{b.own()}
	for _, m := range []distributed.Mesh{b.all(), b.hybrid()} {
		if !slices.Contains(meshes, m) {
			meshes = append(meshes, m)
		}
	}
	for _, mesh := range meshes {
		if err := b.onMesh(ctx, mesh, adaptive); err != nil {
			return fmt.Errorf("ladder: trial: mesh %v: %w", mesh, err)
		}
	}
	return nil
}

// rungs returns the rungs of a form that need measurements on a mesh: their run, or the
// cost of sharding.
func (b *bench) rungs(mesh distributed.Mesh, f Form) (out []Rung) {
	for _, r := range Rungs() {
		if r.Form == f && (mesh == b.own() || mesh == b.mesh(r)) {
			out = append(out, r)
		}
	}
	return out
}

// onMesh measures on one mesh, with fixed or with adaptive patches.
func (b *bench) onMesh(ctx context.Context, mesh distributed.Mesh, adaptive bool) error {
	forms := []Form{{}}
	if adaptive {
		forms = []Form{{Adaptive: true}, {Adaptive: true, Differential: true}}
	}
	forms = slices.DeleteFunc(forms, func(f Form) bool { return b.rungs(mesh, f) == nil })
	if len(forms) == 0 {
		return nil
	}
	c, err := newCourse(b.Trial, mesh, adaptive)
	if err != nil {
		return err
	}
	defer c.close()
	for _, form := range forms {
		if err := c.take(b.Setup, form); err != nil {
			return err
		}
		found, err := c.cost(ctx)
		if err != nil {
			return err
		}
		b.costs[costKey(mesh, form)] = found
		b.Log.Info("costs", "mesh", mesh, "form", form, "seconds", found.seconds, "update", found.update)
		for _, r := range b.rungs(mesh, form) {
			if drawer := b.drawer(r); drawer == nil || *drawer != mesh {
				continue
			}
			if b.rounds[r.Name], err = b.round(ctx, c, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// drawer returns the mesh whose groups draw like the devices of a rung. It is nil if
// the devices of a group draw separately, which those of a trainer cannot.
func (b *bench) drawer(r Rung) *distributed.Mesh {
	m := b.own()
	switch {
	case r.Together:
		m = b.hybrid()
	case r.Hybrid:
		return nil
	}
	return &m
}

// round trains like a rung, with the draws of the simulation.
func (b *bench) round(ctx context.Context, c *course, r Rung) (round, error) {
	out := round{mesh: c.mesh, classes: c.classes, draws: b.draws(c.mesh.Groups)}
	micros := b.micros(r)
	begin := time.Now()
	for at := 0; at < b.Micro; at += micros {
		spent, _, err := c.step(ctx, micros, func(group, micro int) int { return out.draws[group][at+micro] })
		if err != nil {
			return out, err
		}
		out.spent = append(out.spent, spent)
	}
	out.wall = time.Since(begin).Seconds()
	b.Log.Info("rung", "name", r.Name, "mesh", c.mesh, "wall", out.wall)
	return out, nil
}

// draws returns the draws of groups, as job.draw makes them: [group][micro].
func (b *bench) draws(groups int) (out [][]int) {
	for g := range groups {
		rng := sampler(b.Seed, g)
		var draws []int
		for range b.Micro {
			draws = append(draws, rng.IntN(len(b.Systems)))
		}
		out = append(out, draws)
	}
	return out
}

// micros returns the number of micro-batches of an update.
func (t Trial) micros(r Rung) int {
	if r.Accumulate {
		return t.Accumulate
	}
	return 1
}

// cost times every class after all programs are compiled.
func (c *course) cost(ctx context.Context) (cost, error) {
	if err := c.warm(ctx); err != nil {
		return cost{}, err
	}
	n := len(c.classes)
	times, updates := make([][]float64, n), []float64(nil)
	for range repeats {
		spent, update, err := c.step(ctx, n, func(_, micro int) int { return micro })
		if err != nil {
			return cost{}, err
		}
		updates = append(updates, update)
		for _, group := range spent {
			for k, s := range group {
				times[k] = append(times[k], s)
			}
		}
	}
	out := cost{update: eval.Median(updates)}
	for _, list := range times {
		out.seconds = append(out.seconds, eval.Median(list))
	}
	return out, nil
}
