package layers

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gowalrus/gowalrus/internal/golden"
	"github.com/stretchr/testify/require"
)

func TestGoldenRelativeBias(t *testing.T) {
	golden.Every(t, "d0_", func(t *testing.T, c golden.Case) {
		var meta struct {
			Tables map[string][]int `json:"bucket_tables"`
		}
		c.Decode(t, &meta)
		for kind, table := range meta.Tables {
			for i, want := range table {
				rel := i - len(table)/2
				require.Equal(t, want, RelativeBucket(rel, isCausal(t, kind)), "%s %d", kind, rel)
			}
		}
		r := newGoldenRun(t, c)
		r.item("", []string{"weight"}, func(it goldenItem) {
			for _, name := range r.f.Names() {
				kind, steps, ok := strings.Cut(name, ".T")
				if n, err := strconv.Atoi(steps); ok && err == nil {
					it.add(name, RelativeBias(it.node("weight"), n, isCausal(t, kind)))
				}
			}
		})
		r.compare()
	})
}

// isCausal converts the golden set's name of the direction of attention.
func isCausal(t *testing.T, kind string) bool {
	if kind != "causal" && !strings.HasPrefix(kind, "bidir") {
		t.Errorf("expected causal or bidirectional, got %q", kind)
	}
	return kind == "causal"
}

// naiveBucket computes the bucket in integers: with n buckets of which the first n/2 are
// exact, distance d is in bucket n/2 + b for the largest b with (32/(n/2))^b · (n/2)^(n/2)
// ≤ d^(n/2).
func naiveBucket(distance, n int) int {
	half := int64(n / 2)
	if int64(distance) < half {
		return distance
	}
	power := func(base, exp int64) *big.Int { return new(big.Int).Exp(big.NewInt(base), big.NewInt(exp), nil) }
	b := int64(0)
	for b < half-1 {
		least := new(big.Int).Mul(power(32/half, b+1), power(half, half))
		if least.Cmp(power(int64(distance), half)) > 0 {
			break
		}
		b++
	}
	return int(half + b)
}

func TestRelativeBucket(t *testing.T) {
	for rel := -300; rel <= 300; rel++ {
		require.Equal(t, naiveBucket(max(-rel, 0), 32), RelativeBucket(rel, true), "causal %d", rel)
		want := naiveBucket(max(rel, -rel), 16)
		if rel > 0 {
			want += 16
		}
		require.Equal(t, want, RelativeBucket(rel, false), "both ways %d", rel)
	}
}

// naiveBias computes the bias [N, T, T] of a table [32, N].
func naiveBias(table array, steps int, causal bool) array {
	out := newArray(table.dims[1], steps, steps)
	each(out.dims, func(i []int) {
		head, q, k := i[0], i[1], i[2]
		switch {
		case causal && k > q:
			out.set(Masked, i...)
		case !causal && k > q:
			out.set(table.at(16+naiveBucket(k-q, 16), head), i...)
		case causal:
			out.set(table.at(naiveBucket(q-k, 32), head), i...)
		default:
			out.set(table.at(naiveBucket(q-k, 16), head), i...)
		}
	})
	return out
}

func TestRelativeBias(t *testing.T) {
	var jobs []job
	for _, steps := range []int{1, 2, 5, 17, 20, 40} {
		for _, causal := range []bool{true, false} {
			name := fmt.Sprintf("T%d causal %v", steps, causal)
			table := normal(seeded(name), RelativeBuckets, 1+steps%3)
			want := naiveBias(table, steps, causal)
			jobs = append(jobs, job{name: name, in: []array{table},
				graph: func(in []*Node) []*Node { return []*Node{RelativeBias(in[0], steps, causal)} },
				// Values are copied, not computed, and a tolerance relative to −1e30 would
				// accept any value.
				check: func(t *testing.T, got []array) {
					require.Equal(t, want.dims, got[0].dims)
					for i, v := range want.data {
						require.Equal(t, float32(v), float32(got[0].data[i]), "at %d", i)
					}
				}})
		}
	}
	runJobs(t, jobs...)
}

func TestRelativeBiasGradient(t *testing.T) {
	// Masked entries are replaced by 0, as differences relative to −1e30 mean nothing.
	visible := func(steps int, causal bool) func(in []*Node) *Node {
		return func(in []*Node) *Node {
			b := RelativeBias(in[0], steps, causal)
			return Where(GreaterThan(b, ConstAs(b, Masked/2)), b, ZerosLike(b))
		}
	}
	table := normal(seeded("table"), RelativeBuckets, 2)
	checkGradients(t,
		gradCase{name: "causal", keys: []string{"table"}, in: []array{table}, graph: visible(20, true)},
		gradCase{name: "both ways", keys: []string{"table"}, in: []array{table}, graph: visible(6, false)})
}

func TestRelativeBiasRefuses(t *testing.T) {
	requireRefused(t, func(in []*Node) *Node { return RelativeBias(in[0], 3, true) },
		[][]int{{31, 2}}, "expected shape [32 -1]", "got [31 2]")
}
