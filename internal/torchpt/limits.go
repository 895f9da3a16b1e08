package torchpt

// Bounds on the work and memory of reading a file. A full training checkpoint of a
// thousand parameters has a pickle of about 1 MB, 100 000 opcodes and 4000 tensors.
const (
	maxPickle      = 256 << 20 // bytes of data.pkl
	maxOpcodes     = 4 << 20   // opcodes executed; bounds all that they allocate
	maxStack       = 1 << 20   // values on the stack
	maxMarks       = 1 << 16   // nested marks
	maxMemo        = 2 << 20   // values in the memo
	maxTensors     = 1 << 18   // tensors built
	maxRank        = 64        // axes of a tensor; the bound of torch
	maxName        = 256       // bytes of a class's module or name
	maxLong        = 1 << 10   // bytes of an arbitrary-precision integer
	maxExpanded    = 1 << 24   // elements of all tensors that repeat their storages
	maxInterleaved = 1 << 20   // elements of a storage that a view visits back and forth
)
