// Package poseidon implements scOT, the network of Poseidon (arXiv 2405.19101), one of the
// networks that the Walrus paper compares itself with (appendix B.3).
package poseidon
