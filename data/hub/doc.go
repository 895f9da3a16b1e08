// Package hub downloads The Well's data sets and the released weights from the
// model hub (Hugging Face) into a cache folder:
//
//	var c hub.Client
//	dir, err := c.WellDataset(ctx, "shear_flow", "test") // for well.Open
//	dir, err = c.Walrus(ctx)                             // for walrus.Load
//
// It also reads parts of files, of the hub and of other servers, without downloading the
// rest ([Client.Open]); well.Open uses it for addresses:
//
//	tree, name, err := c.Open(ctx, "hf://datasets/polymathic-ai/shear_flow/stats.yaml")
//	text, err := fs.ReadFile(tree, name)
//
// Guarantees of downloads:
//
//   - A file appears under its name only when it is complete: its size and checksum equal
//     those of the hub's list (SHA-256 for large files, git's SHA-1 for small ones).
//   - An interrupted download leaves a part. The next download continues it, also in
//     another process. Two processes never write the same part.
//   - A file that changes on the hub is downloaded again when the hub's list shows the
//     change.
//   - Requests that fail, stall or are refused temporarily are repeated with growing
//     pauses. The time of a whole download is not limited.
//   - An offline client uses only the cache, and its errors name the missing files.
//
// The folder of a repository is <cache>/<kind>/<owner>/<name>/<revision>. Its subfolder
// .hub holds the list of files, parts and locks. It may be removed while no download is
// running; the files are then verified again.
//
// Guarantees of reads from a [Tree]:
//
//   - A block of a file is requested once and kept on disk, up to Client.BlockCache bytes of
//     all files. The least recently used blocks are removed first. The
//     blocks of a file on the hub stay valid in later programs while its checksum is the same,
//     those of another server while the ETag or the time of the last change is.
//   - Several processes may share the cache. A damaged block is requested again.
//   - Bytes that have arrived are not requested again when a connection breaks off.
//   - An answer that is not the requested range of the opened version is never used. The
//     request is repeated, and after three such answers in a row the read returns an error.
//   - If all blocks of a file of the hub were read, they equal the checksum in the hub's list.
//
// # Why plain HTTP
//
// We read and tried github.com/gomlx/go-huggingface v0.4.0 first. It restarts interrupted
// downloads and deletes their parts, verifies no checksums, retries nothing, and cannot
// cancel the request for the list. If a connection ends in the middle of a file, it returns
// neither an error nor the file. Data sets of hundreds of gigabytes need more, and range
// requests take little code.
package hub
