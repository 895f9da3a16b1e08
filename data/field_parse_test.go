package data_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gowalrus/gowalrus/data"
)

func ExampleParseFields() {
	fields, err := data.ParseFields("pressure,velocity:vector,mask:constant")
	fmt.Println(fields, err)
	// Output: [{pressure 0 false} {velocity 1 false} {mask 0 true}] <nil>
}

func TestParseFieldsErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":       "field without a name",
		"p,,q":   "field without a name",
		"p:fast": `field "p:fast": expected scalar, vector, tensor or constant after the name, got "fast"`,
	} {
		_, err := data.ParseFields(text)
		assert.ErrorContains(t, err, want)
	}
}
