package eval_test

import (
	"fmt"

	"github.com/gowalrus/gowalrus/walrus/eval"
)

func ExampleVRMSE() {
	truth := []float32{1, 2, 3, 4}
	forecast := []float32{1.1, 2.1, 2.9, 4.1}
	v, err := eval.VRMSE(forecast, truth, eval.DefaultEps)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4f\n", v)
	// Output: 0.0775
}

func ExamplePerStep() {
	// Two fields of two points each.
	history := [][]float32{{0, 1, 5, 7}, {1, 2, 5, 6}}
	truth := [][]float32{{2, 3, 5, 5}, {3, 4, 6, 4}}
	linear, err := eval.Linear(history, len(truth))
	if err != nil {
		fmt.Println(err)
		return
	}
	curve, err := eval.PerStep(eval.MAE, linear, truth, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(curve, eval.MeanFields(curve))
	// Output: [[0 0] [0 0.5]] [0 0.25]
}

func ExampleIntervalBounds() {
	bounds, err := eval.IntervalBounds(100, eval.DefaultIntervals)
	fmt.Println(bounds, err)
	// Output: [0 1 3 10 31 100] <nil>
}

// Metrics in physical units, and one relative to the truth.
func ExampleNRMSE() {
	ref, pred := []float32{1, 2, 3, 4}, []float32{1, 2, 4, 4}
	mse, _ := eval.MSE(pred, ref)
	rmse, _ := eval.RMSE(pred, ref)
	mae, _ := eval.MAE(pred, ref)
	linf, _ := eval.Linf(pred, ref)
	fmt.Println(mse, rmse, mae, linf)
	nrmse, _ := eval.NRMSE(pred, ref, eval.DefaultEps)
	fmt.Printf("%.3f\n", nrmse)
	_, err := eval.MSE(pred, ref[:3])
	fmt.Println(err)
	// Output:
	// 0.25 0.5 0.25 1
	// 0.183
	// eval: expected forecast and truth of one length, got 4 and 3
}

func ExamplePaperHorizons() {
	fmt.Println(eval.PaperHorizons())
	// Output: [1 1:20 21:60]
}
