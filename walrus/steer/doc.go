// Package steer has corrections that a rollout applies to every forecast frame before the
// next step starts from it ([walrus.EmulatorOptions.Between]): conservation of means,
// positivity, projection onto divergence-free fields, and known or observed values.
//
//	o.Between = steer.Sequence(
//		steer.Positive("density"),
//		steer.RescaleMean("density"),
//		steer.Nudge(steer.Observations{Channel: "pressure", Points: sensors, Values: readings}),
//	)
//
// Each correction leaves a frame that already has the property as it is. A later correction
// may undo an earlier one: shifting a mean can make values negative again. Solid points
// ([data.MaskName]) are neither counted nor changed. Corrections run on the host, in float64,
// between two steps on the device. They may be shared by concurrent rollouts.
//
// A correction enforces a property; it does not repair a forecast. If it changes frames by
// more than the error of a step, the weights do not suit the system.
package steer
