package ladder

// unit is a part of the network whose weights are gathered at once.
type unit struct {
	bytes float64
	// parts is the number of transfers that one collective represents.
	parts int
	// whole units are kept whole on every device.
	whole   bool
	segment func(c *Class) Segment
}

// units divides the network into its encoder, its blocks and its decoder.
func (s Setup) units(b sizes, hybrid bool) []unit {
	out := []unit{{b.encoder, 1, hybrid, func(c *Class) Segment { return c.Encoder }}}
	for at := 0; at < s.Config.Blocks; at += s.UnitBlocks {
		n := min(s.UnitBlocks, s.Config.Blocks-at)
		share := float64(n) / float64(s.Config.Blocks)
		out = append(out, unit{b.blocks * share, n, false, func(c *Class) Segment {
			return Segment{c.Blocks.Forward * share, c.Blocks.Backward * share}
		}})
	}
	return append(out, unit{b.decoder, 1, hybrid, func(c *Class) Segment { return c.Decoder }})
}
