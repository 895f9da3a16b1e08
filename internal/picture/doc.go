// Package picture turns fields and curves into PNG files and animated GIFs
// with nothing but the standard library's image packages and a bitmap font.
//
//	panels, err := picture.CompareRollout(picture.Rollout{
//		H: 48, W: 48, Names: names, Truth: truth, Forecast: forecast,
//	})
//	if err != nil { ... }
//	err = picture.PNG("step1.png", panels[0])
//	err = picture.GIF("rollout.gif", panels, 150*time.Millisecond)
//
// A field is a []float32 of H*W values, row major. It is drawn as a physicist
// draws it: the first axis (H, x) runs to the right and the second (W, y)
// upwards, so that value 0 is in the lower left corner.
//
// A [Panel] is a grid of fields with a title, headings, row labels and colour
// bars; a [Chart] is a line chart. Both are a [Drawing]. Values that are not
// finite, sizes that do not match and ranges without extent are errors. Files
// appear under their name only when they are complete.
package picture
