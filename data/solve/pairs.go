package solve

// inverse2 computes two fields from their modes with one transform.
func (b *periodic) inverse2(first, second []float64, p, q []complex128) {
	for i, v := range p {
		w := q[i]
		b.buffer[i] = complex(real(v)-imag(w), imag(v)+real(w))
	}
	b.transform(b.buffer, true)
	scale := 1 / float64(b.points)
	for i, v := range b.buffer {
		first[i], second[i] = real(v)*scale, imag(v)*scale
	}
}

// inverses computes fields from their modes, two per transform.
func (b *periodic) inverses(dst [][]float64, src [][]complex128) {
	i := 0
	for ; i+1 < len(src); i += 2 {
		b.inverse2(dst[i], dst[i+1], src[i], src[i+1])
	}
	if i < len(src) {
		b.inverse(dst[i], src[i])
	}
}

// forward2 computes the modes of two real fields with one transform.
func (b *periodic) forward2(p, q []complex128, first, second []float64) {
	for i, v := range first {
		b.buffer[i] = complex(v, second[i])
	}
	b.transform(b.buffer, false)
	for i, v := range b.buffer {
		w := b.buffer[b.opposite[i]]
		p[i] = complex((real(v)+real(w))/2, (imag(v)-imag(w))/2)
		q[i] = complex((imag(v)+imag(w))/2, (real(w)-real(v))/2)
	}
}

// forwards computes the modes of real fields, two per transform.
func (b *periodic) forwards(dst [][]complex128, src [][]float64) {
	i := 0
	for ; i+1 < len(src); i += 2 {
		b.forward2(dst[i], dst[i+1], src[i], src[i+1])
	}
	if i < len(src) {
		b.forward(dst[i], src[i])
	}
}

// gradient computes the derivatives along all axes of the field of the given modes.
func (b *periodic) gradient(dst [][]float64, src []complex128) {
	axis := 0
	for ; axis+1 < len(b.n); axis += 2 {
		k, l := b.k[axis], b.k[axis+1]
		for i, v := range src {
			// i·k·v + i·(i·l·v): the second derivative is the imaginary part.
			re, im := real(v), imag(v)
			b.buffer[i] = complex(-k[i]*im-l[i]*re, k[i]*re-l[i]*im)
		}
		b.transform(b.buffer, true)
		scale := 1 / float64(b.points)
		for i, v := range b.buffer {
			dst[axis][i], dst[axis+1][i] = real(v)*scale, imag(v)*scale
		}
	}
	if axis < len(b.n) {
		b.derivative(dst[axis], src, axis)
	}
}
