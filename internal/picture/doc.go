// Package picture draws fields and curves to PNG files and animated GIFs. It needs only
// the standard library's image packages and a bitmap font.
//
//	panels, err := picture.CompareRollout(picture.Rollout{
//		H: 48, W: 48, Names: names, Truth: truth, Forecast: forecast,
//	})
//	if err != nil { ... }
//	err = picture.PNG("step1.png", panels[0])
//	err = picture.GIF("rollout.gif", panels, 150*time.Millisecond)
//
// A field is a []float32 of H*W values, row major. The first axis (H, x) is drawn to
// the right and the second (W, y) upwards, as in physics, so that value 0 is in the
// lower left corner.
//
// A [Panel] is a grid of fields with a title, headings, row labels and colour bars; a
// [Chart] is a line chart. Both are a [Drawing]. Values that are not finite, sizes that
// do not match and ranges without extent are errors. Files appear under their name only
// when they are complete.
package picture
