package csm

import . "github.com/gomlx/gomlx/core/graph"

// TraceEncode is Encode with the intermediate results, and TraceDecode is Decode with them.
func (h HMLP) TraceEncode(x *Node, w EncoderWeights, ids, fieldScale *Node, plan *Plan) encoderTrace {
	return h.traceEncode(x, w, ids, fieldScale, plan)
}

func (h HMLP) TraceDecode(tokens *Node, w DecoderWeights, ids *Node, plan *Plan) decoderTrace {
	return h.traceDecode(tokens, w, ids, plan)
}
