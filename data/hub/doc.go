// Package hub downloads The Well's data sets and the released weights from the
// model hub (Hugging Face) into a cache folder:
//
//	var c hub.Client
//	dir, err := c.WellDataset(ctx, "shear_flow", "test") // for well.Open
//	dir, err = c.Walrus(ctx)                             // for walrus.Load
//
// What holds:
//
//   - A file appears under its name only when it is whole: size and checksum are
//     those of the hub's list (SHA-256 for large files, git's SHA-1 for small ones).
//   - A download that was cut off, cancelled or killed leaves a part. The next one
//     continues it, also in another process. Two never write the same part.
//   - A file that changes on the hub is fetched again when the list shows it.
//   - Connections that break, stall or are refused for a while are tried again, with
//     growing pauses. There is no limit on the time of a whole download.
//   - Offline, the cache alone is used, and the error says what it lacks.
//
// The folder of a repository is <cache>/<kind>/<owner>/<name>/<revision>. Its
// subfolder .hub holds the list of files, parts and locks; it may be removed at any
// time when nothing is being downloaded, and costs a check of the files then.
//
// # Why plain HTTP
//
// github.com/gomlx/go-huggingface v0.4.0 was read and tried first. It begins a broken
// download again and removes what came so far, compares no checksum, tries nothing
// twice, and cannot cancel the request for the list; a connection that is cut in the
// middle of a file ends without an error and without the file. Data sets of hundreds
// of gigabytes need better, and range requests are little code.
package hub
