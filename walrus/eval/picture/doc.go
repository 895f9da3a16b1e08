// Package picture draws fields to PNG files and animated GIFs.
//
//	panels, err := picture.Compare(truth, forecast, picture.Options{Title: "flow"})
//	if err != nil { ... }
//	err = picture.PNG("step1.png", panels[0])
//	err = picture.GIF("rollout.gif", panels, 150*time.Millisecond)
//
// [Compare] draws a forecast next to the truth and the error, [Frames] draws the frames of
// a window alone. Both accept 2D and 3D windows. Package walrus/eval/report draws curves.
//
// A [Panel] is a grid of fields with a title, headings, row labels and colour bars. A
// field is a []float32 of H*W values, row major. The first axis (H, x) is drawn to the
// right and the second (W, y) upwards, as in physics, so that value 0 is in the lower left
// corner.
//
// Values that are not finite and sizes that do not match are errors. Files appear under
// their name only when they are complete. The same input gives the same picture.
package picture
