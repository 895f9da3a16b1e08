// Package hub downloads Well data sets and the released weights from the model hub
// (Hugging Face) into a cache folder:
//
//	c := hub.Client{}
//	dir, err := c.WellDataset(ctx, "shear_flow", "test") // for well.Open
//	dir, err = c.Walrus(ctx)                             // for walrus.Load
//
// Downloads go on where they stopped, also in another process; every file is
// compared with the size and the SHA-256 that the hub gives before it appears under
// its name; connections that break off, stall or are refused for a while are tried
// again. Client.Offline uses what is in the cache and nothing else.
//
// It speaks plain HTTP with range requests. The Go client of the hub that the
// project's base uses keeps no part of a broken download and checks no sums, which
// does not do for data sets of hundreds of gigabytes.
package hub
