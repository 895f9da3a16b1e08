package yamltext

import (
	"errors"
	"fmt"
	"io"

	"github.com/goccy/go-yaml/scanner"
	"github.com/goccy/go-yaml/token"
)

// tokenize cuts a text into tokens. It stops at the limits.
func tokenize(text string) (token.Tokens, error) {
	var s scanner.Scanner
	s.Init(text)
	var tokens token.Tokens
	var d depth
	for {
		part, err := s.Scan()
		if errors.Is(err, io.EOF) {
			return tokens, nil
		}
		from := len(tokens)
		tokens.Add(part...)
		for _, t := range tokens[from:] {
			if n := d.add(t); n > MaxDepth {
				return nil, &Error{t.Position.Line, fmt.Errorf("nested more than %d levels deep", MaxDepth)}
			}
			if t.Type == token.StringType && isFloat(t.Value) {
				t.Type = token.FloatType // expand stores the value
			}
		}
		if len(tokens) > MaxTokens {
			return nil, &Error{tokens[len(tokens)-1].Position.Line, fmt.Errorf("expected at most %d values and punctuation marks in a text, got more", MaxTokens)}
		}
	}
}

// depth computes the nesting depth of a stream of tokens.
type depth struct {
	block []int // columns of the open entries of block style
	flow  int   // open brackets
	chain int   // tags, anchors and keys since the last bracket or comma
}

// add returns the depth after a token.
func (d *depth) add(t *token.Token) int {
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		d.flow, d.chain = d.flow+1, 0
	case token.SequenceEndType, token.MappingEndType:
		d.flow, d.chain = max(d.flow-1, 0), 0
	case token.CollectEntryType:
		d.chain = 0
	case token.SequenceEntryType, token.MappingKeyType, token.MappingValueType, token.TagType, token.AnchorType:
		if d.flow > 0 {
			d.chain++
			break
		}
		column := t.Position.Column
		if t.Type == token.MappingValueType && t.Prev != nil && t.Prev.Position.Line == t.Position.Line {
			column = t.Prev.Position.Column // of the key
		}
		for len(d.block) > 0 && d.block[len(d.block)-1] >= column {
			d.block = d.block[:len(d.block)-1]
		}
		d.block = append(d.block, column)
	}
	return len(d.block) + d.flow + d.chain
}

// isFloat reports whether a plain text is a number with an exponent and without a point,
// which package yaml reads as text.
func isFloat(s string) bool {
	digits := func() bool {
		n := 0
		for n < len(s) && '0' <= s[n] && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n > 0
	}
	sign := func() {
		if s != "" && (s[0] == '-' || s[0] == '+') {
			s = s[1:]
		}
	}
	sign()
	if !digits() || s == "" || s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	sign()
	return digits() && s == ""
}
