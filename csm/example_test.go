package csm_test

import (
	"fmt"

	"github.com/gowalrus/gowalrus/csm"
	"github.com/gowalrus/gowalrus/data"
)

func ExampleNewPlan() {
	plan, err := csm.NewPlan([]int{256, 100}, data.Boundaries{
		data.Both(data.Periodic),
		{Low: data.Wall, High: data.Open},
	}, csm.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan)
	fmt.Println("token grid:", plan.TokenGrid())
	// Output:
	// axis 0: 256 points, periodic: patch 8 (strides 4×2, as released), padded to 268 by wrapping 6+6, 32 tokens
	// axis 1: 100 points, wall/open: patch 4 (strides 2×2), padded to 114 by zeros 7+7, 26 tokens
	// 32×26×1 = 832 tokens per frame, padding adds 19.3 %, released plan: no
	// token grid: [32 26 1]
}
